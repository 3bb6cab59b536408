# SPDX-License-Identifier: Apache-2.0
"""Operations that are passed on, and what proves them, in SQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from federation.operations.envelopes import Sealed
from hub.ports.relays import Due, Place, Proven
from hub.storage import tables
from hub.storage.dialects import insert
from hub.storage.sending import slices

_i, _n, _o, _leaf = tables.inclusion, tables.origin_note, tables.operation, tables.log_leaf
_log = tables.hub_log


class SqlRelays:
    """What one transaction passes on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def prove(self, proven: Sequence[Proven], notes: Mapping[Place, bytes]) -> None:
        """Keep what proves operations, of which none was proven before; they become due."""
        if not proven:
            return
        self._connection.execute(
            insert(self._connection, _i).on_conflict_do_nothing(),
            [
                {
                    "operation": one.operation,
                    "source": one.source,
                    "log": one.log,
                    "at_index": one.inclusion.index,
                    "size": one.inclusion.size,
                    "path": b"".join(one.inclusion.path),
                    "is_revoke": one.is_revoke,
                    "due": one.created,
                }
                for one in proven
            ],
        )
        self._connection.execute(
            insert(self._connection, _n).on_conflict_do_nothing(),
            [{"log": log, "size": size, "note": note} for (log, size), note in notes.items()],
        )

    def due(self, limit: int, now: int) -> list[Due]:
        """Those that are due: first what takes back, then in the order in which they came."""
        rows = self._connection.execute(
            sa.select(_i, _o.c.id, _o.c.payload, _o.c.key_id, _o.c.signature, _o.c.keep)
            .join(_o, _o.c.key == _i.c.operation)
            .where(_i.c.due <= now, _o.c.payload.is_not(None))
            .order_by(_i.c.is_revoke.desc(), _i.c.operation)
            .limit(limit)
        )
        return [
            Due(
                row.operation, row.source, row.id,
                Sealed(row.payload, row.key_id, row.signature), row.keep, row.is_revoke,
            )
            for row in rows
        ]  # fmt: skip

    def settle(self, operations: Collection[int]) -> None:
        """Note that they were looked at."""
        for some in slices(sorted(operations)):
            self._connection.execute(_i.update().where(_i.c.operation.in_(some)).values(due=None))

    def again(self) -> None:
        """Let all be due that were not passed on in the log of now."""
        now = sa.select(sa.func.max(_log.c.key)).scalar_subquery()
        logged = sa.exists().where(_leaf.c.operation == _i.c.operation, _leaf.c.log == now)
        self._connection.execute(_i.update().where(_i.c.due.is_(None), ~logged).values(due=0))

    def notes(self, places: Iterable[Place]) -> dict[Place, bytes]:
        """Checkpoints of other hubs."""
        found: dict[Place, bytes] = {}
        by_log: dict[str, set[int]] = {}
        for log, size in places:
            by_log.setdefault(log, set()).add(size)
        for log, sizes in by_log.items():
            for some in slices(sorted(sizes)):
                rows = self._connection.execute(
                    sa.select(_n).where(_n.c.log == log, _n.c.size.in_(some))
                )
                found |= {(row.log, row.size): row.note for row in rows}
        return found

    def sweep(self, now: int) -> None:
        """Forget what proved operations that are gone, and empty what is past its time."""
        is_passed_on = sa.exists().where(_leaf.c.operation == _o.c.key)
        self._connection.execute(
            _o.update()
            .where(
                _o.c.partner.is_not(None), _o.c.keep <= now, _o.c.payload.is_not(None),
                is_passed_on,
            )
            .values(payload=None)
        )  # fmt: skip
        is_there = sa.exists().where(_o.c.key == _i.c.operation, _o.c.payload.is_not(None))
        self._connection.execute(_i.delete().where(~is_there))
        is_needed = sa.exists().where(_i.c.log == _n.c.log, _i.c.size == _n.c.size)
        self._connection.execute(_n.delete().where(~is_needed))
