# SPDX-License-Identifier: Apache-2.0
"""Which statements are executed, and how a database would carry them out in large tables."""

from contextlib import contextmanager

import sqlalchemy as sa


@contextmanager
def executed(engine):
    """Those that are executed meanwhile, with their parameters."""
    made = []

    def told(_connection, _cursor, statement, parameters, _context, executemany):
        if not executemany:
            made.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", told)
    yield made
    sa.event.remove(engine, "before_cursor_execute", told)


def plan_of(made, engine):
    """How a database would carry out statements if its tables were large."""
    is_sqlite = engine.dialect.name == "sqlite"
    lines = []
    with engine.connect() as connection:
        if not is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in made:
            if statement.split(maxsplit=1)[0] not in {"SELECT", "UPDATE", "DELETE"}:
                continue
            explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
            rows = connection.exec_driver_sql(explain + statement, parameters)
            lines += [str(row[-1]) for row in rows]
    return "\n".join(lines)
