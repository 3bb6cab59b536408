# SPDX-License-Identifier: Apache-2.0
"""Whole files of contributions: ``import`` and ``export``."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from hub.cli import exporting
from hub.cli.calling import Target, calling, calls_hub
from hub.cli.exits import CommandError, Exit, cannot_write
from hub.cli.importing import Import
from hub.cli.journal import BusyJournalError, OtherJournalError
from hub.cli.output import json_option, print_json, print_table
from hub.cli.progress import Advance, progress
from hub.cli.rows import UnusableFileError
from hub.cli.spreadsheets import COLUMNS
from hub.client import Retry

_PATIENT = Retry(attempts=8, longest_pause=60.0)
_SECONDS = 300.0  # for a request of a thousand rows


def _print_columns(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it so
    if value:
        print_table(("column", "what it holds"), COLUMNS.items())
        ctx.exit()


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--set", "sets", multiple=True, metavar="ID", help="Where a row names none.")
@click.option("--restart", is_flag=True, help="Forget how far an import of this file had come.")
@click.option(
    "--columns",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_columns,
    help="Print the columns of a CSV file, and end.",
)
@json_option
@calls_hub
def import_(
    *, file: Path, sets: Sequence[str], restart: bool, as_json: bool, target: Target
) -> None:
    """Contribute the rows of FILE.csv, under a line of column names, or of FILE.ndjson.

    It may be stopped and run again: it goes on from where it was (FILE.breakwater-progress), and
    repeats nothing. A row that is refused harms no other: FILE.errors.csv tells of each, by its
    line in the file. Ends with 1 if there are such rows.
    """
    work = Import(file, sets)
    try:
        size = work.size
        with progress("Importing", size) as advance:
            _run(work, target, advance, restart=restart)
    except UnusableFileError as error:
        raise CommandError(str(error), Exit.DATA) from error
    except BusyJournalError:
        raise CommandError(f"{file} is being imported by another process.", Exit.BUSY) from None
    except OtherJournalError:
        raise CommandError(
            f"{work.journal} is of another import: the file was changed, or the hub is another. "
            "--restart begins anew; rows without external_id are then contributed again.",
            Exit.DATA,
        ) from None
    except OSError as error:
        raise _of_file(file, error) from error
    _report(work, as_json=as_json)
    if work.done.failed:
        raise SystemExit(Exit.FOUND)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=exporting.STDOUT)
@click.option("--format", "form", type=click.Choice(["csv", "ndjson"]), required=True)
@click.option("--own", is_flag=True, help="What your operator contributed; so without --set.")
@click.option("--set", "set_id", metavar="ID", help="What is live in a set; needs replica there.")
@click.option("--ended", is_flag=True, help="Of your own also what was withdrawn or expired.")
@json_option
@calls_hub
def export(
    *,
    file: Path,
    form: str,
    own: bool,
    set_id: str | None,
    ended: bool,
    as_json: bool,
    target: Target,
) -> None:
    """Write your operator's contributions, or the live ones of a set, to FILE or standard output.

    A file of one's own can be imported again. FILE appears when it is whole, readable by you
    alone; treat it as what it is.
    """
    if set_id is not None and (own or ended):
        raise click.UsageError("Give --own or --set; --ended goes with --own.")
    work = exporting.Export(form, set_id, ended=ended)
    try:
        with (
            progress("Exporting", None) as advance,
            calling(target, timeout_seconds=_SECONDS) as client,
            exporting.destination(file) as out,
        ):
            work.run(client, out, advance)
    except OSError as error:
        raise cannot_write(file, error) from error
    # Standard output is the data's, if it is written there.
    aside = file == exporting.STDOUT
    if as_json:
        told = {"file": None if aside else str(file), "rows": work.written}
        click.echo(json.dumps(told), err=aside)
    else:
        click.echo(f"Wrote {work.written:,} rows.", err=aside)
    if work.cut:
        click.echo(
            f"breakwater: CSV has no columns for the frames of {work.cut} videos; use ndjson.",
            err=True,
        )


def _run(work: Import, target: Target, advance: Advance, *, restart: bool) -> None:
    with calling(target) as client:
        # A hub that is not there at all is told at once; one that goes away is waited for.
        client.status()
    try:
        with calling(target, timeout_seconds=_SECONDS, retry=_PATIENT) as client:
            work.run(client, target.url, advance, restart=restart)
    except CommandError as error:
        done = f"{work.done.rows:,} rows are done; run it again to go on."
        raise CommandError(f"{error.message} {done}", Exit(error.exit_code)) from error


def _report(work: Import, *, as_json: bool) -> None:
    done = work.done
    errors = str(work.errors) if done.failed else None
    if as_json:
        print_json(
            {
                "file": str(work.path),
                "rows": done.rows,
                "kept": done.kept,
                "failed": done.failed,
                "done_before": work.skipped,
                "errors": errors,
            }
        )
        return
    before = f", {work.skipped:,} of them done before" if work.skipped else ""
    click.echo(f"{done.rows:,} rows{before}: {done.kept:,} kept, {done.failed:,} refused.")
    if errors:
        click.echo(f"What is wrong with each: {errors}")


def _of_file(file: Path, error: OSError) -> CommandError:
    if error.filename is None or Path(error.filename) != file:
        return cannot_write(Path(error.filename or file), error)
    why = (error.strerror or "unknown error").lower()
    return CommandError(f"Cannot read {file}: {why}.", Exit.DATA)
