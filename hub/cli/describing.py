# SPDX-License-Identifier: Apache-2.0
"""Write down the API: ``openapi``."""

from pathlib import Path

import click

from hub.cli.exits import CommandError, Exit, cannot_write

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
def openapi(*, output: Path, check: bool) -> None:
    """Write the OpenAPI document of this version."""
    from hub import app  # noqa: PLC0415  # takes a second to import

    document = app.openapi()
    if check:
        _compare(output, document)
    elif str(output) == "-":
        click.echo(document, nl=False)
    else:
        _write(output, document)


def _compare(output: Path, document: bytes) -> None:
    if not output.exists() or output.read_bytes() != document:
        raise CommandError(
            f"{output} is not this version's: run breakwater openapi and commit it.", Exit.FOUND
        )
    click.echo(f"{output} is this version's.")


def _write(output: Path, document: bytes) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(document)
    except OSError as error:
        raise cannot_write(output, error) from error
    click.echo(f"Wrote {output}.")
