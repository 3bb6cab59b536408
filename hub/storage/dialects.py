# SPDX-License-Identifier: Apache-2.0
"""The few statements that SQLAlchemy spells by dialect."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection


def insert(connection: Connection, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, of the connection's own dialect."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def built(build: Callable[[Any], Any]) -> Callable[[Connection], Any]:
    """Make a statement once for each dialect; *build* is given its INSERT.

    To build a statement costs many times what it costs to run one that stands already.
    """
    made = {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}
    return lambda connection: made[connection.dialect.name]
