# SPDX-License-Identifier: Apache-2.0
"""Which of the rows that are near are told, compiled; callees first: they are needed at once."""

from typing import Any

import numpy as np
from numba import njit, types

from matching.search.instructions import ones
from matching.search.kernels import asked_type, is_seen, out_type, rank_of, wanted_type

# What is held may be mapped from a file, and is never written to.
codes_type = types.Array(types.uint64, 2, "C", readonly=True)
ints_type = types.Array(types.uint32, 1, "C", readonly=True)
longs_type = types.int64[::1]
layout_type = types.int64[:, ::1]
_keys = types.Array(types.uint64, 1, "C", readonly=True)
_held = types.Tuple((codes_type, _keys, ints_type, ints_type, ints_type))
search_type = types.Tuple((_held, asked_type, wanted_type))
candidates_type = types.UniTuple(longs_type, 3)
_cut = types.Tuple((layout_type, longs_type))
_codes_two = types.Tuple((codes_type, types.uint64[:, ::1]))
_three = types.UniTuple(types.int64, 3)


@njit(types.uint32(_held, types.int64), nogil=True, cache=True)
def _tag(held: Any, row: Any) -> Any:
    """The tag of a row: as it was written, or with the label it was given since."""
    _codes, _indicators, tags, rows, labels = held
    low, high = 0, rows.shape[0]
    while low < high:
        middle = (low + high) // 2
        if rows[middle] < row:
            low = middle + 1
        else:
            high = middle
    if low < rows.shape[0] and rows[low] == row:
        return (tags[row] & np.uint32(0xFF000000)) | labels[low]
    return tags[row]


@njit(types.boolean(_codes_two, _cut, _three), nogil=True, cache=True)
def _is_first(compared: Any, cut: Any, place: Any) -> Any:
    """Whether no earlier part leads to the row as well."""
    codes, questions = compared
    parts, given = cut
    row, query, way = place
    for p in range(way):
        word, following = parts[p, 0], parts[p, 2]
        apart = (codes[row, word] ^ questions[query, word]) >> np.uint64(parts[p, 1])
        # Shifted twice, for to shift by a whole word is undefined.
        upper = (codes[row, following] ^ questions[query, following]) << np.uint64(1)
        apart |= upper << np.uint64(63 - parts[p, 1])
        if np.int64(ones(apart & np.uint64(parts[p, 3]))) <= given[p]:
            return False
    return True


@njit(types.int64(search_type, _cut, _three, candidates_type, out_type), nogil=True, cache=True)
def judge(search: Any, cut: Any, asked: Any, candidates: Any, out: Any) -> Any:
    """Write down which rows are told, after those found before.

    Those are told that the asker wants, and to which no earlier part leads as well.

    Args:
        search: what is held, what is asked, what is wanted.
        cut: `Plan.layout`, and the bits turned in each part for this query.
        asked: the query, how many candidates there are, how many rows were found before.
        candidates: row, distance, and the part that led to it, of each.
        out: buffers for queries, rows, distances; with room for all candidates.

    Returns:
        How many rows are found now.
    """
    held, (codes, items, derivations), (allowed, ranks, worst_indicators) = search
    indicators, tags = held[1], held[2]
    query, count, found = asked
    rows, distances, ways = candidates
    queries, rows_told, distances_told = out
    item, derivation, changed = items[query], derivations[query], len(held[3]) > 0
    worst, worst_indicator = ranks[item], worst_indicators[item]
    for place in range(count):
        row, distance, way = rows[place], distances[place], ways[place]
        # No call where none is needed: to hand arrays over takes longer than all the rest.
        tag = _tag(held, row) if changed else tags[row]
        rank = rank_of(distance, tag, derivation)
        if rank > worst or (rank == worst and indicators[row] > worst_indicator):
            continue
        if not is_seen(tag, allowed):
            continue
        if way == 0 or _is_first((held[0], codes), cut, (row, query, way)):
            queries[found], rows_told[found], distances_told[found] = query, row, distance
            found += 1
    return found
