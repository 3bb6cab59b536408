# SPDX-License-Identifier: Apache-2.0
"""One signal's codes against one signal's rows: which kernel, and its buffers emptied in turn."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.batches import Part
from matching.ports import LABEL_BITS
from matching.search import kernels
from matching.search.selection import Found, Limits
from matching.search.table import Table
from matching.signals import INDEX

# A few codes are compared one by one, which vectorises; many are looked up in a hash table.
FEW = 8
ROOM = 4 * kernels.ROOM  # rows of a buffer
_Out = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]


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
        if not self.table.rows or not len(self.part.codes):
            return
        for queries, rows, distances in self._portions():
            if len(queries):
                yield self._named(queries, rows, distances)

    def _portions(self) -> Iterator[_Out]:
        table, part = self.table, self.part
        held = (table.columns, table.rows, table.indicators, table.tags)
        asked = tuple(
            np.require(array, requirements=["C", "W"])
            for array in (part.codes, part.items, part.derivations)
        )
        search = (held, asked, (self.allowed, self.limits.ranks, self.limits.indicators))
        if self.radius == 0 and len(part.codes) > FEW:
            return self._equal(search)
        return self._near(search)

    def _near(self, search: object) -> Iterator[_Out]:
        # One word says enough where codes are that short, or must be equal to the bit.
        short = self.radius == 0 or self.part.signal.words == 1
        kernel = kernels.near_by_one if short else kernels.near_by_two
        out, row, query = _buffers(ROOM), 0, 0
        while row < self.table.rows:
            found, row, query = kernel(search, self.radius, (row, query), out)
            yield _filled(out, found)

    def _equal(self, search: object) -> Iterator[_Out]:
        asked = self.part.codes
        heads = np.empty(1 << (2 * len(asked) - 1).bit_length(), np.int32)
        table = (heads, np.empty(len(asked), np.int32))
        kernels.hash_table(np.ascontiguousarray(asked[:, 0]), table)
        out, row = _buffers(ROOM + len(asked)), 0
        while row < self.table.rows:
            found, row, _ = kernels.equal(search, table, row, out)
            yield _filled(out, found)

    def _named(
        self, queries: NDArray[np.uint32], rows: NDArray[np.uint32], distances: NDArray[np.uint16]
    ) -> Found:
        return Found.of(
            item=self.part.items[queries],
            indicator=self.table.indicators[rows],
            signal=INDEX[self.part.signal.name],
            distance=distances,
            asked=self.part.derivations[queries],
            stored=(self.table.tags[rows] >> np.uint32(LABEL_BITS)).astype(np.uint8),
        )


def _buffers(room: int) -> _Out:
    return np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint16)


def _filled(out: _Out, found: int) -> _Out:
    queries, rows, distances = out
    return queries[:found], rows[:found], distances[:found]
