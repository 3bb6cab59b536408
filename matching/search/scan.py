# SPDX-License-Identifier: Apache-2.0
"""One signal's codes against one signal's rows: which kernel, and its buffers emptied in turn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.batches import Part
from matching.ports import LABEL_BITS
from matching.search import kernels, probes
from matching.search.recent import Recent
from matching.search.selection import Found, Limits
from matching.search.table import Piece, Table
from matching.signals import INDEX

# A few codes are compared one by one, which vectorises; many are looked up in a hash table.
FEW = 8
ROOM = 4 * kernels.ROOM  # rows of a buffer
Array: TypeAlias = NDArray[Any]
# With a segment, queries are gone through one after another; the sooner a portion of one is seen,
# the sooner it is known what of it is still wanted.
SEGMENT_ROOM = 2 * probes.MOST
_Out = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]


@dataclass(frozen=True, eq=False)
class Portion:
    """Rows within the radius, allowed and wanted; arrays of equal length.

    Attributes:
        queries: uint32, which of the codes asked.
        rows: uint64, number of the row within the table, unique within one state.
        distances: uint16, bits.
        indicators: uint64.
        tags: uint32, derivation << 24 | label.
    """

    queries: NDArray[np.uint32]
    rows: NDArray[np.uint64]
    distances: NDArray[np.uint16]
    indicators: NDArray[np.uint64]
    tags: NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Scan:
    """A part of a request against a table.

    Attributes:
        table: rows held.
        part: codes asked.
        radius: bits.
        allowed: bool over labels; label 0 must be False.
        limits: of each item; while the scan goes on they may be tightened.
    """

    table: Table
    part: Part
    radius: int
    allowed: NDArray[np.bool_]
    limits: Limits

    def found(self) -> Iterator[Found]:
        """Yield everything within the radius that is allowed and wanted, in portions."""
        for portion in self.portions():
            yield Found.of(
                item=self.part.items[portion.queries],
                indicator=portion.indicators,
                signal=INDEX[self.part.signal.name],
                distance=portion.distances,
                asked=self.part.derivations[portion.queries],
                stored=(portion.tags >> np.uint32(LABEL_BITS)).astype(np.uint8),
            )

    def portions(self) -> Iterator[Portion]:
        """Yield the rows themselves, in portions that are never empty."""
        if not len(self.part.codes):
            return
        part = self.part
        asked = _plain(part.codes), _plain(part.items), _plain(part.derivations)
        told = (asked, (self.allowed, self.limits.ranks, self.limits.indicators))
        begin = 0
        for piece in self.table.pieces:
            yield from self._of_segment(piece, told, begin)
            begin += piece.segment.rows
        if self.table.recent.rows:
            yield from self._of_recent(self.table.recent, told, begin)

    def _of_segment(self, piece: Piece, told: tuple[Any, ...], begin: int) -> Iterator[Portion]:
        segment, overlay = piece.segment, piece.overlay
        held = (segment.codes, segment.indicators, segment.tags, overlay.rows, overlay.labels)
        index, reach = (segment.entries, segment.cut, segment.aside), segment.reach(self.radius)
        out, place = _buffers(SEGMENT_ROOM), (0, 0, 0)
        while place[0] < len(self.part.codes):
            count, *at = probes.near((held, *told), index, reach, place, out)
            place = (at[0], at[1], at[2])
            if count:
                queries, rows, distances = _filled(out, count)
                tags = segment.tags[rows]
                yield Portion(
                    queries, rows + np.uint64(begin), distances, segment.indicators[rows], tags
                )

    def _of_recent(self, recent: Recent, told: tuple[Any, ...], begin: int) -> Iterator[Portion]:
        held = (recent.columns, recent.rows, recent.indicators, recent.tags)
        equal = self.radius == 0 and len(self.part.codes) > FEW
        of = self._equal if equal else self._near
        for queries, rows, distances in of((held, *told), recent.rows):
            if len(queries):
                yield Portion(
                    queries,
                    rows + np.uint64(begin),
                    distances,
                    recent.indicators[rows],
                    recent.tags[rows],
                )

    def _near(self, search: object, rows: int) -> Iterator[_Out]:
        # One word says enough where codes are that short, or must be equal to the bit.
        short = self.radius == 0 or self.part.signal.words == 1
        kernel = kernels.near_by_one if short else kernels.near_by_two
        out, row, query = _buffers(ROOM), 0, 0
        while row < rows:
            found, row, query = kernel(search, self.radius, (row, query), out)
            yield _filled(out, found)

    def _equal(self, search: object, rows: int) -> Iterator[_Out]:
        asked = self.part.codes
        heads = np.empty(1 << (2 * len(asked) - 1).bit_length(), np.int32)
        table = (heads, np.empty(len(asked), np.int32))
        kernels.hash_table(np.ascontiguousarray(asked[:, 0]), table)
        out, row = _buffers(ROOM + len(asked)), 0
        while row < rows:
            found, row, _ = kernels.equal(search, table, row, out)
            yield _filled(out, found)


def _plain(array: Array) -> Array:
    """The array as kernels take it; a copy only where it is read-only, or lies in pieces."""
    flags = array.flags
    return array if flags.writeable and flags.c_contiguous else array.copy(order="C")


def _buffers(room: int) -> _Out:
    return np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint16)


def _filled(out: _Out, found: int) -> _Out:
    queries, rows, distances = out
    return queries[:found], rows[:found], distances[:found]
