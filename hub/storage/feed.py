# SPDX-License-Identifier: Apache-2.0
"""The truth as the engine follows it: changes packed by position, and the whole at one position.

A change names an indicator and a version; what is packed is that version, never the latest, so
that
every copy of the history is the same to the byte.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from hub.domain.changes import CONTROL, INDICATOR
from hub.domain.indicators import ERASED
from hub.domain.sharing import GONE
from hub.storage import tables
from hub.storage.columns import millis
from hub.storage.controls import slot_chunk, slot_key, slot_rows
from hub.storage.database import Database
from hub.storage.frames import frame_chunks, frame_rows
from matching.batches import words_of
from matching.controls import control_chunks
from matching.errors import FeedUnavailableError
from matching.ports import Change, Chunk, Head, Rows, Snapshot, Total
from matching.signals import ORDER, SIGNALS

CHUNK_ROWS = 65_536

_change, _code, _i, _v = tables.change, tables.code, tables.indicator, tables.version


def _nobody(_rows: int) -> None:
    """Nobody watches."""


class SqlFeed:
    """The hub's ``ChangeFeed``.

    Args:
        database: where the truth lies.
        told: told of rows of a snapshot, as they are read.
    """

    def __init__(self, database: Database, told: Callable[[int], None] = _nobody) -> None:
        self._database, self._told = database, told

    def head(self) -> Head:
        """Timeline and last position of the truth."""
        with _moment(self._database) as connection:
            return _head(connection)

    def after(self, position: int, limit: int) -> Sequence[Change]:
        """At most *limit* changes beyond a position, in order, without a gap."""
        with _moment(self._database) as connection:
            rows = connection.execute(
                sa.select(_change)
                .where(_change.c.position > position)
                .order_by(_change.c.position)
                .limit(limit)
            ).all()
            return _packed(connection, rows)

    def snapshot(self) -> Snapshot:
        """Every searchable row at the head, read in one moment of the history."""
        with _moment(self._database) as connection:
            head = _head(connection)
            totals = connection.scalar(sa.select(tables.head.c.totals)) or {}
            chunks = _control_chunks(connection)
            for chunk in _code_chunks(connection):
                chunks.append(chunk)
                self._told(len(chunk.tags))
        return Snapshot(head, _totals(totals), chunks)


@contextmanager
def _moment(database: Database) -> Iterator[Connection]:
    """One consistent view; PostgreSQL must be asked for it."""
    try:
        with database.reader.connect() as connection:
            if not database.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection
    except SQLAlchemyError as error:
        raise FeedUnavailableError("the database did not answer") from error


def _head(connection: Connection) -> Head:
    row = connection.execute(sa.select(tables.head.c.timeline, tables.head.c.position)).one()
    return Head(row.timeline, row.position)


def _totals(kept: dict[str, list[Any]]) -> dict[str, Total]:
    return {signal: Total(count, int(digest, 16)) for signal, (count, digest) in kept.items()}


# -- one change ----------------------------------------------------------------------------------


def _packed(connection: Connection, rows: Sequence[Row[Any]]) -> list[Change]:
    versions = _versions(connection, [row for row in rows if row.kind == INDICATOR])
    return [_pack(row, versions) for row in rows]


def _pack(row: Row[Any], versions: dict[tuple[int, int], "_Version"]) -> Change:
    base = {
        "position": row.position,
        "at_ms": millis(row.at),
        "totals": _totals(row.totals),
        "note": orjson.dumps(
            {"kind": row.kind, "subject": row.subject, "n": row.n, **row.details}
        ),
    }
    if row.kind == CONTROL:
        slot, label = row.details["slot"], row.details["label"]
        rows = slot_rows(slot) if label else None
        return Change(**base, indicator=slot_key(slot), label=label, rows=rows)
    version = versions.get((row.subject, row.n)) if row.kind == INDICATOR else None
    if version is None:
        return Change(**base, indicator=0, label=GONE, rows=None)
    return Change(
        **base,
        indicator=row.subject,
        label=version.label,
        rows=version.rows,
        resync=version.is_lost,
    )


class _Version:
    """What one version says to the engine."""

    def __init__(
        self,
        n: int,
        label: int,
        before: int,
        codes: list[Row[Any]],
        *,
        frames: tuple[Rows, ...],
        erased: bool,
    ) -> None:
        self.label = label
        mine = [c for c in codes if c.n_from <= n and (c.n_to is None or c.n_to > n)]
        # The engine forgets the rows of what is gone, so coming back brings them again.
        changed = before == GONE or any(n in (c.n_from, c.n_to) for c in codes)
        self.rows = _rows(mine) + frames if changed and label != GONE else None
        # An erased indicator's codes are gone, so this version can no longer be packed.
        self.is_lost = erased and label != GONE


def _versions(connection: Connection, rows: Sequence[Row[Any]]) -> dict[tuple[int, int], _Version]:
    subjects = sorted({row.subject for row in rows})
    if not subjects:
        return {}
    codes: dict[int, list[Row[Any]]] = {}
    states: dict[int, str] = {}
    labels: dict[tuple[int, int], int] = {}
    frames: dict[int, Rows] = {}
    for some in _slices(subjects, 5000):
        for code in connection.execute(
            sa.select(_code).where(_code.c.indicator.in_(some)).order_by(_code.c.key)
        ):
            codes.setdefault(code.indicator, []).append(code)
        for state in connection.execute(sa.select(_i.c.key, _i.c.state).where(_i.c.key.in_(some))):
            states[state.key] = state.state
        for version in connection.execute(
            sa.select(_v.c.indicator, _v.c.n, _v.c.label).where(_v.c.indicator.in_(some))
        ):
            labels[version.indicator, version.n] = version.label
        frames |= frame_rows(connection, some)
    return {
        (row.subject, row.n): _Version(
            row.n,
            labels[row.subject, row.n],
            labels.get((row.subject, row.n - 1), GONE),
            codes.get(row.subject, []),
            frames=(frames[row.subject],) if row.subject in frames else (),
            erased=states[row.subject] == ERASED,
        )
        for row in rows
    }


def _rows(codes: list[Row[Any]]) -> tuple[Rows, ...]:
    by_signal: dict[str, list[Row[Any]]] = {}
    for code in codes:
        by_signal.setdefault(code.signal, []).append(code)
    return tuple(
        Rows(
            signal,
            b"".join(code.value for code in some),
            bytes(code.derivation for code in some),
        )
        for signal, some in by_signal.items()
    )


# -- the whole -----------------------------------------------------------------------------------


def _control_chunks(connection: Connection) -> list[Chunk]:
    control = tables.control
    live = connection.scalars(
        sa.select(control.c.slot).where(control.c.live).order_by(control.c.slot)
    )
    return [*control_chunks(ORDER), *(slot_chunk(slot) for slot in live)]


def _code_chunks(connection: Connection) -> Iterator[Chunk]:
    yield from frame_chunks(connection, CHUNK_ROWS)
    for signal in SIGNALS.values():
        found = connection.execution_options(yield_per=CHUNK_ROWS).execute(
            sa.select(_code.c.indicator, _code.c.derivation, _i.c.label, _code.c.value)
            .join(_i, _i.c.key == _code.c.indicator)
            .where(_code.c.signal == signal.name, _code.c.n_to.is_(None), _i.c.label != GONE)
            .order_by(_code.c.indicator, _code.c.key)
        )
        for some in found.partitions(CHUNK_ROWS):
            owners, derivations, labels, values = zip(*some, strict=True)
            tags = np.array(derivations, np.uint32) << np.uint32(24)
            yield Chunk(
                signal.name,
                words_of(signal, b"".join(values)),
                np.array(owners, np.uint64),
                tags | np.array(labels, np.uint32),
            )


def _slices(values: Iterable[int], size: int) -> Iterator[list[int]]:
    iterator = iter(values)
    while some := list(islice(iterator, size)):
        yield some
