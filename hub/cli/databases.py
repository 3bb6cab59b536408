# SPDX-License-Identifier: Apache-2.0
"""The database as commands need it; importing this takes seconds, so they do it late."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from hub.adapters.clock import new_id
from hub.cli.exits import CommandError, Exit
from hub.settings import Settings
from hub.storage import schema, tables
from hub.storage.database import Database, connect


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Open the database for one command.

    Raises:
        CommandError: It does not answer.
    """
    database = connect(settings.database_url, writers=1, readers=1)
    try:
        yield database
    except DBAPIError as error:
        # Without the database's own words: they hold the address and its password.
        raise CommandError(
            f"The database does not answer ({type(error.orig).__name__}): "
            "check BREAKWATER_DATABASE_URL and that it runs.",
            Exit.UNAVAILABLE,
        ) from error
    finally:
        database.close()


def versions(settings: Settings) -> tuple[str | None, str | None]:
    """The schema's revision as the database has it, and as this version of the hub wants it."""
    with opened(settings) as database:
        return schema.version(database)


def upgrade(settings: Settings) -> None:
    """Bring the database to this version's schema."""
    os.umask(0o077)
    with opened(settings) as database:
        schema.upgrade(database, new_id)


def empty_log(database: Path) -> None:
    """Write SQLite's log into its database and empty it, so that what was erased is in neither.

    Raises:
        CommandError: A reader holds it for longer than we wait.
    """
    with closing(sqlite3.connect(database, isolation_level=None, timeout=5)) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise CommandError(
            "It is erased, but the database's log is in use and still holds it: run the same "
            "command again.",
            Exit.BUSY,
        )


def has_operators(settings: Settings) -> bool:
    """Whether somebody was admitted to the hub already."""
    with opened(settings) as database, database.reader.connect() as connection:
        return connection.scalar(sa.select(tables.operator.c.key).limit(1)) is not None


def pragmas(settings: Settings, names: Sequence[str]) -> list[object]:
    """What SQLite answers to these pragmas, on a connection as the hub opens it."""
    with opened(settings) as database, database.writer.connect() as connection:
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]


def shown(settings: Settings, names: Sequence[str]) -> dict[str, object]:
    """What PostgreSQL says of these settings."""
    with opened(settings) as database, database.reader.connect() as connection:
        return {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names}


def differences(settings: Settings) -> list[str]:
    """How the database's schema differs from what this version of the hub wants."""
    with opened(settings) as database:
        return [str(found) for found in schema.differences(database)]
