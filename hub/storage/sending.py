# SPDX-License-Identifier: Apache-2.0
"""Statements sent together, so that a transaction waits for the network a few times, not a dozen.

On PostgreSQL this is the driver's pipeline mode; SQLite has no network, and does each statement as
it comes. SQLAlchemy knows no pipelines: inside one it may run what returns no rows, and what
returns one is asked of the driver itself, by ``ask``, and read when the block is over.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

Row = Sequence[Any]
T = TypeVar("T")


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Send the statements of a block without waiting for each; at its end all have been done.

    An error of any of them is raised inside the block or at its end, as SQLAlchemy would raise it.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    errors = connection.dialect.loaded_dbapi.Error
    try:
        with driver.pipeline():
            yield
    except BaseException as error:
        # It failed somewhere amid the statements, and SQLAlchemy may not know: a connection in
        # this state must not go back to the pool.
        connection.invalidate()
        if isinstance(error, errors):
            raise DBAPIError.instance(None, None, error, errors) from error
        raise


def ask(connection: Connection, statement: str, values: Row) -> Callable[[], Row | None]:
    """Ask the driver for at most one row; what is returned reads it, once the block is over.

    Args:
        connection: of a transaction.
        statement: ``?`` stands for a value.
        values: as the driver takes them.
    """
    if connection.dialect.name == "sqlite":
        row = connection.exec_driver_sql(statement, tuple(values)).fetchone()
        return lambda: row
    driver: Any = connection.connection.driver_connection
    asked = driver.execute(statement.replace("?", "%s"), values, prepare=True)
    read: Callable[[], Row | None] = asked.fetchone
    return read


def write(connection: Connection, statement: sa.Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns; one alone goes the short way."""
    if len(rows) > 1 and connection.dialect.name == "sqlite":
        text, columns = _compiled(statement, tuple(rows[0]), connection.dialect)
        connection.exec_driver_sql(
            text,
            [
                tuple(row[name] if read is None else read(row[name]) for name, read in columns)
                for row in rows
            ],
        )
    elif rows:
        connection.execute(statement, rows[0] if len(rows) == 1 else rows)


@lru_cache(maxsize=256)
def _compiled(
    statement: sa.Insert, names: tuple[str, ...], dialect: sa.Dialect
) -> tuple[str, list[tuple[str, Any]]]:
    """A statement for SQLite, and what turns each of its values into one of the driver's.

    SQLAlchemy would look all of that up again for each row: with a thousand of them, that is most
    of what it takes to insert them.
    """
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    types = {bind.key: bind.type for bind in compiled.binds.values()}
    columns = [
        (name, types[name].dialect_impl(dialect).bind_processor(dialect))
        for name in compiled.positiontup or ()
    ]
    return str(compiled), columns


def slices(values: list[T], size: int = 5000) -> Iterable[list[T]]:
    """Cut values into as many as a statement takes: on SQLite 32,766."""
    return (values[start : start + size] for start in range(0, len(values), size))
