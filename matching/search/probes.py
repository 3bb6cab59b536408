# SPDX-License-Identifier: Apache-2.0
"""Multi-index hashing, compiled: only the buckets that can hold something near are read.

A code is cut into parts. If it lies within the radius of another, the two agree within a few bits
in at least one part (`matching.search.buckets` says how many, and why), so it is found in one of
the buckets whose value is that part with so many bits turned. Each entry of a bucket carries 96
further bits of its code beside the row: they turn nearly all candidates away before the row itself
is looked at, which would be a miss of every cache.

A row within reach in several parts is told once, in the first of them.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from matching.search.kernels import _asked, _distance, _held, _is_wanted, _ones, _out, _wanted

AHEAD = 8  # buckets whose entries are fetched before they are needed
LINE = 4  # entries of a cache line
_RIDER = np.uint64(0xFFFFFFFF)

_entries = types.uint64[:, ::1]
_offsets = types.uint32[::1]
_parts = types.int64[:, ::1]
_index = types.Tuple((_entries, _offsets, _parts, types.uint64[::1], types.int64[::1]))
_search = types.Tuple((_held, _asked, _wanted))
_place = types.UniTuple(types.int64, 4)


def _prefetched(_typing: Any, array: Any, place: Any) -> Any:
    """Ask the processor to fetch the start of a row; it changes nothing but time."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        held = context.make_array(kind)(context, builder, arguments[0])
        first = arguments[1]
        places = [first, *[first.type(0)] * (kind.ndim - 1)]
        pointer = cgutils.get_item_pointer(context, builder, kind, held, places, wraparound=False)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        fetch = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, number, number, number]),
            "llvm.prefetch.p0i8",
        )
        read, keep, data = number(0), number(3), number(1)
        builder.call(fetch, [builder.bitcast(pointer, byte), read, keep, data])
        return context.get_dummy_value()

    return types.void(array, place), emit


_prefetch: Any = intrinsic(_prefetched)


@njit(inline="always")
def _part(code: Any, query: Any, part: Any) -> Any:
    """The value of one part: word, shift and width say where it lies."""
    return (code[query, part[0]] >> np.uint64(part[1])) & np.uint64((1 << part[2]) - 1)


@njit(inline="always")
def _is_first(columns: Any, codes: Any, parts: Any, place: Any) -> Any:
    """Whether no earlier part leads to the row as well."""
    row, query, this = place
    for p in range(this):
        word, shift, mask = parts[p, 0], np.uint64(parts[p, 1]), np.uint64((1 << parts[p, 2]) - 1)
        apart = ((columns[word, row] ^ codes[query, word]) >> shift) & mask
        if _ones(apart) <= parts[p, 3]:
            return False
    return True


@njit(types.void(types.uint64[:, ::1], types.int64, _parts, _offsets), nogil=True, cache=True)
def count(columns: Any, rows: Any, parts: Any, offsets: Any) -> None:
    """Count the entries of every bucket, then say where each begins.

    Args:
        columns: uint64 ``(words, capacity)``.
        rows: how many of them.
        parts: int64 ``(parts, 5)``: word, shift, width, bits that may be turned, first bucket.
        offsets: uint32 ``(buckets + parts,)``, zeros; filled here.
    """
    for p in range(parts.shape[0]):
        word, shift, base = parts[p, 0], np.uint64(parts[p, 1]), parts[p, 4]
        mask, buckets = np.uint64((1 << parts[p, 2]) - 1), 1 << parts[p, 2]
        for row in range(rows):
            value = np.int64((columns[word, row] >> shift) & mask)
            offsets[base + value + 1] += np.uint32(1)
        # One part after another, each with all rows.
        offsets[base] = np.uint32(p * rows)
        for bucket in range(base, base + buckets):
            offsets[bucket + 1] += offsets[bucket]


@njit(
    types.void(types.uint64[:, ::1], types.int64, _parts, _offsets, _entries),
    nogil=True,
    cache=True,
)
def fill(columns: Any, rows: Any, parts: Any, cursors: Any, entries: Any) -> None:
    """Put every row into one bucket of each part.

    Args:
        columns: as for `count`.
        rows: as for `count`.
        parts: as for `count`.
        cursors: a copy of the offsets that `count` made; spoilt here.
        entries: uint64 ``(parts * rows, 2)``; filled here: 64 bits of the code, then 32 bits and
            the row.
    """
    words = columns.shape[0]
    for p in range(parts.shape[0]):
        word, shift, base = parts[p, 0], np.uint64(parts[p, 1]), parts[p, 4]
        mask = np.uint64((1 << parts[p, 2]) - 1)
        first, second = (word + 1) % words, (word + 2) % words
        for row in range(rows):
            value = np.int64((columns[word, row] >> shift) & mask)
            place = cursors[base + value]
            cursors[base + value] = np.uint32(place + 1)
            entries[place, 0] = columns[first, row]
            entries[place, 1] = (columns[second, row] & _RIDER) << np.uint64(32) | np.uint64(row)


@njit(_place(_search, _index, types.int64, _place, _out), nogil=True, cache=True)
def near(  # noqa: C901 - to hand arrays on counts references, and doubles the time
    search: Any, index: Any, radius: Any, place: Any, out: Any
) -> Any:
    """Find the indexed rows within a radius of codes of at least three words.

    Args:
        search: as for `kernels.near_by_two`.
        index: entries, offsets and parts, as `count` and `fill` made them; the turns, uint64, of
            all parts after one another, and int64 ``(parts + 1,)`` where those of each begin.
        radius: bits; not more than the index was made for.
        place: where to begin: query, turn, entry within the bucket, and 0.
        out: buffers for queries, rows, distances.

    Returns:
        How many were found, and the query, turn and entry to go on from. Done when that query is
        not below the count of queries.
    """
    (columns, _rows, _indicators, _tags), (codes, _items, _derivations), _w = search
    entries, offsets, parts, turns, begins = index
    queries, rows, distances = out
    steps, words, found = turns.shape[0], codes.shape[1], 0
    starts, stops = np.empty(steps, np.int64), np.empty(steps, np.int64)
    step, entry = place[1], place[2]
    for query in range(place[0], codes.shape[0]):
        for p in range(parts.shape[0]):
            value = _part(codes, query, parts[p])
            for t in range(begins[p], begins[p + 1]):
                starts[t] = parts[p, 4] + np.int64(value ^ turns[t])
                _prefetch(offsets, starts[t])
        for t in range(steps):
            bucket = starts[t]
            starts[t], stops[t] = offsets[bucket], offsets[bucket + 1]
        for p in range(parts.shape[0]):
            first, second = (parts[p, 0] + 1) % words, (parts[p, 0] + 2) % words
            asked, more = codes[query, first], codes[query, second] & _RIDER
            for t in range(max(step, begins[p]), begins[p + 1]):
                if t + AHEAD < steps:
                    for k in range(starts[t + AHEAD], stops[t + AHEAD], LINE):
                        _prefetch(entries, k)
                for k in range(starts[t] + entry, stops[t]):
                    rider = entries[k, 1]
                    apart = _ones(entries[k, 0] ^ asked) + _ones((rider >> np.uint64(32)) ^ more)
                    if apart > np.uint64(radius):
                        continue
                    row = np.int64(rider & _RIDER)
                    distance = _distance(columns, codes, row, query)
                    if (
                        distance <= radius
                        and _is_wanted(search, row, query, distance)
                        and _is_first(columns, codes, parts, (row, query, p))
                    ):
                        if found == queries.shape[0]:
                            return found, query, t, k - starts[t]
                        queries[found], rows[found], distances[found] = query, row, distance
                        found += 1
                entry = 0
        step = 0
    return found, codes.shape[0], 0, 0
