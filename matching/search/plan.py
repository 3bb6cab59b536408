# SPDX-License-Identifier: Apache-2.0
"""How codes are cut into parts, and why nothing is lost by it: exact, by the pigeonhole principle.

Give part *i* a number of bits t_i such that the sum of (t_i + 1) exceeds the radius r. If two
codes differed in more than t_i bits in every part, they would differ in at least that sum, so in
more than r bits. So whatever lies within r agrees within t_i bits in some part (multi-index
hashing: Norouzi, Punjani, Fleet, "Fast search in Hamming space with multi-index hashing", 2012).

Rows lie in the order of their first part, which therefore needs no list of its own. For every
other part there is a list of all rows in the order of that part. An entry of a list is a row
number; where memory allows it is accompanied by *riders*, 96 further bits of the code, which turn
nearly all candidates away without a look at the row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

WORD = 64
MOST_TURNS = 2_100
"""Values of one part that a query looks up, at most."""
ROW_BYTES = 8 + 4 + 4
"""Beside a row's code: its indicator, its tag, its place in the order of indicators."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """How codes are cut.

    Attributes:
        words: of a code, 64 bits each.
        parts: how many.
        width: bits of each; what is left of the code is in no part.
        riders: whether entries carry riders; never where a code is one word.
    """

    words: int
    parts: int
    width: int
    riders: bool = False

    def __post_init__(self) -> None:
        if self.parts < 1 or self.width < 1 or self.parts * self.width > self.words * WORD:
            raise ValueError("parts must fit into the code")
        if self.riders and self.words == 1:
            raise ValueError("a code of one word has no bits left to ride along")

    @property
    def entry_bytes(self) -> int:
        """Bytes of an entry: a row number alone, or with riders."""
        return 16 if self.riders else 4

    @property
    def buckets(self) -> int:
        """Offsets that are kept: for each part one more than it has values."""
        return self.parts * ((1 << self.width) + 1)

    def bytes_for(self, rows: int) -> int:
        """Bytes of all that a segment of so many rows keeps."""
        row = 8 * self.words + ROW_BYTES + (self.parts - 1) * self.entry_bytes
        return rows * row + 4 * self.buckets

    @property
    def turns(self) -> NDArray[np.uint64]:
        """Values of a part's width with few ones, fewest first."""
        return _turns(self.width)

    @property
    def upto(self) -> Ints:
        """How many of `turns` have fewer than 0, 1, 2, … ones."""
        return _upto(self.width)

    def spread(self, radius: int) -> tuple[int, ...] | None:
        """Say how many bits may be turned in each part so that nothing is missed.

        A part in which -1 bits may be turned is not looked at. None: the radius is too large for
        this plan, all rows are to be compared.
        """
        share, rest = divmod(radius + 1, self.parts)
        spread = tuple(share - 1 + (part < rest) for part in range(self.parts))
        return None if spread[0] > len(self.upto) - 2 else spread

    def steps(self, spread: tuple[int, ...]) -> int:
        """How many buckets a query reads."""
        return int(sum(self.upto[bits + 1] for bits in spread))

    def layout(self) -> Ints:
        """Where each part and its riders lie, as the kernels read it.

        Returns:
            int64 ``(parts, 8)``: word and shift of the part's lowest bit, the word that follows,
            mask, first bucket; word of the first rider, word and shift of the second.
        """
        size, mask = (1 << self.width) + 1, (1 << self.width) - 1
        rows = []
        for part in range(self.parts):
            word, shift = divmod(part * self.width, WORD)
            following = min(word + 1, self.words - 1)
            rows.append((word, shift, following, mask, part * size, *self._riders(word, shift)))
        return np.array(rows, np.int64)

    def _riders(self, word: int, shift: int) -> tuple[int, int, int]:
        """Choose a word, and half a word of another or of the part's own.

        The two never overlap: a bit counted twice would turn away what is near.
        """
        half = WORD // 2
        if self.words <= 2:  # noqa: PLR2004 - the part's own word and one more, if that
            return self.words - 1 - word, word, 0 if shift >= half else half
        return (word + 2) % self.words, (word + 3) % self.words, 0


@cache
def _turns(width: int) -> NDArray[np.uint64]:
    return np.fromiter(_values(width), np.uint64)


@cache
def _upto(width: int) -> Ints:
    told = [0]
    for ones in range(width + 1):
        more = told[-1] + comb(width, ones)
        if more > MOST_TURNS:
            break
        told.append(more)
    return np.array(told, np.int64)


def _values(width: int) -> Iterator[int]:
    for ones in range(len(_upto(width)) - 1):
        yield from (sum(1 << p for p in places) for places in combinations(range(width), ones))
