# SPDX-License-Identifier: Apache-2.0
"""Pictures that must not be found, in SQL."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from hub.domain.exclusions import Exclusion
from hub.domain.indicators import Code
from hub.storage import tables

_x, _l, _p = tables.exclusion, tables.link, tables.party
_SAID = sa.select(_x, _p.c.hub).join(_p, _p.c.key == _x.c.party)


class SqlExclusions:
    """The exclusions of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # A set's are asked for with every entry that a transaction links.
        self._in_set: dict[int, list[Exclusion]] = {}

    def add(self, one: Exclusion, at: datetime) -> int:
        """Keep an exclusion; returns its internal key."""
        self._in_set.clear()
        key = self._connection.scalar(
            _x.insert()
            .values(
                id=one.id,
                operator=one.operator,
                operator_kind=one.operator_kind,
                party=one.party,
                set_key=one.set_key,
                signal=one.code.signal,
                value=one.code.value,
                radius=one.radius,
                reason=one.reason,
                at=at,
                expires=one.expires,
            )
            .returning(_x.c.key)
        )
        return int(key or 0)

    def prolong(self, key: int, expires: datetime) -> None:
        """Let an exclusion hold until another time."""
        self._in_set.clear()
        self._connection.execute(_x.update().where(_x.c.key == key).values(expires=expires))

    def end(self, keys: Collection[int]) -> list[tuple[int, int]]:
        """Forget exclusions; returns the entries, as (indicator, set), on which they voted."""
        self._in_set.clear()
        rows = self._connection.execute(
            _l.delete().where(_l.c.exclusion.in_(keys)).returning(_l.c.indicator, _l.c.set_key)
        ).all()
        self._connection.execute(_x.delete().where(_x.c.key.in_(keys)))
        return sorted({(row.indicator, row.set_key) for row in rows})

    def keyed(self, key: int) -> Exclusion | None:
        """The exclusion of that internal key."""
        found = self._read(_SAID.where(_x.c.key == key))
        return found[0] if found else None

    def own(self, public_id: str | None = None, set_key: int | None = None) -> list[Exclusion]:
        """Exclusions of this hub's members, oldest first: of that id, of that set."""
        query = _SAID.where(_p.c.member.is_not(None))
        if public_id is not None:
            query = query.where(_x.c.id == public_id)
        if set_key is not None:
            query = query.where(_x.c.set_key == set_key)
        return self._read(query)

    def of_author(self, hub: str, author: str, public_id: str) -> list[Exclusion]:
        """What an author of another hub calls so, a row for each set."""
        return self._read(
            _SAID.where(_x.c.id == public_id, _p.c.hub == hub, _p.c.author == author)
        )

    def in_set(self, set_key: int) -> list[Exclusion]:
        """All that hold in a set."""
        if set_key not in self._in_set:
            self._in_set[set_key] = self._read(_SAID.where(_x.c.set_key == set_key))
        return self._in_set[set_key]

    def count(self, operator: int, set_key: int) -> int:
        """How many an operator has in a set."""
        mine = sa.and_(_x.c.set_key == set_key, _x.c.operator == operator)
        return int(
            self._connection.scalar(sa.select(sa.func.count()).select_from(_x).where(mine)) or 0
        )

    def due(self, now: datetime, limit: int) -> list[int]:
        """Internal keys of exclusions whose time is over."""
        return list(
            self._connection.scalars(
                sa.select(_x.c.key).where(_x.c.expires <= now).order_by(_x.c.key).limit(limit)
            )
        )

    def _read(self, query: sa.Select[Any]) -> list[Exclusion]:
        return [_exclusion(row) for row in self._connection.execute(query.order_by(_x.c.key))]


def _exclusion(row: Row[Any]) -> Exclusion:
    return Exclusion(
        id=row.id,
        operator=row.operator,
        operator_kind=row.operator_kind,
        party=row.party,
        set_key=row.set_key,
        code=Code(row.signal, row.value),
        radius=row.radius,
        reason=row.reason,
        expires=row.expires,
        key=row.key,
        hub=row.hub,
    )
