# SPDX-License-Identifier: Apache-2.0
"""A hub's disk: SQLite in memory that can be copied, put back, and cut short at any statement."""

import hashlib
import sqlite3
from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from hub.storage import schema, tables
from hub.storage.database import Database

NOT_OF_IMPORT = frozenset({"evidence"})
"""What a refusal may change."""


class CrashError(Exception):
    """The hub's process died here; what was not committed is gone."""


class _Driver(sqlite3.Connection):
    """A connection that outlives its pool: SQLAlchemy lets go of it when a commit dies."""

    def close(self) -> None:
        self.rollback()

    def end(self) -> None:
        super().close()


class Disk:
    """One database; engines are dear to start, so a disk is loaded anew rather than made anew."""

    def __init__(self) -> None:
        self._driver = sqlite3.connect(":memory:", factory=_Driver)
        self._fuse = 0
        engine = sa.create_engine("sqlite://", creator=lambda: self._driver, poolclass=StaticPool)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        event.listen(engine, "before_cursor_execute", self._burn)
        event.listen(engine, "commit", self._burn)
        self.database = Database(engine, engine)

    def load(self, image: bytes) -> None:
        """Hold what an image holds, and nothing else."""
        source = sqlite3.connect(":memory:")
        source.deserialize(image)
        # Deserialised under a connection that has asked before, SQLite ends the process.
        source.backup(self._driver)
        source.close()
        self._fuse = 0

    def image(self) -> bytes:
        """All that was committed."""
        return self._driver.serialize()

    def arm(self, steps: int) -> None:
        """Crash before so many statements or commits from now; 0: do not."""
        self._fuse = steps

    @property
    def written(self) -> int:
        """How many rows were ever written, also those that were taken back."""
        return self._driver.total_changes

    def ask(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Read rows, past everything that the hub's own code does to them."""
        return self._driver.execute(statement, tuple(values)).fetchall()

    def digest(self) -> str:
        """A hash over every row, but what is kept of refusals."""
        found = hashlib.sha256()
        for table in tables.metadata.sorted_tables:
            if table.name not in NOT_OF_IMPORT:
                order = ", ".join(f'"{one.name}"' for one in table.primary_key.columns)
                rows = self.ask(f'SELECT * FROM "{table.name}" ORDER BY {order}')  # noqa: S608 - our own tables
                found.update(repr((table.name, rows)).encode())
        return found.hexdigest()

    def _burn(self, *_: Any, **__: Any) -> None:
        if self._fuse:
            self._fuse -= 1
            if not self._fuse:
                raise CrashError


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON").close()


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


@cache
def disk(number: int) -> Disk:
    """The disk of that number, of this process."""
    del number
    return Disk()


@cache
def empty() -> bytes:
    """The image of a database with the newest schema and nothing in it."""
    made = Disk()
    schema.upgrade(made.database, lambda prefix: f"{prefix}simulated")
    return made.image()
