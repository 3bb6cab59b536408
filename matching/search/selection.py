# SPDX-License-Identifier: Apache-2.0
"""Which of what was found is told: the best row of each pair, and no more pairs than the caps.

A *pair* is an item and an indicator. The best of a pair's rows decides its place: plain against
plain before derived, then the nearest; ties go to the oldest indicator. As soon as an item has
more than it may be told of, only what is better is still gathered; and all that was found is
reduced every now and then, so that memory is bounded however much there is to find.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

DERIVED = 1 << 32  # in a rank: above distance, derivation asked, derivation stored
PENDING = 1 << 18  # rows found before they are reduced
ENOUGH = 4  # rows looked at for each pair wanted: an indicator may have several that are near
_LAST = np.iinfo(np.uint64).max


@dataclass(frozen=True, eq=False)
class Found:
    """Rows found, in columns of equal length.

    Attributes:
        item: uint32, number of the item.
        indicator: uint64.
        signal: uint8, index.
        rank: uint64; derived (1 bit) | distance (16) | derivation asked (8) | stored (8).
    """

    item: NDArray[np.uint32]
    indicator: NDArray[np.uint64]
    signal: NDArray[np.uint8]
    rank: NDArray[np.uint64]

    @staticmethod
    def of(
        *,
        item: NDArray[np.uint32],
        indicator: NDArray[np.uint64],
        signal: int,
        distance: NDArray[np.uint16],
        asked: NDArray[np.uint8],
        stored: NDArray[np.uint8],
    ) -> "Found":
        """Rank rows of one signal."""
        rank = distance.astype(np.uint64) << np.uint64(16)
        rank |= asked.astype(np.uint64) << np.uint64(8) | stored
        rank[(asked | stored) != 0] |= np.uint64(DERIVED)
        return Found(item, indicator, np.full(len(item), signal, np.uint8), rank)

    @staticmethod
    def joined(parts: "list[Found]") -> "Found":
        """Put rows of several portions together; none give none."""
        if len(parts) <= 1:
            return parts[0] if parts else _NOTHING  # as with most lookups
        columns = [[getattr(p, field.name) for p in parts] for field in fields(Found)]
        return Found(*(np.concatenate(column) for column in columns))

    def __len__(self) -> int:
        return len(self.item)

    def __getitem__(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> "Found":
        return Found(
            self.item[chosen], self.indicator[chosen], self.signal[chosen], self.rank[chosen]
        )

    def best(self) -> "Found":
        """Keep the best row of each (item, indicator, signal), ordered by these."""
        if len(self) <= 1:
            return self  # most lookups that hit, hit one row
        order = np.lexsort((self.rank, self.signal, self.indicator, self.item))
        found = self[order]
        new = _pair_begins(found)
        new[1:] |= found.signal[1:] != found.signal[:-1]
        return found[new]

    def ordered(self) -> "Found":
        """Order rows as they are told: by item, then the best first."""
        if len(self) <= 1:
            return self
        key = self.rank >> np.uint64(16)
        return self[np.lexsort((self.signal, self.indicator, key, self.item))]


@dataclass(frozen=True, eq=False)
class Limits:
    """The worst that is still wanted, for each item; kernels read it, `tighten` writes it.

    Attributes:
        ranks: uint64 ``(items,)``, derived << 16 | distance.
        indicators: uint64 ``(items,)``, the youngest wanted at that very rank.
    """

    ranks: NDArray[np.uint64]
    indicators: NDArray[np.uint64]

    @staticmethod
    def none(items: int) -> "Limits":
        """Want everything."""
        last = np.empty(items, np.uint64)
        last.fill(_LAST)  # a quarter of the time of `np.full`: lookups of one code come here too
        return Limits(last, last.copy())

    @property
    def tight(self) -> NDArray[np.bool_]:
        """Of which items something may have been left out: bool over the items."""
        tight: NDArray[np.bool_] = self.ranks != _LAST
        return tight

    def wanted(self, found: Found) -> NDArray[np.bool_]:
        """Tell which rows are still wanted."""
        key, worst = found.rank >> np.uint64(16), self.ranks[found.item]
        wanted: NDArray[np.bool_] = key < worst
        wanted |= (key == worst) & (found.indicator <= self.indicators[found.item])
        return wanted

    def tighten(self, pairs: "Pairs", per_item: int) -> None:
        """Want nothing of an item behind its *per_item*-th pair."""
        last = pairs.place == per_item - 1
        self.ranks[pairs.item[last]] = pairs.key[last]
        self.indicators[pairs.item[last]] = pairs.indicator[last]


@dataclass(frozen=True, eq=False)
class Pairs:
    """The distinct pairs of what was found, ordered by item, then the best first.

    Attributes:
        item: uint32.
        indicator: uint64.
        key: uint64, derived << 16 | distance of its best row.
        place: int64, from 0 within the item.
        group: int64, which run of `Found.best` it is.
    """

    item: NDArray[np.uint32]
    indicator: NDArray[np.uint64]
    key: NDArray[np.uint64]
    place: NDArray[np.int64]
    group: NDArray[np.int64]

    @staticmethod
    def of(found: Found) -> "Pairs":
        """Rank the pairs of the rows of `Found.best`."""
        begins = np.flatnonzero(_pair_begins(found))
        item, indicator = found.item[begins], found.indicator[begins]
        keys = found.rank >> np.uint64(16)
        key = np.minimum.reduceat(keys, begins) if len(begins) else keys
        group = np.lexsort((indicator, key, item))
        item = item[group]
        return Pairs(item, indicator[group], key[group], _places(item), group)

    def first(self, per_item: int, per_request: int) -> NDArray[np.bool_]:
        """Choose at most so many pairs: bool over the pairs.

        Where the request's cap bites, all items keep their best pair before any keeps a second:
        an item that has a hit never looks as if it had none while there is room.
        """
        chosen = self.place < per_item
        if np.count_nonzero(chosen) > per_request:
            order = np.lexsort((self.item, self.indicator, self.key, self.place))
            order = order[chosen[order]]
            chosen[order[per_request:]] = False
        return chosen


@dataclass(eq=False)
class Gathering:
    """What a search has found so far, reduced whenever much is pending.

    Attributes:
        limits: tightened while rows come in; the scans read it.
        per_item: cap; None keeps everything.
        pairs: items and indicators; where given, rows of other pairs are passed over.
    """

    limits: Limits
    per_item: int | None
    pairs: tuple[NDArray[np.uint32], NDArray[np.uint64]] | None = None

    def __post_init__(self) -> None:
        self._kept: list[Found] = []
        self._pending = 0

    def add(self, found: Found) -> None:
        """Take a portion in."""
        found = found if self.pairs is None else _within(found, *self.pairs)
        if self.per_item is not None:
            # One more than the cap is kept: it tells that there was more.
            found = self._wanted(found, self.per_item + 1)
        self._kept.append(found)
        self._pending += len(found)
        if self._pending >= PENDING and self.per_item is not None:
            self._reduce(self.per_item)

    def best(self) -> Found:
        """Return the best rows of everything taken in."""
        return Found.joined(self._kept).best()

    def _wanted(self, found: Found, most: int) -> Found:
        """Leave out what is behind so many pairs of its item within this portion alone."""
        if len(found) <= ENOUGH * most or np.bincount(found.item).max() <= ENOUGH * most:
            return found
        # The nearest few nearly always have so many pairs among them; where not, nothing is lost.
        nearest = found[_nearest(found, ENOUGH * most)]
        self.limits.tighten(Pairs.of(nearest.best()), most)
        return found[self.limits.wanted(found)]

    def _reduce(self, per_item: int) -> None:
        best = self.best()
        pairs = Pairs.of(best)
        chosen = pairs.place <= per_item
        self.limits.tighten(pairs, per_item + 1)
        self._kept, self._pending = [rows_of(best, pairs, chosen)], 0


def rows_of(found: Found, pairs: Pairs, chosen: NDArray[np.bool_]) -> Found:
    """Return the rows of the chosen pairs; *found* is what the pairs were made of."""
    groups = np.zeros(len(pairs.item), np.bool_)
    groups[pairs.group[chosen]] = True
    return found[groups[np.cumsum(_pair_begins(found)) - 1]]


def _nearest(found: Found, count: int) -> NDArray[np.intp]:
    """The rows of each item that are nearest, so many at most; of equals any."""
    order = np.argsort(found.item.astype(np.uint64) << np.uint64(17) | found.rank >> np.uint64(16))
    return order[_places(found.item[order]) < count]


def _within(found: Found, item: NDArray[np.uint32], indicator: NDArray[np.uint64]) -> Found:
    """Return the rows whose pair is one of ``zip(item, indicator)``; there is at least one."""
    known = np.unique(indicator)
    place = np.minimum(known.searchsorted(found.indicator), len(known) - 1)
    pairs = item.astype(np.int64) * len(known) + known.searchsorted(indicator)
    asked = found.item.astype(np.int64) * len(known) + place
    return found[(known[place] == found.indicator) & np.isin(asked, pairs)]


def _pair_begins(found: Found) -> NDArray[np.bool_]:
    new = np.ones(len(found), np.bool_)
    new[1:] = found.item[1:] != found.item[:-1]
    new[1:] |= found.indicator[1:] != found.indicator[:-1]
    return new


def _places(item: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Number the elements of each run of equal items from 0."""
    index = np.arange(len(item))
    begins = np.zeros(len(item), np.int64)
    if len(item):
        new = np.flatnonzero(item[1:] != item[:-1]) + 1
        begins[new] = new
    return index - np.maximum.accumulate(begins)


_NOTHING = Found(
    np.empty(0, np.uint32), np.empty(0, np.uint64), np.empty(0, np.uint8), np.empty(0, np.uint64)
)
