# SPDX-License-Identifier: Apache-2.0
"""The rows of one signal: segments, what changed in them since, and the youngest rows.

A `Table` is a value that readers may keep looking at. A `Draft` makes the next table from it; a
draft that is thrown away leaves no trace.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from matching.batches import words_of
from matching.digests import MASK, rows_digest
from matching.errors import MalformedBatchError
from matching.ports import GONE, LABEL_BITS, LABEL_MASK, Chunk, Rows, Total
from matching.search import packing
from matching.search.overlay import NOTHING, Overlay
from matching.search.packing import fixed
from matching.search.recent import Growing, Recent
from matching.search.segment import Segment
from matching.signals import INDEX, Signal


@dataclass(frozen=True, eq=False)
class Piece:
    """A segment, and what became of its rows since.

    Attributes:
        segment: the rows.
        overlay: labels that some were given since.
        total: count and digest of those that live, kept running.
    """

    segment: Segment
    overlay: Overlay
    total: Total

    @staticmethod
    def of(segment: Segment, rows: Chunk) -> "Piece":
        """A segment just made of rows, of which none is dead."""
        return Piece(segment, NOTHING, total_of(segment.signal, [rows]))

    def live(self) -> Chunk:
        """The rows that are not dead, with the labels they have now."""
        segment, tags = self.segment, self.overlay.tags(self.segment)
        chunk = Chunk(segment.signal.name, segment.codes, segment.indicators, tags)
        return living(segment.signal, chunk)


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of one signal at one position.

    Attributes:
        signal: what kind of codes.
        pieces: segments, the largest first.
        recent: the youngest rows.
        total: count and digest of the live rows, kept running.
    """

    signal: Signal
    pieces: tuple[Piece, ...]
    recent: Recent
    total: Total

    @staticmethod
    def of(signal: Signal, chunks: Sequence[Chunk]) -> "Table":
        """Make a table of few rows, without a segment; those whose label is 0 are left out.

        Raises:
            MalformedBatchError: Arrays of a chunk do not fit together.
        """
        kept = [living(signal, chunk) for chunk in chunks]
        return Table(signal, (), Recent.of(signal, kept), total_of(signal, kept))

    @property
    def rows(self) -> int:
        """How many rows a search goes through, dead ones too."""
        return self.recent.rows + sum(piece.segment.rows for piece in self.pieces)

    def young(self) -> Chunk:
        """The youngest rows that are not dead."""
        recent, rows = self.recent, self.recent.rows
        chunk = Chunk(self.signal.name, recent.codes, recent.indicators[:rows], recent.tags[:rows])
        return living(self.signal, chunk)

    def counts(self, indicators: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Count the live rows of each of some indicators: uint64, ascending, no two equal."""
        found = np.zeros(len(indicators), np.int64)
        for piece in self.pieces:
            segment, overlay = piece.segment, piece.overlay
            spans = (packing.span(segment.indicators, segment.order, one) for one in indicators)
            found += np.array([end - begin for begin, end in spans], np.int64)
            dead = overlay.rows[overlay.labels == GONE]
            found -= _of_each(indicators, segment.indicators[dead])
        recent, rows = self.recent, self.recent.rows
        live = recent.tags[:rows] & np.uint32(LABEL_MASK) != GONE
        return found + _of_each(indicators, recent.indicators[:rows][live])

    def only(self, indicators: NDArray[np.uint64]) -> "Table":
        """Make a table to search of the rows of few indicators."""
        chunks = [self._piece_only(piece, indicators) for piece in self.pieces]
        young = self.young()
        chosen = np.isin(young.indicators, indicators)
        return Table.of(self.signal, [*chunks, _chosen(young, chosen)])

    def _piece_only(self, piece: Piece, indicators: NDArray[np.uint64]) -> Chunk:
        segment = piece.segment
        rows = [row for one in np.unique(indicators) for row in segment.rows_of(int(one))]
        tags = [
            int(segment.tags[row]) & ~LABEL_MASK | piece.overlay.label(segment, row)
            for row in rows
        ]
        return Chunk(
            self.signal.name,
            segment.codes[rows],
            segment.indicators[rows],
            np.array(tags, np.uint32),
        )


def _of_each(indicators: NDArray[np.uint64], owners: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many of the owners each indicator is; indicators ascend."""
    chosen = owners[np.isin(owners, indicators)]
    return np.bincount(indicators.searchsorted(chosen), minlength=len(indicators))


@dataclass(frozen=True, eq=False)
class State:
    """The rows of all signals and the position they stand at; replaced, never changed."""

    timeline: str = ""
    position: int = 0
    tables: Mapping[str, Table] = field(default_factory=dict)


class Draft:
    """The next table of a signal, being made. One writer at a time."""

    def __init__(self, table: Table) -> None:
        self._base = table
        self._growing = Growing(table.recent)
        self._labels: list[dict[int, int]] = [{} for _ in table.pieces]
        # One for each segment, and last the one of all rows.
        self._totals = [*(piece.total for piece in table.pieces), table.total]

    @property
    def total(self) -> Total:
        """Count and digest of the live rows so far."""
        return self._totals[-1]

    def relabel(self, indicator: int, label: int) -> None:
        """Give all live rows of an indicator another label; 0 removes them for good."""
        for number in range(len(self._labels)):
            self._relabel_in(number, indicator, label)
        rows, growing = self._live_recent(indicator), self._growing
        if rows:
            codes, indicators = growing.columns[:, rows].T, growing.indicators[rows]
            self._account(codes, indicators, growing.tags[rows], -1)
            growing.relabel(rows, label)
            if label != GONE:
                self._account(codes, indicators, growing.tags[rows], 1)

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
        derivations = np.frombuffer(rows.derivations, np.uint8).astype(np.uint32)
        indicators = np.full(len(codes), indicator, np.uint64)
        tags = derivations << np.uint32(LABEL_BITS) | np.uint32(label)
        self._growing.extend(codes, indicators, tags)
        self._account(codes, indicators, tags, 1)

    def table(self) -> Table:
        """Finish: return the next table."""
        told = zip(self._base.pieces, self._labels, self._totals[:-1], strict=True)
        pieces = tuple(
            replace(piece, overlay=piece.overlay.laid_over(labels), total=total)
            if labels
            else piece
            for piece, labels, total in told
        )
        return Table(self._base.signal, pieces, self._growing.grown(), self.total)

    def _relabel_in(self, number: int, indicator: int, label: int) -> None:
        rows = self._live_in(number, indicator)
        if not rows:
            return
        segment = self._base.pieces[number].segment
        codes, indicators = segment.codes[rows], segment.indicators[rows]
        derivations = segment.tags[rows] & ~np.uint32(LABEL_MASK)
        before = np.array([self._label(number, row) for row in rows], np.uint32)
        self._account(codes, indicators, derivations | before, -1, number)
        self._labels[number].update(dict.fromkeys(rows, label))
        if label != GONE:
            self._account(codes, indicators, derivations | np.uint32(label), 1, number)

    def _live_in(self, number: int, indicator: int) -> list[int]:
        rows = self._base.pieces[number].segment.rows_of(indicator)
        return [row for row in rows if self._label(number, row) != GONE]

    def _label(self, number: int, row: int) -> int:
        piece, label = self._base.pieces[number], self._labels[number].get(row)
        return piece.overlay.label(piece.segment, row) if label is None else label

    def _live_recent(self, indicator: int) -> list[int]:
        growing = self._growing
        rows = growing.rows_of(indicator)
        return [row for row in rows if int(growing.tags[row]) & LABEL_MASK != GONE]

    def _account(
        self,
        codes: NDArray[np.uint64],
        indicators: NDArray[np.uint64],
        tags: NDArray[np.uint32],
        sign: int,
        piece: int | None = None,
    ) -> None:
        digest = rows_digest(INDEX[self._base.signal.name], indicators, tags, codes)
        for number in {-1, -1 if piece is None else piece}:
            before = self._totals[number]
            self._totals[number] = Total(
                before.count + sign * len(tags), (before.digest + sign * digest) & MASK
            )


def living(signal: Signal, chunk: Chunk) -> Chunk:
    """Leave out the dead rows of a chunk.

    Raises:
        MalformedBatchError: Its arrays do not fit together.
    """
    rows = len(chunk.tags)
    if chunk.codes.shape != (rows, signal.words) or len(chunk.indicators) != rows:
        raise MalformedBatchError(f"{signal.name}: arrays of a chunk do not fit together")
    return _chosen(chunk, (chunk.tags & np.uint32(LABEL_MASK)) != GONE)


def total_of(signal: Signal, chunks: Sequence[Chunk]) -> Total:
    """Count and digest rows; none of them is dead."""
    index, digest = np.uint64(INDEX[signal.name]), 0
    for chunk in chunks:
        arrays = (chunk.indicators, chunk.tags, chunk.codes)
        digest += int(packing.digest(index, *(fixed(np.ascontiguousarray(a)) for a in arrays)))
    return Total(sum(len(chunk.tags) for chunk in chunks), digest & MASK)


def _chosen(chunk: Chunk, rows: NDArray[np.bool_]) -> Chunk:
    if rows.all():
        return chunk
    return Chunk(chunk.signal, chunk.codes[rows], chunk.indicators[rows], chunk.tags[rows])
