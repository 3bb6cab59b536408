# SPDX-License-Identifier: Apache-2.0
"""What hubs say to each other, in files: ``bundle``."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from federation.errors import RefusedError
from hub.cli import preparing
from hub.cli.exits import CommandError, Exit, cannot_write, read_settings
from hub.cli.listing import show_one
from hub.cli.output import json_option
from hub.cli.progress import progress
from hub.domain.errors import HubError
from hub.ports import Hub
from hub.ports.exchange import Voice
from hub.services.exchange.bundling import read_bundle, write_bundle
from hub.wiring import assemble

WRITTEN = ("partner", "file", "entries")
READ = ("partner", "applied", "kept", "refused")


@click.group()
def bundle() -> None:
    """What this hub says to a partner, or a partner to it, in a file."""


@bundle.command("write")
@click.argument("hub_name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--from", "start", type=click.IntRange(0), default=0, show_default=True,
    help="The first entry of the log; the partner needs what it has not read yet.",
)  # fmt: skip
@json_option
def write(*, hub_name: str, file: Path, start: int, as_json: bool) -> None:
    """Write what the partner HUB_NAME may have into FILE, with all that proves it.

    Whoever gets the file can read what is in it, as the partner can: hand it over accordingly.
    """
    draft = file.with_name(file.name + ".new")
    with _opened() as (hub, voice):
        try:
            with draft.open("wb") as out, progress("entries", None, shown=not as_json) as told:
                entries = write_bundle(hub_name, out, start=start, hub=hub, voice=voice, told=told)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(file)
        except OSError as error:
            raise cannot_write(file, error) from error
        finally:
            draft.unlink(missing_ok=True)
    told_row = {"partner": hub_name, "file": str(file), "entries": entries}
    show_one(WRITTEN, told_row, as_json=as_json)


@bundle.command("read")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def read(*, file: Path, as_json: bool) -> None:
    """Verify FILE and take what its hub says; it must be a partner."""
    with (
        _opened() as (hub, voice),
        file.open("rb") as data,
        progress("entries", None, shown=not as_json) as told,
    ):
        try:
            came = read_bundle(data, hub=hub, voice=voice, told=told)
        except RefusedError as error:
            raise CommandError(
                f"{file} is not to be believed: {error}. What was read before that stays; see "
                "breakwater partners evidence.", Exit.FOUND,
            ) from error  # fmt: skip
    row = {
        "partner": came.hub, "applied": came.applied, "kept": came.kept, "refused": came.refused,
    }  # fmt: skip
    show_one(READ, row, as_json=as_json)


@contextmanager
def _opened() -> Iterator[tuple[Hub, Voice]]:
    """The hub of the settings, which has a name."""
    settings = read_settings()
    preparing.require_schema(settings)
    hub = assemble(settings)
    voice = hub.abroad.voice()
    if voice is None:
        raise CommandError(
            "This hub has no partners yet: run breakwater partners invite.", Exit.FOUND
        )
    try:
        yield hub, voice
    except HubError as error:
        raise CommandError(str(error), Exit.FOUND) from error
