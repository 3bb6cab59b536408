# SPDX-License-Identifier: Apache-2.0
"""The rows of one signal, as growable columns that readers may keep looking at.

A `Table` is a value: its arrays belong to it up to its count of rows. A `Draft` makes the next
table from it. Rows are appended in place, beyond what any reader of an older table looks at;
labels are changed in a copy, made once a draft; a draft that is thrown away leaves no trace.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matching.batches import words_of
from matching.digests import MASK, rows_digest
from matching.errors import MalformedBatchError
from matching.ports import GONE, LABEL_BITS, LABEL_MASK, Chunk, Rows, Total
from matching.signals import INDEX, Signal

SLACK = 1024  # rows of room beyond a quarter, whenever columns are made anew
DEAD_SHARE = 0.25  # of the rows; beyond it the table is compacted
RECENT = 65_536  # indicators looked up by dict before they are sorted in


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of one signal at one position.

    Attributes:
        signal: what kind of codes.
        columns: uint64 ``(words, capacity)``.
        indicators: uint64 ``(capacity,)``.
        tags: uint32 ``(capacity,)``, derivation << 24 | label; label 0 is a dead row.
        rows: how many of them are rows.
        total: count and digest of the live ones, kept running.
        places: where each indicator's rows are; only writers look.
    """

    signal: Signal
    columns: NDArray[np.uint64]
    indicators: NDArray[np.uint64]
    tags: NDArray[np.uint32]
    rows: int
    total: Total
    places: "Places"

    @staticmethod
    def of(signal: Signal, chunks: Sequence[Chunk]) -> "Table":
        """Make a table of all rows of the chunks whose label is not 0, in their order.

        Raises:
            MalformedBatchError: Arrays of a chunk do not fit together.
        """
        kept = [_live(signal, chunk) for chunk in chunks]
        rows = sum(len(chunk.tags) for chunk in kept)
        table = _blank(signal, rows + rows // 4 + SLACK)
        begin, digest = 0, 0
        for chunk in kept:
            end = begin + len(chunk.tags)
            table.columns[:, begin:end] = chunk.codes.T
            table.indicators[begin:end] = chunk.indicators
            table.tags[begin:end] = chunk.tags
            digest += rows_digest(INDEX[signal.name], chunk.indicators, chunk.tags, chunk.codes)
            begin = end
        return _table(table, rows, Total(rows, digest & MASK))

    @property
    def codes(self) -> NDArray[np.uint64]:
        """All codes, dead ones too: uint64 ``(rows, words)``, a view."""
        return self.columns[:, : self.rows].T

    def only(self, indicators: NDArray[np.uint64]) -> "Table":
        """Make a table to search of the rows of some indicators."""
        chosen = np.isin(self.indicators[: self.rows], indicators)
        codes, tags = self.codes[chosen], self.tags[: self.rows][chosen]
        chunk = Chunk(self.signal.name, codes, self.indicators[: self.rows][chosen], tags)
        return Table.of(self.signal, [chunk])


@dataclass(frozen=True, eq=False)
class State:
    """The rows of all signals and the position they stand at; replaced, never changed."""

    timeline: str = ""
    position: int = 0
    tables: Mapping[str, Table] = field(default_factory=dict)


@dataclass(eq=False)
class Places:
    """Where each indicator's rows are: sorted once, and a dict of what came since."""

    order: NDArray[np.int64]
    indicators: NDArray[np.uint64]
    recent: dict[int, list[int]] = field(default_factory=dict)

    @staticmethod
    def of(indicators: NDArray[np.uint64]) -> "Places":
        """Sort rows by their indicator."""
        order = np.argsort(indicators, kind="stable")
        return Places(order, indicators[order])

    def rows_of(self, indicator: int) -> list[int]:
        """Return the rows an indicator ever had here, dead ones too."""
        key = np.uint64(indicator)
        begin, end = self.indicators.searchsorted(key), self.indicators.searchsorted(key, "right")
        return [*self.order[begin:end].tolist(), *self.recent.get(indicator, ())]


class Draft:
    """The next table of a signal, being made. One writer at a time."""

    def __init__(self, table: Table) -> None:
        self._base = table
        self._columns, self._indicators = table.columns, table.indicators
        self._tags = table.tags
        self._tags_are_ours = False
        self._rows, self._count, self._digest = table.rows, table.total.count, table.total.digest
        self._added: dict[int, list[int]] = {}

    @property
    def total(self) -> Total:
        """Count and digest of the live rows so far."""
        return Total(self._count, self._digest & MASK)

    def relabel(self, indicator: int, label: int) -> None:
        """Give all live rows of an indicator another label; 0 removes them for good."""
        rows = self._live_rows(indicator)
        if not rows:
            return
        self._own_tags()
        self._account(rows, -1)
        self._tags[rows] = (self._tags[rows] & ~np.uint32(LABEL_MASK)) | np.uint32(label)
        if label != GONE:
            self._account(rows, 1)

    def append(self, indicator: int, label: int, rows: Rows) -> None:
        """Add rows of an indicator.

        Raises:
            MalformedBatchError: Codes and derivations are not of one length.
        """
        codes = words_of(self._base.signal, rows.codes)
        if len(codes) != len(rows.derivations):
            raise MalformedBatchError(f"{rows.signal}: one derivation a code")
        if label == GONE or not len(codes):
            return
        begin, end = self._rows, self._rows + len(codes)
        self._make_room(end)
        derivations = np.frombuffer(rows.derivations, np.uint8).astype(np.uint32)
        self._columns[:, begin:end] = codes.T
        self._indicators[begin:end] = indicator
        self._tags[begin:end] = derivations << np.uint32(LABEL_BITS) | np.uint32(label)
        self._rows = end
        added = list(range(begin, end))
        self._added.setdefault(indicator, []).extend(added)
        self._account(added, 1)

    def table(self) -> Table:
        """Finish: return the next table, compacted where too many rows are dead."""
        dead = self._rows - self._count
        if dead > SLACK and dead > self._rows * DEAD_SHARE:
            return self._compacted()
        places = self._base.places
        for indicator, rows in self._added.items():
            places.recent.setdefault(indicator, []).extend(rows)
        if len(places.recent) > max(RECENT, len(places.order) // 4):
            places = Places.of(self._indicators[: self._rows])
        return Table(
            self._base.signal,
            self._columns,
            self._indicators,
            self._tags,
            self._rows,
            self.total,
            places,
        )

    def _compacted(self) -> Table:
        live = (self._tags[: self._rows] & np.uint32(LABEL_MASK)) != GONE
        table = _blank(self._base.signal, self._count + self._count // 4 + SLACK)
        table.columns[:, : self._count] = self._columns[:, : self._rows][:, live]
        table.indicators[: self._count] = self._indicators[: self._rows][live]
        table.tags[: self._count] = self._tags[: self._rows][live]
        return _table(table, self._count, self.total)

    def _live_rows(self, indicator: int) -> list[int]:
        known = self._base.places.rows_of(indicator) + self._added.get(indicator, [])
        return [row for row in known if int(self._tags[row]) & LABEL_MASK != GONE]

    def _account(self, rows: list[int], sign: int) -> None:
        signal = self._base.signal
        codes = self._columns[:, rows].T
        digest = rows_digest(INDEX[signal.name], self._indicators[rows], self._tags[rows], codes)
        self._digest += sign * digest
        self._count += sign * len(rows)

    def _own_tags(self) -> None:
        if not self._tags_are_ours:
            self._tags = self._tags.copy()
            self._tags_are_ours = True

    def _make_room(self, rows: int) -> None:
        if rows <= len(self._tags):
            return
        room = _blank(self._base.signal, rows + rows // 4 + SLACK)
        room.columns[:, : self._rows] = self._columns[:, : self._rows]
        room.indicators[: self._rows] = self._indicators[: self._rows]
        room.tags[: self._rows] = self._tags[: self._rows]
        self._columns, self._indicators, self._tags = room.columns, room.indicators, room.tags
        self._tags_are_ours = True


@dataclass(frozen=True, eq=False)
class _Columns:
    signal: Signal
    columns: NDArray[np.uint64]
    indicators: NDArray[np.uint64]
    tags: NDArray[np.uint32]


def _blank(signal: Signal, capacity: int) -> _Columns:
    return _Columns(
        signal,
        np.empty((signal.words, capacity), np.uint64),
        np.empty(capacity, np.uint64),
        np.zeros(capacity, np.uint32),
    )


def _table(made: _Columns, rows: int, total: Total) -> Table:
    places = Places.of(made.indicators[:rows])
    return Table(made.signal, made.columns, made.indicators, made.tags, rows, total, places)


def _live(signal: Signal, chunk: Chunk) -> Chunk:
    rows = len(chunk.tags)
    if chunk.codes.shape != (rows, signal.words) or len(chunk.indicators) != rows:
        raise MalformedBatchError(f"{signal.name}: arrays of a chunk do not fit together")
    live = (chunk.tags & np.uint32(LABEL_MASK)) != GONE
    if live.all():
        return chunk
    return Chunk(signal.name, chunk.codes[live], chunk.indicators[live], chunk.tags[live])
