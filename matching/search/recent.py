# SPDX-License-Identifier: Apache-2.0
"""The youngest rows of a signal: few, in growable columns, searched by brute force.

A `Recent` is a value: its arrays belong to it up to its count of rows. A `Growing` makes the next
one from it. Rows are appended in place, beyond what any reader of an older one looks at; labels
are changed in a copy, made once; one that is thrown away leaves no trace.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from matching.ports import LABEL_MASK, Chunk
from matching.signals import Signal

SLACK = 1024  # rows of room beyond a quarter, whenever columns are made anew


@dataclass(frozen=True, eq=False)
class Recent:
    """Rows of one signal.

    Attributes:
        columns: uint64 ``(words, capacity)``.
        indicators: uint64 ``(capacity,)``.
        tags: uint32 ``(capacity,)``, derivation << 24 | label; label 0 is a dead row.
        rows: how many of them are rows.
        places: where each indicator's rows are; only writers look.
    """

    columns: NDArray[np.uint64]
    indicators: NDArray[np.uint64]
    tags: NDArray[np.uint32]
    rows: int
    places: dict[int, list[int]] = field(default_factory=dict)

    @staticmethod
    def of(signal: Signal, chunks: Sequence[Chunk]) -> "Recent":
        """Hold the rows of chunks, in their order."""
        growing = Growing(Recent.none(signal))
        for chunk in chunks:
            growing.extend(chunk.codes, chunk.indicators, chunk.tags)
        return growing.grown()

    @staticmethod
    def none(signal: Signal) -> "Recent":
        """Hold nothing."""
        return Recent(
            np.empty((signal.words, 0), np.uint64),
            np.empty(0, np.uint64),
            np.empty(0, np.uint32),
            0,
        )

    @property
    def codes(self) -> NDArray[np.uint64]:
        """All codes, dead ones too: uint64 ``(rows, words)``, a view."""
        return self.columns[:, : self.rows].T


class Growing:
    """The next `Recent`, being made. One writer at a time."""

    def __init__(self, base: Recent) -> None:
        self._base = base
        self.columns, self.indicators, self.tags = base.columns, base.indicators, base.tags
        self.rows = base.rows
        self._tags_are_ours = False
        self._added: dict[int, list[int]] = {}

    def rows_of(self, indicator: int) -> list[int]:
        """The rows an indicator ever had here, dead ones too."""
        known = self._base.places.get(indicator, ())
        # Whoever looks at an older value finds rows there that came later.
        return [*(row for row in known if row < self._base.rows), *self._added.get(indicator, ())]

    def relabel(self, rows: list[int], label: int) -> None:
        """Give rows another label."""
        if not self._tags_are_ours:
            self.tags = self.tags.copy()
            self._tags_are_ours = True
        self.tags[rows] = (self.tags[rows] & ~np.uint32(LABEL_MASK)) | np.uint32(label)

    def extend(
        self,
        codes: NDArray[np.uint64],
        indicators: NDArray[np.uint64],
        tags: NDArray[np.uint32],
    ) -> list[int]:
        """Append rows; return their numbers."""
        begin, end = self.rows, self.rows + len(codes)
        self._make_room(end)
        self.columns[:, begin:end] = codes.T
        self.indicators[begin:end] = indicators
        self.tags[begin:end] = tags
        self.rows = end
        for row, indicator in enumerate(indicators.tolist(), begin):
            self._added.setdefault(indicator, []).append(row)
        return list(range(begin, end))

    def grown(self) -> Recent:
        """Finish."""
        places = self._base.places if self._base.rows else {}
        for indicator, rows in self._added.items():
            places.setdefault(indicator, []).extend(rows)
        return Recent(self.columns, self.indicators, self.tags, self.rows, places)

    def _make_room(self, rows: int) -> None:
        if rows <= len(self.tags):
            return
        room = rows + rows // 4 + SLACK
        columns = np.empty((len(self.columns), room), np.uint64)
        indicators, tags = np.empty(room, np.uint64), np.zeros(room, np.uint32)
        columns[:, : self.rows] = self.columns[:, : self.rows]
        indicators[: self.rows] = self.indicators[: self.rows]
        tags[: self.rows] = self.tags[: self.rows]
        self.columns, self.indicators, self.tags = columns, indicators, tags
        self._tags_are_ours = True
