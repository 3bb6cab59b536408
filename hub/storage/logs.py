# SPDX-License-Identifier: Apache-2.0
"""The hub's own log in SQL: its entries, the tiles over them, the checkpoint that may be shown."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from federation.log.merkle import Frontier, split
from federation.log.tiles import HEIGHT, WIDTH
from federation.operations.envelopes import Sealed
from federation.operations.leaves import Kind
from federation.pages import Inclusion
from federation.publishing import Growth
from hub.ports.exchange import Leaf, OwnLog
from hub.storage import tables
from hub.storage.dialects import insert

_log, _leaf, _tile, _o = tables.hub_log, tables.log_leaf, tables.log_tile, tables.operation
_i = tables.inclusion
_LEAF = (
    sa.select(
        _leaf, _o.c.id, _o.c.payload, _o.c.key_id, _o.c.signature, _o.c.keep,
        _i.c.log.label("origin_log"), _i.c.at_index.label("origin_index"), _i.c.size, _i.c.path,
    )
    .join(_o, _o.c.key == _leaf.c.operation)
    .outerjoin(_i, _i.c.operation == _leaf.c.operation)
)  # fmt: skip


class SqlLogs:
    """The logs of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, origin: str, *, lock: bool = False) -> OwnLog:
        """The log of that name; not kept before its first entry is."""
        statement = sa.select(_log).where(_log.c.origin == origin)
        if lock:
            statement = statement.with_for_update()
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            return OwnLog(0, origin, Frontier(), None, 0)
        return OwnLog(row.key, row.origin, Frontier.parse(row.frontier), row.note, row.noted)

    def edge(self, log: OwnLog) -> dict[int, bytes]:
        """The bytes of its last tile of each level, where that is not full."""
        places = []
        for level in range(HEIGHT):
            hashes = log.size >> HEIGHT * level
            if hashes % WIDTH:
                places.append((level, hashes // WIDTH))
        found = self.tiles(log, places)
        return {level: data or b"" for (level, _), data in zip(places, found, strict=True)}

    def append(
        self, log: OwnLog, operations: Sequence[int], leaves: Sequence[Leaf], growth: Growth
    ) -> bool:
        """Add entries; False: it is not of the size it was, and nothing was added."""
        key = self._advance(log, growth.frontier)
        if key is None:
            return False
        rows = [
            {
                "log": key,
                "at_index": leaf.index,
                "kind": leaf.kind.value,
                "source": leaf.source,
                "operation": operation,
                "is_revoke": leaf.is_revoke,
            }
            for operation, leaf in zip(operations, leaves, strict=True)
        ]
        self._connection.execute(_leaf.insert(), rows)
        statement = insert(self._connection, _tile)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["log", "level", "tile"], set_={"data": statement.excluded.data}
            ),
            [
                {"log": key, "level": level, "tile": index, "data": data}
                for (level, index), data in growth.tiles.items()
            ],
        )
        return True

    def show(self, log: OwnLog, note: bytes, size: int) -> None:
        """Let a checkpoint out, if none of a larger size is out already."""
        if not log.key:
            # Also an empty log says what it is, and that its hub is alive.
            empty = {"origin": log.origin, "size": 0, "frontier": log.frontier.encoded()}
            statement = insert(self._connection, _log).values(noted=0, **empty)
            self._connection.execute(statement.on_conflict_do_nothing())
        self._connection.execute(
            _log.update()
            .where(_log.c.origin == log.origin, _log.c.noted <= size, _log.c.size >= size)
            .values(note=note, noted=size)
        )

    def entries(self, log: OwnLog, start: int, end: int) -> list[Leaf]:
        """Entries of a run, in order."""
        rows = self._connection.execute(
            _LEAF.where(
                _leaf.c.log == log.key, _leaf.c.at_index >= start, _leaf.c.at_index < end
            ).order_by(_leaf.c.at_index)
        )
        return [_entry(row) for row in rows]

    def revokes(self, log: OwnLog, start: int, limit: int) -> list[Leaf]:
        """Entries from somewhere on that take something back, in order."""
        rows = self._connection.execute(
            _LEAF.where(_leaf.c.log == log.key, _leaf.c.is_revoke, _leaf.c.at_index >= start)
            .order_by(_leaf.c.at_index)
            .limit(limit)
        )
        return [_entry(row) for row in rows]

    def tiles(self, log: OwnLog, places: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """The bytes of tiles of hashes, as long as they are by now; None: there is none."""
        if not places:
            return []
        rows = self._connection.execute(
            sa.select(_tile).where(
                sa.or_(
                    # Each names its log: by a log named once SQLite reads all that it has.
                    *(
                        sa.and_(
                            _tile.c.log == log.key, _tile.c.level == level, _tile.c.tile == index
                        )
                        for level, index in places
                    )
                )
            )
        )
        found = {(row.level, row.tile): row.data for row in rows}
        return [found.get(place) for place in places]

    def _advance(self, log: OwnLog, frontier: Frontier) -> int | None:
        """Move the log on, if it is where it was; its internal key, or None."""
        values = {"size": frontier.size, "frontier": frontier.encoded()}
        if not log.key:
            statement = insert(self._connection, _log).values(origin=log.origin, noted=0, **values)
            key = self._connection.scalar(statement.on_conflict_do_nothing().returning(_log.c.key))
            return None if key is None else int(key)
        moved = self._connection.execute(
            _log.update().where(_log.c.key == log.key, _log.c.size == log.size).values(values)
        )
        return log.key if moved.rowcount == 1 else None


def _entry(row: Row[Any]) -> Leaf:
    sealed = None if row.payload is None else Sealed(row.payload, row.key_id, row.signature)
    return Leaf(
        index=row.at_index,
        kind=Kind(row.kind),
        source=row.source,
        id=row.id,
        sealed=sealed,
        keep=row.keep,
        is_revoke=row.is_revoke,
        inclusion=None if row.path is None else _inclusion(row),
        log=row.origin_log or "",
    )


def _inclusion(row: Row[Any]) -> Inclusion:
    return Inclusion(row.origin_index, row.size, tuple(split(row.path)))
