# SPDX-License-Identifier: Apache-2.0
"""Write down the API: ``openapi``."""

from pathlib import Path

import click

from hub.cli.exits import CommandError, Exit, cannot_write
from hub.cli.output import json_option, print_json

COMMITTED = Path("docs/api/openapi.json")


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=COMMITTED,
    show_default=True,
    help="Where to write it; - for standard output.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail where the file is another.")
@json_option
def openapi(*, output: Path, check: bool, as_json: bool) -> None:
    """Write the OpenAPI document of this version, which is JSON itself."""
    from hub import app  # noqa: PLC0415  # takes a second to import

    document = app.openapi()
    if str(output) == "-" and not check:
        click.echo(document, nl=False)
        return
    if check:
        _compare(output, document)
    else:
        _write(output, document)
    if as_json:
        print_json({"file": str(output), "written": not check})
    else:
        click.echo(f"{output} is this version's." if check else f"Wrote {output}.")


def _compare(output: Path, document: bytes) -> None:
    if not output.exists() or output.read_bytes() != document:
        raise CommandError(
            f"{output} is not this version's: run breakwater openapi and commit it.", Exit.FOUND
        )


def _write(output: Path, document: bytes) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(document)
    except OSError as error:
        raise cannot_write(output, error) from error
