# SPDX-License-Identifier: Apache-2.0
"""Labels that rows of a segment were given after it was made."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.ports import GONE, LABEL_MASK
from matching.search.packing import fixed
from matching.search.segment import Segment


@dataclass(frozen=True, eq=False)
class Overlay:
    """Sparse: only the rows that changed; a value, replaced and never changed.

    Attributes:
        rows: uint32, ascending.
        labels: uint32, the label of each now; 0 is a dead row.
    """

    rows: NDArray[np.uint32]
    labels: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def dead(self) -> int:
        """How many of the rows are dead."""
        return int(np.count_nonzero(self.labels == GONE))

    def label(self, segment: Segment, row: int) -> int:
        """The label of a row of the segment now."""
        place = int(self.rows.searchsorted(row))
        if place < len(self.rows) and self.rows[place] == row:
            return int(self.labels[place])
        return int(segment.tags[row]) & LABEL_MASK

    def tags(self, segment: Segment) -> NDArray[np.uint32]:
        """The tags of all rows of the segment now; a copy."""
        tags = segment.tags.copy()
        tags[self.rows] = (tags[self.rows] & ~np.uint32(LABEL_MASK)) | self.labels
        return tags

    def laid_over(self, later: Mapping[int, int]) -> "Overlay":
        """Make one with later labels, by row."""
        if not later:
            return self
        rows = np.fromiter(later, np.uint32, len(later))
        labels = np.fromiter(later.values(), np.uint32, len(later))
        kept = ~np.isin(self.rows, rows)
        rows = np.concatenate([self.rows[kept], rows])
        labels = np.concatenate([self.labels[kept], labels])
        order = np.argsort(rows)
        return Overlay(fixed(rows[order]), fixed(labels[order]))


NOTHING = Overlay(fixed(np.empty(0, np.uint32)), fixed(np.empty(0, np.uint32)))
