# SPDX-License-Identifier: Apache-2.0
"""Bring a database to this version's schema, and lay the rows that every history begins with."""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from hub.domain.changes import GENESIS
from hub.storage import tables
from hub.storage.columns import dumped
from hub.storage.controls import known_totals
from hub.storage.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database, new_id: Callable[[str], str]) -> None:
    """Migrate to the newest schema; a fresh database gets its instance id and first timeline."""
    with database.writer.connect() as connection, connection.begin():
        made = config()
        made.attributes["connection"] = connection
        command.upgrade(made, "head")
        if connection.scalar(sa.select(tables.head.c.id)) is None:
            _lay(connection, new_id)


def version(database: Database) -> tuple[str | None, str | None]:
    """The schema's revision as the database has it, and as this version of the hub wants it."""
    with database.reader.connect() as connection, connection.begin():
        have = MigrationContext.configure(connection).get_current_revision()
    return have, ScriptDirectory.from_config(config()).get_current_head()


def differences(database: Database) -> list[object]:
    """How the database's schema differs from the tables as the code has them."""
    with database.reader.connect() as connection, connection.begin():
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, tables.metadata))


def config() -> Config:
    """Where the migrations are; a connection is to be put into its attributes."""
    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS))
    made.set_main_option("path_separator", "os")
    return made


def _lay(connection: Connection, new_id: Callable[[str], str]) -> None:
    connection.execute(
        tables.head.insert().values(
            id=1,
            instance=new_id(""),
            timeline=new_id("tl_"),
            position=0,
            hash=GENESIS,
            totals=known_totals(),
        )
    )
    # Label 1 is the controls'; it is laid here so that combinations count from 2.
    connection.exec_driver_sql(
        f"INSERT INTO label (label, sets) VALUES (1, '{dumped('controls')}')"  # noqa: S608 - constant
    )
