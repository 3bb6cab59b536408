# SPDX-License-Identifier: Apache-2.0
"""Fresh databases with the newest schema, each a copy of one that was migrated once."""

import os
import shutil
from pathlib import Path

import sqlalchemy as sa

from hub.adapters.clock import new_id
from hub.domain.changes import GENESIS
from hub.domain.sharing import FIRST_LABEL
from hub.storage import schema, tables
from hub.storage.controls import known_totals
from hub.storage.database import connect
from tests.support.postgres import Postgres


class SqliteDatabases:
    """Files."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        # Closing the last connection folds the write-ahead log into the file.
        _migrate(f"sqlite:///{self._template}")

    def fresh(self, folder: Path) -> str:
        """The address of a new database, in *folder*."""
        shutil.copyfile(self._template, folder / "hub.db")
        url = f"sqlite:///{folder / 'hub.db'}"
        _begin_history(url)
        return url

    def drop(self, url: str) -> None:
        """Leave it: the folder goes as a whole."""


class PostgresDatabases:
    """Databases of one server; one that is dropped is emptied and used again, which is quicker."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._prefix = f"bw_{os.getpid()}_{new_id('')[:6]}"
        self._made: list[str] = []
        self._free: list[str] = []

    def fresh(self, folder: Path) -> str:
        """The address of a new database."""
        del folder
        url = self._free.pop() if self._free else self._make()
        _begin_history(url)
        return url

    def drop(self, url: str) -> None:
        """Empty a database for the next test."""
        _empty(url)
        self._free.append(url)

    def close(self) -> None:
        """Drop whatever was made."""
        for url in self._made:
            self._server.drop(str(sa.make_url(url).database))

    def _make(self) -> str:
        url = self._server.create(f"{self._prefix}_{len(self._made)}")
        self._made.append(url)
        _migrate(url)
        return url


def _migrate(url: str) -> None:
    database = connect(url)
    schema.upgrade(database, new_id)
    database.close()


def _begin_history(url: str) -> None:
    """Give a copy an id and a timeline of its own: two hubs never share them."""
    database = connect(url)
    with database.writer.begin() as connection:
        connection.execute(
            tables.head.update().values(instance=new_id(""), timeline=new_id("tl_"))
        )
    database.close()


def _empty(url: str) -> None:
    """Delete every row but those that each history begins with; keys count on from where they are.

    Deleting few rows is quicker than truncating many tables.
    """
    database = connect(url)
    with database.writer.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table is tables.label:
                connection.execute(table.delete().where(table.c.label >= FIRST_LABEL))
            elif table is tables.head:
                connection.execute(
                    table.update().values(position=0, hash=GENESIS, totals=known_totals())
                )
            else:
                connection.execute(table.delete())
    database.close()
