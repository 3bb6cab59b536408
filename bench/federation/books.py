# SPDX-License-Identifier: Apache-2.0
"""What stands in the databases of running hubs: how far they are, and whether they agree."""

import hashlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import psutil

from bench.lookups import WrongAnswerError
from hub.demo.paired import Paired
from hub.services.exchange.publishing import CURSOR
from hub.settings import Settings

LOOK = 0.1
_REGISTERS = """SELECT r.origin, r.author, r.kind, r.target, r.epoch, r.n, o.id
FROM register r LEFT JOIN operation o ON o.key = r.operation
ORDER BY r.origin, r.author, r.kind, r.target"""


@dataclass(frozen=True)
class Log:
    """How long a hub's own log is, and how much of that its checkpoint covers."""

    size: int
    shown: int


def log_of(hub: Paired) -> Log:
    """A hub's own log."""
    row = _one(hub, "SELECT size, noted FROM hub_log")
    return Log(*row) if row else Log(0, 0)


def applied(hub: Paired, partner: Paired) -> int:
    """How many entries of a partner's log a hub has taken."""
    row = _one(hub, "SELECT applied FROM partner WHERE hub = ?", partner.name)
    return int(row[0]) if row else 0


def has_said_all(hub: Paired) -> bool:
    """Whether all that happened at a hub was looked at, said and shown."""
    log = log_of(hub)
    behind = "SELECT head.position - cursor.position FROM head, cursor WHERE name = ?"
    return log.shown == log.size and _one(hub, behind, CURSOR) == (0,)


def registers(hub: Paired) -> tuple[int, str]:
    """How many registers a hub holds, and a digest of what holds in each; all hubs' alike."""
    digest, count = hashlib.sha256(), 0
    with closing(_open(hub)) as sql:
        for row in sql.execute(_REGISTERS):
            digest.update(repr(row).encode())
            count += 1
    return count, digest.hexdigest()


def await_true(
    is_so: Callable[[], bool], what: str, *, patience: float, look: float = LOOK
) -> None:
    """Wait until something is so.

    Raises:
        WrongAnswerError: It does not become so.
    """
    deadline = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > deadline:
            raise WrongAnswerError(f"not within {patience:.0f} s: {what}")
        time.sleep(look)


def cpu_seconds(hub: Paired) -> float:
    """Seconds that all living processes of a hub have had a processor, its Valkey included."""
    supervisor = psutil.Process(hub.running.pid)
    every = [supervisor, *supervisor.children(recursive=True)]
    times = [one.cpu_times() for one in every]
    return sum(one.user + one.system for one in times)


def _one(hub: Paired, query: str, *values: object) -> tuple[int, ...] | None:
    with closing(_open(hub)) as sql:
        row: tuple[int, ...] | None = sql.execute(query, values).fetchone()
        return row


def _open(hub: Paired) -> sqlite3.Connection:
    file = Settings.read(hub.running.environment()).database_file
    return sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
