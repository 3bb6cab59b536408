# SPDX-License-Identifier: Apache-2.0
"""Prove that entries are in a log by what somebody has who follows it, and keeps no tiles.

A page brings entries that continue a frontier, and a proof that a larger tree continues them. All
hashes beside the way from one of these entries to that tree's root follow from the three.
"""

from collections.abc import Sequence

from federation.log.merkle import Frontier, node_hash
from federation.log.proofs import (
    Range,
    consistency_ranges,
    full_subtrees,
    inclusion_ranges,
    middle_of,
)


class Paths:
    """Paths of inclusion of a page's entries.

    Args:
        frontier: before the page.
        leaves: hashes of its entries.
        size: of the tree that it is held against.
        proof: that this tree continues the page; verified.
    """

    def __init__(
        self, frontier: Frontier, leaves: Sequence[bytes], size: int, proof: Sequence[bytes]
    ) -> None:
        start, end = frontier.size, frontier.size + len(leaves)
        subtrees = full_subtrees(0, start)
        self._size = size
        self._known: dict[Range, bytes] = {
            (index << level, (index + 1) << level): one
            for (level, index), one in zip(subtrees, frontier.hashes, strict=True)
        }
        self._known |= {(start + at, start + at + 1): one for at, one in enumerate(leaves)}
        self._known |= dict(zip(consistency_ranges(end, size), proof, strict=True))

    def of(self, index: int) -> tuple[bytes, ...]:
        """The path of an entry of the page to the tree's root, the nearest hash first."""
        return tuple(self._hash(one) for one in inclusion_ranges(index, self._size))

    def _hash(self, one: Range) -> bytes:
        if one not in self._known:
            start, end = one
            middle = middle_of(start, end)
            self._known[one] = node_hash(self._hash((start, middle)), self._hash((middle, end)))
        return self._known[one]
