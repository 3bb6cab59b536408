# SPDX-License-Identifier: Apache-2.0
"""Opinions, appeals and outcomes in SQL."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from hub.domain.indicators import Opinion
from hub.domain.sharing import Party
from hub.storage import tables
from hub.storage.dialects import insert

_o, _a, _p = tables.opinion, tables.appeal, tables.party


class SqlOpinions:
    """What parties say of others' entries, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, opinion: Opinion, *, indicator: int, public_id: str, party: Party, at: datetime
    ) -> tuple[int, int]:
        """Keep an opinion, which replaces the operator's earlier one; returns key and number.

        What it said through another hub stays: which of the two counts is for whoever reads.
        """
        mine = sa.and_(
            _o.c.indicator == indicator,
            _o.c.set_key == opinion.set_key,
            _o.c.operator == party.operator,
        )
        last = self._connection.scalar(sa.select(sa.func.max(_o.c.n)).where(mine)) or 0
        hub = sa.select(_p.c.hub).where(_p.c.key == party.key).scalar_subquery()
        here = sa.select(_p.c.key).where(
            _p.c.operator == party.operator, _p.c.hub.is_not_distinct_from(hub)
        )
        self._connection.execute(
            _o.update().where(mine, _o.c.live, _o.c.party.in_(here)).values(live=False)
        )
        key = self._connection.scalar(
            _o.insert()
            .values(
                id=public_id,
                operator=party.operator,
                operator_kind=party.operator_kind,
                party=party.key,
                indicator=indicator,
                set_key=opinion.set_key,
                n=last + 1,
                stance=opinion.stance,
                reason=opinion.reason,
                basis=opinion.basis,
                assessed_by=opinion.assessed_by,
                reach=opinion.reach,
                at=at,
                live=True,
            )
            .returning(_o.c.key)
        )
        return int(key or 0), last + 1

    def of_entries(self, indicators: list[int], set_key: int) -> list[Row[Any]]:
        """The live opinions on those indicators in a set, as rows of the opinion table.

        Each with the hub through which it was said; None: here.
        """
        rows = self._connection.execute(
            sa.select(_o, _p.c.hub)
            .join(_p, _p.c.key == _o.c.party)
            .where(_o.c.indicator.in_(indicators), _o.c.set_key == set_key, _o.c.live)
            .order_by(_o.c.key)
        )
        return list(rows)

    def open_appeal(
        self, *, indicator: int, operator: int, public_id: str, ground: str, at: datetime
    ) -> None:
        """Open an appeal; while it is open the indicator is disputed everywhere."""
        self._connection.execute(
            _a.insert().values(
                id=public_id, indicator=indicator, operator=operator, ground=ground, opened_at=at
            )
        )

    def find_appeal(self, public_id: str) -> Row[Any] | None:
        """The appeal of that public id, locked against other writers."""
        return self._connection.execute(
            sa.select(_a).where(_a.c.id == public_id).with_for_update()
        ).one_or_none()

    def close_appeal(self, key: int, *, upheld: bool, at: datetime) -> None:
        """Close an appeal with what was decided."""
        self._connection.execute(
            _a.update().where(_a.c.key == key).values(closed_at=at, upheld=upheld)
        )

    def appeals(self, indicator: int) -> list[Row[Any]]:
        """The appeals on an indicator, oldest first."""
        rows = self._connection.execute(
            sa.select(_a).where(_a.c.indicator == indicator).order_by(_a.c.key)
        )
        return list(rows)

    def held(self, ground: str, before: datetime, hub: str | None, limit: int) -> list[int]:
        """Indicators under an open appeal on a ground, of before a moment, of a hub's authors."""
        i, p = tables.indicator, tables.party
        query = (
            sa.select(_a.c.indicator)
            .join(i, i.c.key == _a.c.indicator)
            .join(p, p.c.key == i.c.party)
            .where(_a.c.ground == ground, _a.c.closed_at.is_(None), _a.c.opened_at <= before)
            .where(p.c.state != "quarantined" if hub is None else p.c.hub == hub)
        )
        return list(self._connection.scalars(query.order_by(_a.c.key).limit(limit)))

    def record_outcome(self, values: dict[str, Any]) -> None:
        """Keep what became of a receipt; saying it anew replaces what was said."""
        statement = insert(self._connection, tables.outcome).values(values)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["operator", "receipt"],
                set_={name: values[name] for name in ("outcome", "reported_to", "at")},
            )
        )

    def outcome_counts(self, indicator: int) -> dict[str, int]:
        """How often each outcome was reported of an indicator."""
        table = tables.outcome
        rows = self._connection.execute(
            sa.select(table.c.outcome, sa.func.count())
            .where(table.c.indicator == indicator)
            .group_by(table.c.outcome)
        )
        return {row[0]: row[1] for row in rows}
