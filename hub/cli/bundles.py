# SPDX-License-Identifier: Apache-2.0
"""What hubs bring each other, in files or themselves: ``bundle``."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from federation.errors import Alarm, RefusedError, TransportError
from hub.cli import preparing
from hub.cli.exits import CommandError, Exit, cannot_write, read_settings
from hub.cli.listing import show, show_one
from hub.cli.output import json_option
from hub.cli.progress import Advance, progress
from hub.domain.errors import HubError, NotFoundError
from hub.ports import Hub
from hub.ports.exchange import Voice
from hub.services.exchange.bundling import read_bundle
from hub.services.exchange.carrying import Telling
from hub.services.exchange.posting import NotTakenError, Posted, post
from hub.services.exchange.serving import NotSoLongError
from hub.wiring import assemble

WRITTEN = ("partner", "file", "entries")
READ = ("partner", "file", "applied", "kept", "refused")
POSTED = ("partner", "entries", "applied", "kept", "refused")
AGAIN = {Exit.UNAVAILABLE, Exit.BUSY, Exit.FOUND}
"""What ends by itself, or by what people do at the other hub: ``--every`` goes on."""


@click.group()
def bundle() -> None:
    """What this hub says to a partner, or a partner to it, in a file; or brought to it."""


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

    What does not fit into one file goes on in FILE.2, FILE.3, and so on. Whoever gets them can
    read what is in them, as the partner can: hand them over accordingly.
    """
    rows: list[dict[str, object]] = []
    with _opened() as (hub, voice), progress("entries", None, shown=not as_json) as told:
        telling = Telling(hub_name, start=start, hub=hub, voice=voice, told=told)
        while not telling.is_over:
            place = file if not rows else file.with_name(f"{file.name}.{len(rows) + 1}")
            rows.append(
                {"partner": hub_name, "file": str(place), "entries": _written(telling, place)}
            )
    show(WRITTEN, rows, as_json=as_json)


def _written(telling: Telling, file: Path) -> int:
    draft = file.with_name(file.name + ".new")
    try:
        with draft.open("wb") as out:
            entries = telling.write(out)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        raise cannot_write(file, error) from error
    except RefusedError as error:
        raise CommandError(
            f"{error}: it can only be followed over the network.", Exit.FOUND
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return entries


@bundle.command("read")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@json_option
def read(*, files: Sequence[Path], as_json: bool) -> None:
    """Verify each FILE, in their order, and take what its hub says; it must be a partner."""
    rows = []
    with _opened() as (hub, voice), progress("entries", None, shown=not as_json) as told:
        for file in files:
            try:
                with file.open("rb") as data:
                    came = read_bundle(data, hub=hub, voice=voice, told=told)
            except RefusedError as error:
                raise CommandError(
                    f"{file} is not to be believed: {error}. What was read before that stays; see "
                    "breakwater partners evidence.", Exit.FOUND,
                ) from error  # fmt: skip
            rows.append(
                {
                    "partner": came.hub, "file": str(file), "applied": came.applied,
                    "kept": came.kept, "refused": came.refused,
                }
            )  # fmt: skip
    show(READ, rows, as_json=as_json)


@bundle.command("post")
@click.argument("hub_name")
@click.option(
    "--every", type=click.IntRange(5), metavar="SECONDS",
    help="Go on for ever, and look for something new so often.",
)  # fmt: skip
@json_option
def post_(*, hub_name: str, every: int | None, as_json: bool) -> None:
    """Bring the partner HUB_NAME what it has not got yet, where it cannot reach this hub.

    It needs the address by which the partner was paired, and nothing that is open here.
    """
    while True:
        try:
            with _opened() as (hub, voice), progress("entries", None, shown=not as_json) as told:
                done = _posted(hub_name, hub, voice, told)
        except CommandError as error:
            if every is None or error.exit_code not in AGAIN:
                raise
            error.show()
        else:
            show_one(POSTED, asdict(done), as_json=as_json)
        if every is None:
            return
        time.sleep(every)


def _posted(hub_name: str, hub: Hub, voice: Voice, told: Advance) -> Posted:
    try:
        return post(hub_name, hub=hub, voice=voice, told=told)
    except NotFoundError as error:
        raise CommandError(
            f"{hub_name} is no partner: run breakwater partners pair LINE.", Exit.USAGE
        ) from error
    except NotTakenError as error:
        raise CommandError(
            f"{hub_name} takes no more for now: {error}. Its people see why: breakwater partners "
            "list.", Exit.BUSY,
        ) from error  # fmt: skip
    except TransportError as error:
        raise CommandError(f"{hub_name} does not answer: {error}.", Exit.UNAVAILABLE) from error
    except RefusedError as error:
        if error.alarm is Alarm.TRANSPORT:
            raise CommandError(
                f"{hub_name} is not met as it should be: {error}. Has it enrolled this hub "
                "(there: breakwater partners pair LINE --unreachable), and has it not paused it? "
                "Are both clocks right?", Exit.UNAVAILABLE,
            ) from error  # fmt: skip
        raise CommandError(
            f"{hub_name} does not believe what this hub says: {error}. It has kept why: there, "
            "breakwater partners evidence.", Exit.FOUND,
        ) from error  # fmt: skip
    except NotSoLongError as error:
        raise CommandError(
            f"{hub_name} has read more than there is, or nothing was said yet: has the worker run "
            "since this hub was paired, or restored?", Exit.BUSY,
        ) from error  # fmt: skip


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
