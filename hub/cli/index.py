# SPDX-License-Identifier: Apache-2.0
"""Look after the index, and erase for good: ``index verify``, ``index rebuild``, ``erase``."""

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hub.adapters.embedded import (
    NoServerError,
    UnsafeFolderError,
    UnusableServerError,
    private_valkey,
)
from hub.cli.exits import CommandError, Exit, read_settings
from hub.cli.explaining import explain
from hub.cli.output import json_option, print_json
from hub.cli.preparing import require_schema
from hub.cli.progress import progress
from hub.settings import INDEX, Settings

if TYPE_CHECKING:
    from matching.ports import ChangeFeed, CodeStore, Head, Pointer

SAMPLES = 200


@click.group()
def index() -> None:
    """Look after the index: everything in it can be made again from the database."""


index.add_command(explain)


@index.command()
@click.option("--samples", default=SAMPLES, show_default=True, help="Searches to compare.")
@click.option("--seed", default=None, type=int, help="Choose the same samples again.")
@json_option
def verify(*, samples: int, seed: int | None, as_json: bool) -> None:
    """Compare Redis, and what lies on this machine, with the database.

    Counts, digests, and samples by brute force. Ends with 1 if anything differs.
    """
    from hub.services.verifying import verify as hold_against  # noqa: PLC0415  # loads a compiler
    from hub.wiring import open_index, open_shelf  # noqa: PLC0415  # as above
    from matching.errors import UnavailableError  # noqa: PLC0415  # as above

    settings = _with_redis()
    try:
        with progress("Reading the database", None) as advance:
            feed, store = open_index(settings, advance)
            snapshot = feed.snapshot()
        report = hold_against(
            snapshot,
            feed,
            store,
            open_shelf(settings),
            samples=samples,
            chance=random.Random(seed),  # noqa: S311  # samples, not secrets
            progress=progress,
        )
    except UnavailableError as error:
        raise CommandError(f"{error}: check that it runs.", Exit.UNAVAILABLE) from error
    if as_json:
        print_json({"ok": report.ok, **vars(report)})
    else:
        _tell(report.position, report.rows, report.differences)
    if not report.ok:
        raise SystemExit(Exit.FOUND)


@index.command()
@json_option
def rebuild(*, as_json: bool) -> None:
    """Write anew from the database what Redis holds, and have this machine's index made anew.

    Answers go on meanwhile.
    """
    from hub.wiring import open_index  # noqa: PLC0415  # loads a compiler
    from matching.errors import UnavailableError  # noqa: PLC0415  # as above
    from matching.ports import Head  # noqa: PLC0415  # as above

    settings = _with_redis()
    try:
        with progress("Reading the database", None) as advance:
            written = _written_anew(*open_index(settings, advance))
    except UnavailableError as error:
        raise CommandError(f"{error}: check that it runs.", Exit.UNAVAILABLE) from error
    _clear_shelf(settings, Head(written.timeline, written.position))
    rows = {name: total.count for name, total in written.totals.items()}
    if as_json:
        print_json({"position": written.position, "epoch": written.epoch, "rows": rows})
    else:
        _tell(written.position, rows, [])


@click.command()
@click.argument("indicator_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def erase(*, indicator_id: str, yes: bool, as_json: bool) -> None:
    """Erase every code and value of an indicator for good, in this hub and after any restore.

    The history keeps its proof: ids and digests, never a code. This cannot be undone.
    """
    from hub.domain.changes import SYSTEM  # noqa: PLC0415  # loads the database
    from hub.domain.errors import NotFoundError  # noqa: PLC0415  # as above
    from hub.services.upkeep import erase as erase_for_good  # noqa: PLC0415  # as above
    from hub.wiring import assemble  # noqa: PLC0415  # as above

    if not yes:
        click.confirm("Erase it for good? This cannot be undone.", abort=True)
    settings = _with_redis()
    try:
        erase_for_good(indicator_id, actor=SYSTEM, hub=assemble(settings))
    except NotFoundError as error:
        raise CommandError(str(error), Exit.DATA) from error
    _sweep_up(settings)
    if as_json:
        print_json({"erased": indicator_id})
    else:
        click.echo("Erased. It stays erased after a restore, by erasures.log.")


def _sweep_up(settings: Settings) -> None:
    """Leave nothing of it in the database's log, on the shelf, in Redis and our own one's log."""
    from hub.adapters.redis import open_redis  # noqa: PLC0415  # half a second
    from hub.cli.databases import empty_log  # noqa: PLC0415  # takes seconds to import
    from hub.wiring import open_index  # noqa: PLC0415  # as above
    from matching.errors import UnavailableError  # noqa: PLC0415  # as above

    if settings.database_file is not None:
        empty_log(settings.database_file)
    feed, store = open_index(settings)
    try:
        # The shelf first: it is in nobody's hands but ours.
        _clear_shelf(settings, feed.head())
        old = store.pointer()
        _written_anew(feed, store)
        if old is not None:
            store.forget(old)
        if read_settings().redis_url is None and settings.redis_url is not None:
            for server in open_redis(settings.redis_url).masters():
                server.bgrewriteaof()
    except UnavailableError as error:
        raise CommandError(
            f"It is erased from the database, but {error}: once it answers, run breakwater index "
            "rebuild, that nothing of it stays there.",
            Exit.UNAVAILABLE,
        ) from error


def _clear_shelf(settings: Settings, head: "Head") -> None:
    """Leave nothing on this machine's shelf; the worker makes a base of that position or later."""
    from hub.wiring import open_shelf  # noqa: PLC0415  # loads a compiler

    try:
        open_shelf(settings).clear(head)
    except OSError as error:
        raise CommandError(
            f"The index in {settings.data / INDEX} could not be cleared: delete that folder.",
            Exit.CANNOT_CREATE,
        ) from error


def _written_anew(feed: "ChangeFeed", store: "CodeStore") -> "Pointer":
    """Write what Redis holds anew."""
    from hub.services.relay import Relay  # noqa: PLC0415  # loads a compiler

    return Relay(feed, store).checkpoint(new_epoch=True)


def _with_redis() -> Settings:
    """The settings, with the private Redis of a hub that runs by ``up``."""
    settings = read_settings()
    require_schema(settings)
    if settings.redis_url is not None:
        return settings
    try:
        own = private_valkey(settings.data, settings.redis_binary)
    except (NoServerError, UnusableServerError, UnsafeFolderError) as error:
        raise CommandError(str(error), Exit.UNAVAILABLE) from error
    return replace(settings, redis_url=own.url)


def _tell(position: int, rows: dict[str, int], differences: list[str]) -> None:
    told = ", ".join(f"{count} {name}" for name, count in rows.items() if count)
    click.echo(f"Position {position}: {told}.")
    for difference in differences:
        click.echo(f"  differs: {difference}")
    click.echo("Everything agrees." if not differences else "Run breakwater index rebuild.")
