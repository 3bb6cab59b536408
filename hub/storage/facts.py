# SPDX-License-Identifier: Apache-2.0
"""What lookups and feeds leave behind: who had a hit on what, who was served how far; and budgets.

Never a query. These facts decide whether a later contribution is a copy; they are kept 31 days.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.domain.sharing import GONE
from hub.storage import tables
from hub.storage.columns import millis
from hub.storage.dialects import insert

DAY_MS = 86_400_000
KEPT_DAYS = 31

_h, _s, _b = tables.hit_fact, tables.served_fact, tables.budget

_COLUMNS = "operator, indicator, day, first_at, count"
_AGAIN = """ON CONFLICT (operator, indicator, day) DO UPDATE SET
    count = hit_fact.count + excluded.count,
    first_at = CASE WHEN excluded.first_at < hit_fact.first_at
                    THEN excluded.first_at ELSE hit_fact.first_at END"""
_ADD_HITS_SQLITE = f"""INSERT INTO hit_fact ({_COLUMNS})
SELECT {", ".join(f"json_extract(value, '$[{place}]')" for place in range(5))}
FROM json_each(?) WHERE true {_AGAIN}"""  # noqa: S608 - constant text, the value is bound
_ADD_HITS_POSTGRESQL = f"""INSERT INTO hit_fact ({_COLUMNS})
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::bigint[], %s::int[]) {_AGAIN}"""  # noqa: S608 - same


def day_of(moment: datetime) -> int:
    """Days since 1970, UTC."""
    return millis(moment) // DAY_MS


class SqlFacts:
    """The facts and budgets of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_hits(self, hits: Mapping[tuple[int, int], tuple[datetime, int]]) -> None:
        """Add hits by (operator, indicator): when first, and how many."""
        rows = [
            (operator, indicator, day_of(first), millis(first), count)
            for (operator, indicator), (first, count) in hits.items()
        ]
        if not rows:
            return
        if self._connection.dialect.name == "sqlite":
            # All at once: row by row it would wait for its turn among the lookups each time, and
            # every other writer with it.
            self._connection.exec_driver_sql(_ADD_HITS_SQLITE, (orjson.dumps(rows).decode(),))
        else:
            columns = tuple(map(list, zip(*rows, strict=True)))
            self._connection.exec_driver_sql(_ADD_HITS_POSTGRESQL, columns)

    def had_hit(
        self, operator: int, indicators: Iterable[int], since: datetime, until: datetime
    ) -> bool:
        """Whether the operator had a hit on one of the indicators in that time."""
        return (
            self._connection.scalar(
                sa.select(_h.c.operator)
                .where(
                    _h.c.operator == operator,
                    _h.c.indicator.in_(list(indicators)),
                    _h.c.first_at >= since,
                    _h.c.first_at <= until,
                )
                .limit(1)
            )
            is not None
        )

    def gone_hits(self, operator: int, since: datetime, until: datetime) -> list[int]:
        """What the operator had a hit on in that time and is gone by now."""
        gone = tables.indicator
        found = self._connection.scalars(
            sa.select(_h.c.indicator)
            .join(gone, gone.c.key == _h.c.indicator)
            .where(
                _h.c.operator == operator,
                _h.c.first_at >= since,
                _h.c.first_at <= until,
                gone.c.label == GONE,
            )
            .distinct()
        )
        return list(found)

    def gone_served(self, operator: int, since: datetime, until: datetime) -> list[int]:
        """What stood in sets that the operator was served in that time, and went since."""
        gone, entry, version = tables.indicator, tables.entry, tables.version
        found = self._connection.scalars(
            sa.select(gone.c.key)
            .join(entry, entry.c.indicator == gone.c.key)
            .join(_s, _s.c.set_key == entry.c.set_key)
            .join(version, sa.and_(version.c.indicator == gone.c.key, version.c.n == gone.c.n))
            .where(
                _s.c.operator == operator,
                _s.c.at >= since,
                _s.c.at <= until,
                gone.c.label == GONE,
                gone.c.operator != operator,
                version.c.at >= since,
            )
            .distinct()
        )
        return list(found)

    def serve(self, operator: int, sets: Iterable[int], position: int, at: datetime) -> None:
        """Note that everything in the sets up to the position was served to the operator."""
        for set_key in sets:
            last = self._connection.execute(
                sa.select(_s.c.at, _s.c.position)
                .where(_s.c.operator == operator, _s.c.set_key == set_key)
                .order_by(_s.c.at.desc())
                .limit(1)
            ).one_or_none()
            # An idle follower still holds what it was served: renew the fact once a day.
            if last and last.position >= position and at - last.at < timedelta(days=1):
                continue
            statement = insert(self._connection, _s).values(
                operator=operator, set_key=set_key, at=at, position=position
            )
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["operator", "set_key", "at"], set_={"position": position}
                )
            )

    def was_served(
        self, operator: int, entries: Mapping[int, int], since: datetime, until: datetime
    ) -> bool:
        """Whether the operator was served one of the entries, given as set and position."""
        return any(
            self._connection.scalar(
                sa.select(_s.c.operator)
                .where(
                    _s.c.operator == operator,
                    _s.c.set_key == set_key,
                    _s.c.position >= position,
                    _s.c.at >= since,
                    _s.c.at <= until,
                )
                .limit(1)
            )
            is not None
            for set_key, position in entries.items()
        )

    def hit_counts(self, indicator: int) -> tuple[int, int]:
        """How many hits an indicator had in the days kept, and by how many operators."""
        row = self._connection.execute(
            sa.select(
                sa.func.coalesce(sa.func.sum(_h.c.count), 0),
                sa.func.count(sa.distinct(_h.c.operator)),
            ).where(_h.c.indicator == indicator)
        ).one()
        return int(row[0]), int(row[1])

    def forget(self, now: datetime) -> None:
        """Delete facts and budgets that are too old to matter."""
        oldest = now - timedelta(days=KEPT_DAYS)
        self._connection.execute(_h.delete().where(_h.c.day < day_of(oldest)))
        self._connection.execute(_s.delete().where(_s.c.at < oldest))
        self._connection.execute(_b.delete().where(_b.c.day < day_of(oldest)))
        table = tables.idempotency
        self._connection.execute(
            table.delete().where(table.c.created_at < now - timedelta(days=7))
        )

    def spend_today(self, name: str, operator: int, day: int, amount: int) -> int:
        """Add to a budget's use of a day; returns the day's use, this included."""
        statement = insert(self._connection, _b).values(
            name=name, operator=operator, day=day, used=amount
        )
        used: Any = self._connection.scalar(
            statement.on_conflict_do_update(
                index_elements=["name", "operator", "day"], set_={"used": _b.c.used + amount}
            ).returning(_b.c.used)
        )
        return int(used)
