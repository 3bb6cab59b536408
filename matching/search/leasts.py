# SPDX-License-Identifier: Apache-2.0
"""The least distance of each of many pairs, and how many there are of it: two hash tables.

A static scene makes millions of pairs of frames: sorting them would take longer than finding them.
The tables are open and grow; kernels enter rows until a table is half full.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

_EMPTY = np.iinfo(np.uint16).max  # no distance is that large
_FIRST = 1 << 12  # slots
_MIX = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: spreads keys over a table

_keys = types.uint64[::1]
_ints = types.uint32[::1]
_distances = types.uint16[::1]
_columns = types.Tuple((_keys, _ints, _keys, _distances))
_counts = types.Tuple((_keys, _ints, _distances, types.int64[::1]))
_place = types.UniTuple(types.int64, 2)


class Pairs(NamedTuple):
    """Pairs, in columns of equal length.

    Attributes:
        key: uint64, with *other* what tells a pair from others.
        other: uint32.
        owner: uint64, whatever is to be remembered with the key.
        distance: uint16, bits.
    """

    key: NDArray[np.uint64]
    other: NDArray[np.uint32]
    owner: NDArray[np.uint64]
    distance: NDArray[np.uint16]


class Counts(NamedTuple):
    """How many pairs there are of an owner, an item and a distance; columns of equal length.

    Attributes:
        owner: uint64.
        item: uint32.
        distance: uint16, bits.
        number: int64, of frames.
    """

    owner: NDArray[np.uint64]
    item: NDArray[np.uint32]
    distance: NDArray[np.uint16]
    number: NDArray[np.int64]


class Leasts:
    """Each pair once, with the least of its distances."""

    def __init__(self) -> None:
        self._slots = _blank_pairs(_FIRST)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def take(self, pairs: Pairs) -> None:
        """Take pairs in, in any order and however often."""
        pairs = Pairs._make(np.ascontiguousarray(column) for column in pairs)
        begin = 0
        while begin < len(pairs.key):
            begin, self._count = keep_least(tuple(self._slots), tuple(pairs), begin, self._count)
            if begin < len(pairs.key):
                kept, self._slots = self._slots, _blank_pairs(2 * len(self._slots.key))
                keep_least(tuple(self._slots), tuple(kept), 0, 0)

    def all(self) -> Pairs:
        """Return every pair, in no order."""
        used = self._slots.distance != _EMPTY
        return Pairs._make(column[used] for column in self._slots)

    def clear(self) -> None:
        """Forget every pair; the room stays."""
        self._slots.distance[:] = _EMPTY
        self._count = 0


class Tally:
    """How many there are of each owner, item and distance."""

    def __init__(self) -> None:
        self._slots = _blank_counts(_FIRST)
        self._count = 0

    def add(self, counts: Counts) -> None:
        """Add counts up, in any order."""
        counts = Counts._make(np.ascontiguousarray(column) for column in counts)
        begin = 0
        while begin < len(counts.number):
            begin, self._count = add_up(tuple(self._slots), tuple(counts), begin, self._count)
            if begin < len(counts.number):
                kept, self._slots = self._slots, _blank_counts(2 * len(self._slots.number))
                add_up(tuple(self._slots), tuple(kept), 0, 0)

    def all(self) -> Counts:
        """Return the sums, in no order."""
        used = self._slots.number != 0
        return Counts._make(column[used] for column in self._slots)


def _blank_pairs(slots: int) -> Pairs:
    return Pairs(
        np.empty(slots, np.uint64),
        np.empty(slots, np.uint32),
        np.empty(slots, np.uint64),
        np.full(slots, _EMPTY, np.uint16),
    )


def _blank_counts(slots: int) -> Counts:
    return Counts(
        np.empty(slots, np.uint64),
        np.empty(slots, np.uint32),
        np.empty(slots, np.uint16),
        np.zeros(slots, np.int64),
    )


@njit(inline="always")
def _slot(key: Any, other: Any, last: Any) -> Any:
    mixed = (key * np.uint64(_MIX)) ^ np.uint64(other)
    return ((mixed * np.uint64(_MIX)) >> np.uint64(32)) & last


@njit(_place(_columns, _columns, types.int64, types.int64), nogil=True, cache=True)
def keep_least(table: Any, pairs: Any, begin: Any, count: Any) -> Any:
    """Enter pairs, each with its least distance.

    Args:
        table: columns of `Pairs`, a power of two long; a slot without a distance is free.
        pairs: columns of `Pairs`.
        begin: the first pair to enter.
        count: how many slots are taken.

    Returns:
        The pair to go on from, and how many slots are taken now.
    """
    keys, others, owners, leasts = table
    key, other, owner, distance = pairs
    last = np.uint64(keys.shape[0] - 1)
    for i in range(begin, key.shape[0]):
        if distance[i] == _EMPTY:
            continue  # a free slot of the table that this one grows from
        slot = _slot(key[i], other[i], last)
        while leasts[slot] != _EMPTY and (keys[slot] != key[i] or others[slot] != other[i]):
            slot = (slot + np.uint64(1)) & last
        if leasts[slot] == _EMPTY:
            if 2 * count >= keys.shape[0]:
                return i, count
            keys[slot], others[slot], owners[slot] = key[i], other[i], owner[i]
            leasts[slot] = distance[i]
            count += 1
        elif distance[i] < leasts[slot]:
            leasts[slot] = distance[i]
    return key.shape[0], count


@njit(_place(_counts, _counts, types.int64, types.int64), nogil=True, cache=True)
def add_up(table: Any, counts: Any, begin: Any, count: Any) -> Any:
    """Add counts of the same owner, item and distance up; as `keep_least`, of `Counts`."""
    owners, items, distances, sums = table
    owner, item, distance, number = counts
    last = np.uint64(owners.shape[0] - 1)
    for i in range(begin, owner.shape[0]):
        if number[i] == 0:
            continue  # a free slot of the table that this one grows from
        slot = _slot(owner[i], (item[i] << np.uint32(6)) ^ distance[i], last)
        while sums[slot] != 0 and (
            owners[slot] != owner[i] or items[slot] != item[i] or distances[slot] != distance[i]
        ):
            slot = (slot + np.uint64(1)) & last
        if sums[slot] == 0:
            if 2 * count >= owners.shape[0]:
                return i, count
            owners[slot], items[slot], distances[slot] = owner[i], item[i], distance[i]
            count += 1
        sums[slot] += number[i]
    return owner.shape[0], count
