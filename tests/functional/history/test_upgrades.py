# SPDX-License-Identifier: Apache-2.0
"""A database of an older version is brought up to this one, and its totals stay true."""

import sqlalchemy as sa
from alembic import command

from hub.adapters.clock import new_id
from hub.storage import schema, tables
from hub.storage.controls import known_totals
from hub.storage.database import connect


def migrated(database, revision, move):
    with database.writer.connect() as connection, connection.begin():
        made = schema.config()
        made.attributes["connection"] = connection
        move(made, revision)


def test_a_database_without_frames_gets_them_and_counts_their_controls(database_url):
    database = connect(database_url)
    migrated(database, "0001", command.downgrade)
    with database.reader.connect() as connection:
        before = connection.scalar(sa.select(tables.head.c.totals)) or {}

    schema.upgrade(database, new_id)

    with database.reader.connect() as connection:
        after = connection.scalar(sa.select(tables.head.c.totals))
    assert before
    assert "vpdq" not in before
    assert after == known_totals()
    assert schema.differences(database) == []
    database.close()
