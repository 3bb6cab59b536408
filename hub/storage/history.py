# SPDX-License-Identifier: Apache-2.0
"""The head, the changes, job cursors and control slots in SQL."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from hub.domain.changes import INDICATOR
from hub.domain.sharing import CONTROL
from hub.storage import tables
from hub.storage.dialects import insert
from matching.ports import Head

_head, _change, _cursor, _control = tables.head, tables.change, tables.cursor, tables.control
_version = tables.version


class SqlHistory:
    """The one ordered history, as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def head(self) -> Head:
        """Timeline and last position."""
        row = self._connection.execute(sa.select(_head.c.timeline, _head.c.position)).one()
        return Head(row.timeline, row.position)

    def instance(self) -> str:
        """The random id of this hub, for the names of its keys in Redis."""
        return str(self._connection.scalar(sa.select(_head.c.instance)))

    def totals(self) -> dict[str, list[Any]]:
        """Running count and digest by signal."""
        return dict(self._connection.scalar(sa.select(_head.c.totals)) or {})

    def after(self, position: int, limit: int) -> Sequence[Row[Any]]:
        """Changes beyond a position, in order."""
        return self._connection.execute(
            sa.select(_change)
            .where(_change.c.position > position)
            .order_by(_change.c.position)
            .limit(limit)
        ).all()

    def entered(self, indicator: int) -> dict[int, int]:
        """Each set that an indicator is or was in, with the position at which it came there."""
        rows = self._connection.execute(
            sa.select(_change.c.position, _version.c.sets)
            .join(
                _version,
                sa.and_(_version.c.indicator == _change.c.subject, _version.c.n == _change.c.n),
            )
            .where(_change.c.subject == indicator, _change.c.kind == INDICATOR)
            .order_by(_change.c.position)
        )
        found: dict[int, int] = {}
        for row in rows:
            for set_key in row.sets:
                found.setdefault(set_key, row.position)
        return found

    def change_at(self, position: int) -> int | None:
        """The last position at or before *position*, or None before the first."""
        found: int | None = self._connection.scalar(
            sa.select(sa.func.max(_change.c.position)).where(_change.c.position <= position)
        )
        return found

    def start_timeline(self, timeline: str) -> None:
        """Begin a new history: what was read before a restore must not be mixed with this."""
        self._connection.execute(_head.update().values(timeline=timeline))

    # -- cursors of jobs ----------------------------------------------------------------------

    def cursor(self, name: str) -> int:
        """How far a job has come."""
        return (
            self._connection.scalar(sa.select(_cursor.c.position).where(_cursor.c.name == name))
            or 0
        )

    def advance(self, name: str, *, expected: int, position: int) -> bool:
        """Move a job's cursor, if nobody else did; False means that somebody did."""
        if expected == 0:
            self._connection.execute(
                insert(self._connection, _cursor)
                .values(name=name, position=0)
                .on_conflict_do_nothing()
            )
        moved = self._connection.execute(
            _cursor.update()
            .where(_cursor.c.name == name, _cursor.c.position == expected)
            .values(position=position)
        )
        return moved.rowcount == 1

    # -- controls -----------------------------------------------------------------------------

    def toggle(self, slot: int) -> int:
        """Turn a control slot on or off; returns its new label."""
        live = self._connection.scalar(
            sa.select(_control.c.live).where(_control.c.slot == slot).with_for_update()
        )
        statement = insert(self._connection, _control).values(slot=slot, live=not live)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["slot"], set_={"live": not live})
        )
        return 0 if live else CONTROL

    def live_slots(self) -> list[int]:
        """The control slots that are on."""
        return list(self._connection.scalars(sa.select(_control.c.slot).where(_control.c.live)))
