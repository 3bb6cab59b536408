# SPDX-License-Identifier: Apache-2.0
"""Contributions by eight writers on PostgreSQL, beside the least a writer could do there.

The yardstick is a transaction with one UPDATE of one row that all of them want, through the hub's
own engine and pool: what it costs these writers to take a number and have it on the disk. Beside
it stands the same UPDATE prepared on the bare driver. All by the same processes, in turns.
"""

import multiprocessing
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, LiteralString

import psycopg

from bench.calls import indicator
from bench.codes import as_hex, random_codes
from bench.measures import Measure, at_least
from bench.members import Members, admit
from bench.postgres import database
from bench.stage import SEED, Stage
from hub.api.schemas.indicators import IndicatorSchema
from hub.domain.answers import Once
from hub.services.indicators import contribute
from hub.settings import Settings
from hub.storage import schema
from hub.wiring import assemble, open_database

WRITERS = 8
ROUNDS, SECONDS = 3, 3.0
UPDATE: LiteralString = "UPDATE bench SET n = n + 1 WHERE id = 1"
REACH = 0.6
ROWS = 500
NAMES = {
    "contribute": "contributions on PostgreSQL",
    "update": "one-row UPDATE by the hub's engine",
    "bare": "one-row UPDATE by the bare driver",
}


@dataclass(frozen=True)
class Task:
    """What a writer is told before it starts."""

    environment: Mapping[str, str]
    key: str
    sharing_set: str
    number: int


def measure(stage: Stage) -> Iterator[Measure]:
    """Write in turns: the hub's own contributions, and bare updates."""
    with ExitStack() as ends:
        url = ends.enter_context(database(stage.folder))
        environment = _environment(stage.folder / "writes", url)
        members = _prepare(Settings.read(environment))
        lines = _writers(environment, members, ends)
        _round(lines, "contribute", 1.0)
        done = [
            {what: _round(lines, what, SECONDS) for what in ("update", "contribute", "bare")}
            for _ in range(ROUNDS)
        ]
        alone = _round(lines[:1], "contribute", SECONDS)
        for line in lines:
            line.send(None)
    shares = [one["contribute"] / one["update"] for one in done]
    yield Measure("writes: share of a one-row UPDATE", median(shares), "", at_least(REACH))
    for what, name in NAMES.items():
        yield Measure(f"{name}, {WRITERS} writers", median(one[what] for one in done), "1/s")
    yield Measure(f"{NAMES['contribute']}, 1 writer", alone, "1/s")


def _environment(data: Path, url: str) -> dict[str, str]:
    data.mkdir(mode=0o700)
    return {**os.environ, "BREAKWATER_DATA": str(data), "BREAKWATER_DATABASE_URL": url}


def _prepare(settings: Settings) -> Members:
    from hub.adapters.clock import new_id  # noqa: PLC0415 - the writers do without

    opened = open_database(settings)
    schema.upgrade(opened, new_id)
    with opened.writer.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bench (id int PRIMARY KEY, n bigint NOT NULL)")
        connection.exec_driver_sql("INSERT INTO bench VALUES (1, 0)")
    opened.close()
    return admit(settings)


def _writers(
    environment: Mapping[str, str], members: Members, ends: ExitStack
) -> list[Connection]:
    context = multiprocessing.get_context("spawn")
    lines = []
    for number in range(WRITERS):
        ours, theirs = context.Pipe()
        key = members.givers[number % len(members.givers)]
        into = members.sets[number % len(members.sets)]
        task = Task(environment, key, into, number)
        process = context.Process(target=write, args=(task, theirs), daemon=True)
        process.start()
        ends.callback(process.join, 10)
        lines.append(ours)
    for line in lines:
        line.recv()
    return lines


def _round(lines: list[Connection], what: str, seconds: float) -> float:
    """Let all writers write for some seconds; returns transactions a second."""
    for line in lines:
        line.send((what, seconds))
    done: int = sum(line.recv() for line in lines)
    return done / seconds


def write(task: Task, line: Connection) -> None:
    """A writer: does what it is told until it is told nothing more."""
    settings = Settings.read(task.environment)
    work = {
        "contribute": _contributor(task, settings),
        "update": _updater(settings),
        "bare": _bare_updater(settings),
    }
    line.send("ready")
    while (told := line.recv()) is not None:
        what, seconds = told
        line.send(_repeated(work[what], seconds))


def _repeated(work: Callable[[], object], seconds: float) -> int:
    done, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        work()
        done += 1
    return done


def _contributor(task: Task, settings: Settings) -> Callable[[], object]:
    hub = assemble(settings)
    # Nobody relays here, so nobody is to be woken: it is the writers that are measured.
    hub.begin.announce = lambda: None  # type: ignore[attr-defined]  # of the SQL one
    asker = hub.directory.asker(f"Bearer {task.key}")
    if asker is None:
        raise LookupError("the writer's key is not known")
    load = IndicatorSchema().load
    texts = as_hex(random_codes(ROWS, SEED + 100 + task.number))
    rows: list[Any] = [load(indicator(text, task.sharing_set)) for text in texts]
    numbers = iter(range(1 << 62))

    def give() -> None:
        number = next(numbers)
        if number == 1:
            # By then the stream would have told the worker which label its sets have.
            hub.directory.reload()
        once = Once(asker.member, uuid.uuid4().hex, bytes(32))
        contribute(rows[number % ROWS], asker=asker, hub=hub, once=once)

    return give


def _updater(settings: Settings) -> Callable[[], object]:
    writer = open_database(settings).writer

    def update() -> None:
        with writer.begin() as connection:
            connection.exec_driver_sql(UPDATE)

    return update


def _bare_updater(settings: Settings) -> Callable[[], object]:
    url = settings.database_url.replace("+psycopg", "")
    connection = psycopg.connect(url, autocommit=True)
    return lambda: connection.execute(UPDATE, prepare=True)
