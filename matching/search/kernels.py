# SPDX-License-Identifier: Apache-2.0
"""Brute force, compiled: the loops that compare every code asked with every code held.

Codes are held as columns, one array of words each, so that LLVM turns the inner loop into vector
instructions (eight rows at a time where the processor counts bits in 512). Rows are taken in
blocks that stay in the first cache while all queries pass over them, four at a time.

Most rows are far away, and their first words say so: the inner loop only asks whether any row of
the block is within the radius *in those words*. That never loses a row, because the distance of
a part is at most the distance of the whole. Only where it says yes are whole codes compared.

Kernels fill buffers and stop before they overflow; the caller empties them and goes on from the
place returned. They release the GIL, and are kept on disk where ``NUMBA_CACHE_DIR`` says.
Signatures are fixed: a wrong array is an error, not a compilation in the middle of a request.
"""

from typing import Any

import numpy as np
from numba import njit, types

from matching.search.instructions import ones

BLOCK = 1024  # rows; two columns of them are 16 KB
TOGETHER = 4  # queries that pass over a block at once
ROOM = TOGETHER * BLOCK  # free places a near kernel needs before it looks closer
LABEL_MASK = (1 << 24) - 1
_FAR = 1 << 16  # beyond every distance
_MIX = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: spreads keys over a table

_keys = types.uint64[::1]
_ints = types.uint32[::1]
# What a search is made of, as every kernel takes it:
_held = types.Tuple((types.uint64[:, ::1], types.int64, _keys, _ints))
asked_type = types.Tuple((types.uint64[:, ::1], _ints, types.uint8[::1]))
wanted_type = types.Tuple((types.boolean[::1], _keys, _keys))
out_type = types.Tuple((_ints, _ints, types.uint16[::1]))
_place = types.UniTuple(types.int64, 3)
_search = types.Tuple((_held, asked_type, wanted_type))
_table = types.UniTuple(types.int32[::1], 2)


@njit(inline="always")
def _distance(columns: Any, codes: Any, row: Any, query: Any) -> Any:
    total = np.uint64(0)
    for word in range(codes.shape[1]):
        total += ones(columns[word, row] ^ codes[query, word])
    return np.int64(total)


@njit(inline="always")
def is_seen(tag: Any, allowed: Any) -> Any:
    """Tell whether the asker may see a row."""
    label = tag & LABEL_MASK
    return label < allowed.shape[0] and allowed[label]


@njit(inline="always")
def rank_of(distance: Any, tag: Any, derivation: Any) -> Any:
    """Rank a row: whatever is derived, on either side, comes after all that is not."""
    plain = tag & LABEL_MASK == tag and derivation == 0
    return np.uint64(distance) if plain else np.uint64(distance + _FAR)


@njit(inline="always")
def _is_wanted(asked: Any, wanted: Any, tag: Any, indicator: Any, found: Any) -> Any:
    """Tell whether the asker may see a row, and whether it can still be among the best."""
    (_codes, items, derivations), (query, distance) = asked, found
    allowed, worst_ranks, worst_indicators = wanted
    if not is_seen(tag, allowed):
        return False
    rank, worst = rank_of(distance, tag, derivations[query]), worst_ranks[items[query]]
    return rank < worst or (rank == worst and indicator <= worst_indicators[items[query]])


@njit(inline="always")
def _look_closer(search: Any, radius: Any, place: Any, out: Any, found: Any) -> Any:
    """Compare whole codes of a block with one query and write down what is wanted."""
    (columns, rows_held, indicators, tags), asked, wanted = search
    block, query = place
    queries, rows, distances = out
    for row in range(block, min(block + BLOCK, rows_held)):
        distance = _distance(columns, asked[0], row, query)
        if distance <= radius and _is_wanted(
            asked, wanted, tags[row], indicators[row], (query, distance)
        ):
            queries[found], rows[found], distances[found] = query, row, distance
            found += 1
    return found


@njit(inline="always")
def _nearest_by_two(columns: Any, start: Any, stop: Any, codes: Any, query: Any) -> Any:
    """Return the least distance of a block from four queries, in the first two words."""
    last = codes.shape[0] - 1
    p, q, r = min(query + 1, last), min(query + 2, last), min(query + 3, last)
    a0, b0, c0, d0 = codes[query, 0], codes[p, 0], codes[q, 0], codes[r, 0]
    a1, b1, c1, d1 = codes[query, 1], codes[p, 1], codes[q, 1], codes[r, 1]
    nearest = np.uint64(_FAR)
    for row in range(start, stop):
        x, y = columns[0, row], columns[1, row]
        ab = min(ones(x ^ a0) + ones(y ^ a1), ones(x ^ b0) + ones(y ^ b1))
        cd = min(ones(x ^ c0) + ones(y ^ c1), ones(x ^ d0) + ones(y ^ d1))
        nearest = min(nearest, ab, cd)
    return np.int64(nearest)


@njit(inline="always")
def _nearest_by_one(columns: Any, start: Any, stop: Any, codes: Any, query: Any) -> Any:
    """Return the least distance of a block from four queries, in the first word."""
    last = codes.shape[0] - 1
    p, q, r = min(query + 1, last), min(query + 2, last), min(query + 3, last)
    a, b, c, d = codes[query, 0], codes[p, 0], codes[q, 0], codes[r, 0]
    nearest = np.uint64(_FAR)
    for row in range(start, stop):
        x = columns[0, row]
        ab, cd = min(ones(x ^ a), ones(x ^ b)), min(ones(x ^ c), ones(x ^ d))
        nearest = min(nearest, ab, cd)
    return np.int64(nearest)


@njit(inline="always")
def _nearest_alone(columns: Any, start: Any, stop: Any, codes: Any, query: Any) -> Any:
    """Return the least distance of a block from one query, in the first two words at most.

    A single lookup asks one code; to compare it four times over would cost three times as much.
    """
    first, nearest = codes[query, 0], np.uint64(_FAR)
    if codes.shape[1] == 1:
        for row in range(start, stop):
            nearest = min(nearest, ones(columns[0, row] ^ first))
    else:
        second = codes[query, 1]
        for row in range(start, stop):
            near = ones(columns[0, row] ^ first) + ones(columns[1, row] ^ second)
            nearest = min(nearest, near)
    return np.int64(nearest)


@njit(inline="always")
def _slot(word: Any, slots: Any) -> Any:
    return ((word * np.uint64(_MIX)) >> np.uint64(32)) & np.uint64(slots - 1)


@njit(
    _place(_search, types.int64, types.UniTuple(types.int64, 2), out_type), nogil=True, cache=True
)
def near_by_two(search: Any, radius: Any, place: Any, out: Any) -> Any:
    """Find rows within a radius of codes of at least two words.

    Args:
        search: what is held: columns uint64 ``(words, capacity)``, count of rows, indicators and
            tags ``(capacity,)``; what is asked: codes uint64 ``(n, words)``, items and
            derivations ``(n,)``; what is wanted: allowed labels, and for each item the worst
            rank (derived << 16 | distance) and, at that rank, the youngest indicator.
        radius: bits.
        place: where to begin: a row that begins a block, and a query that begins a four.
        out: buffers for queries, rows, distances; at least `ROOM` long.

    Returns:
        How many were found; and the row and query to go on from. Done when that row is not below
        the count of rows.
    """
    (columns, rows, _indicators, _tags), (codes, _items, _derivations), _wanted = search
    found, query = 0, place[1]
    for block in range(place[0], rows, BLOCK):
        stop = min(block + BLOCK, rows)
        for i in range(query, codes.shape[0], TOGETHER):
            if i + 1 == codes.shape[0]:
                nearest = _nearest_alone(columns, block, stop, codes, i)
            else:
                nearest = _nearest_by_two(columns, block, stop, codes, i)
            if nearest <= radius:
                if out[0].shape[0] - found < ROOM:
                    return found, block, i
                for j in range(i, min(i + TOGETHER, codes.shape[0])):
                    found = _look_closer(search, radius, (block, j), out, found)
        query = 0
    return found, rows, 0


@njit(
    _place(_search, types.int64, types.UniTuple(types.int64, 2), out_type), nogil=True, cache=True
)
def near_by_one(search: Any, radius: Any, place: Any, out: Any) -> Any:
    """Do the same by the first word alone: for codes of one word, and for radius 0."""
    (columns, rows, _indicators, _tags), (codes, _items, _derivations), _wanted = search
    found, query = 0, place[1]
    for block in range(place[0], rows, BLOCK):
        stop = min(block + BLOCK, rows)
        for i in range(query, codes.shape[0], TOGETHER):
            if i + 1 == codes.shape[0]:
                nearest = _nearest_alone(columns, block, stop, codes, i)
            else:
                nearest = _nearest_by_one(columns, block, stop, codes, i)
            if nearest <= radius:
                if out[0].shape[0] - found < ROOM:
                    return found, block, i
                for j in range(i, min(i + TOGETHER, codes.shape[0])):
                    found = _look_closer(search, radius, (block, j), out, found)
        query = 0
    return found, rows, 0


@njit(_place(_search, _table, types.int64, out_type), nogil=True, cache=True)
def equal(search: Any, table: Any, row: Any, out: Any) -> Any:
    """Find rows equal to any of many codes: one look into a hash table for each row.

    Args:
        search: as for `near_by_two`.
        table: of the codes asked, as made by `hash_table`.
        row: where to begin.
        out: buffers; at least as long as the codes asked.

    Returns:
        As `near_by_two`; the query to go on from is always 0.
    """
    (columns, rows, indicators, tags), asked, wanted = search
    codes = asked[0]
    heads, chains = table
    queries, places, distances = out
    found = 0
    for j in range(row, rows):
        query = heads[_slot(columns[0, j], heads.shape[0])]
        if query >= 0 and queries.shape[0] - found < chains.shape[0]:
            return found, j, 0
        while query >= 0:
            if _distance(columns, codes, j, query) == 0 and _is_wanted(
                asked, wanted, tags[j], indicators[j], (query, 0)
            ):
                queries[found], places[found], distances[found] = query, j, 0
                found += 1
            query = chains[query]
    return found, rows, 0


@njit(types.void(_keys, _table), nogil=True, cache=True)
def hash_table(firsts: Any, table: Any) -> None:
    """Chain codes by their first word.

    Args:
        firsts: uint64 ``(n,)``, first words of the codes.
        table: heads int32, a power of two of them, and chains int32 ``(n,)``; filled here: a
            head is the first code of its slot, a chain the next one; -1 ends.
    """
    heads, chains = table
    heads[:] = -1
    for query in range(firsts.shape[0]):
        slot = _slot(firsts[query], heads.shape[0])
        chains[query] = heads[slot]
        heads[slot] = query
