# SPDX-License-Identifier: Apache-2.0
"""An index of codes by their parts: exact, by the pigeonhole principle.

Cut codes into parts and give part *i* a number of bits t_i such that the sum of (t_i + 1) exceeds
the radius r. If two codes differed in more than t_i bits in every part, they would differ in at
least that sum, so in more than r bits. So whatever lies within r agrees within t_i bits in some
part (multi-index hashing: Norouzi, Punjani, Fleet, "Fast search in Hamming space with multi-index
hashing", 2012).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from matching.search import probes

WORD = 64
LEAST_WORDS = 3
"""Of a code: an entry holds bits of the two words that follow that of its part."""


@dataclass(frozen=True)
class Plan:
    """How codes are cut.

    Attributes:
        words: of a code, 64 bits each.
        width: bits of a part; a word is a whole number of parts.
        turned: for each part, how many bits may differ there.
    """

    words: int
    width: int
    turned: tuple[int, ...]

    @staticmethod
    def of(words: int, radius: int, width: int = 16) -> "Plan":
        """Spread a radius over the parts, the first ones taking what does not divide.

        Args:
            words: of a code, at least three.
            radius: bits.
            width: bits of a part.
        """
        if words < LEAST_WORDS or WORD % width:
            raise ValueError("codes have at least three words, and words whole parts")
        parts = words * WORD // width
        # Together the parts must turn more bits than the radius, counting one more for each.
        share, rest = divmod(radius + 1, parts)
        return Plan(words, width, tuple(share - 1 + (p < rest) for p in range(parts)))

    @property
    def radius(self) -> int:
        """The largest distance at which nothing is missed."""
        return sum(bits + 1 for bits in self.turned) - 1

    @property
    def buckets(self) -> int:
        """How many buckets a query reads."""
        return sum(len(list(_turns(self.width, bits))) for bits in self.turned)


@dataclass(frozen=True, eq=False)
class Buckets:
    """The first rows of a table by the parts of their codes.

    Attributes:
        plan: how they were cut.
        rows: how many rows are in it.
        index: what `probes.near` takes.
    """

    plan: Plan
    rows: int
    index: tuple[
        NDArray[np.uint64],
        NDArray[np.uint32],
        NDArray[np.int64],
        NDArray[np.uint64],
        NDArray[np.int64],
    ]

    @staticmethod
    def of(columns: NDArray[np.uint64], rows: int, plan: Plan) -> "Buckets":
        """Index rows.

        Args:
            columns: uint64 ``(words, capacity)``.
            rows: how many of them; times the parts, fewer than 2**32.
            plan: how to cut them.
        """
        parts = _parts(plan)
        offsets = np.zeros(len(parts) * ((1 << plan.width) + 1), np.uint32)
        entries = np.empty((len(parts) * rows, 2), np.uint64)
        probes.count(columns, rows, parts, offsets)
        probes.fill(columns, rows, parts, offsets.copy(), entries)
        turns = [np.fromiter(_turns(plan.width, bits), np.uint64) for bits in plan.turned]
        turns = [turns[p] for p in range(len(plan.turned)) if plan.turned[p] >= 0]
        begins = np.cumsum([0, *map(len, turns)])
        return Buckets(plan, rows, (entries, offsets, parts, np.concatenate(turns), begins))


def _parts(plan: Plan) -> NDArray[np.int64]:
    """Word, shift, width, bits turned and first bucket of each part that is read."""
    a_word = WORD // plan.width
    size = (1 << plan.width) + 1
    read = [p for p, bits in enumerate(plan.turned) if bits >= 0]
    return np.array(
        [
            (p // a_word, p % a_word * plan.width, plan.width, plan.turned[p], place * size)
            for place, p in enumerate(read)
        ],
        np.int64,
    )


def _turns(width: int, most: int) -> Iterator[int]:
    """Every value of so many bits of which at most so many are ones, few ones first."""
    for ones in range(most + 1):
        for places in combinations(range(width), ones):
            yield sum(1 << place for place in places)
