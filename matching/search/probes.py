# SPDX-License-Identifier: Apache-2.0
"""Multi-index hashing, compiled: only the buckets that can hold something near are read.

A code is cut into parts. If it lies within the radius of another, the two agree within a few bits
in at least one part (`matching.search.plan` says how many, and why), so it is found in one of the
buckets whose value is that part with so many bits turned. A row within reach in several parts is
told once, in the first of them.

Real codes are not random: where a query meets crowded buckets, `spreading` first looks for another
way to spread its radius over the parts, for that query alone.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from matching.search.instructions import ones, prefetch
from matching.search.judging import (
    candidates_type,
    codes_type,
    ints_type,
    judge,
    layout_type,
    longs_type,
    search_type,
)
from matching.search.kernels import out_type
from matching.search.spreading import WHOLE, aside_type, look_up, spread_anew

AHEAD, CLOSE = 8, 4  # buckets whose entries, and whose rows, are fetched before they are needed
LINE, FEW = 4, 64  # entries of a cache line; rows of a bucket that are fetched beforehand
MOST = 512  # rows gathered before they are judged; a buffer needs room for so many
FOUR = 4  # words of a PDQ code
_RIDER = np.uint64(0xFFFFFFFF)

_code = types.uint64[::1]
_steps = types.UniTuple(longs_type, 3)
_three, _four = types.UniTuple(types.int64, 3), types.UniTuple(types.int64, 4)
_cut = types.Tuple((ints_type, layout_type, types.uint64[::1], longs_type))
_reach = types.Tuple((types.int64, longs_type, types.int64))


@njit(types.uint64(_code, codes_type, types.int64), nogil=True, cache=True)
def _apart(code: Any, codes: Any, row: Any) -> Any:
    """Count the bits in which a row differs; four words at once take two thirds of the time."""
    if codes.shape[1] == FOUR:
        first = ones(codes[row, 0] ^ code[0]) + ones(codes[row, 1] ^ code[1])
        return first + ones(codes[row, 2] ^ code[2]) + ones(codes[row, 3] ^ code[3])
    distance = np.uint64(0)
    for word in range(codes.shape[1]):
        distance += ones(codes[row, word] ^ code[word])
    return distance


@njit(_three(_code, codes_type, _steps, _three, candidates_type), nogil=True, cache=True)
def _ordered(code: Any, codes: Any, steps: Any, at: Any, candidates: Any) -> Any:
    """Gather near rows of the first part, in whose order the rows themselves lie.

    Args:
        code: uint64 ``(words,)``, the query.
        codes: uint64 ``(n, words)``.
        steps: as `look_up` filled them.
        at: radius in bits; step and entry to begin at.
        candidates: row, distance and part of each; filled here.

    Returns:
        How many were gathered, and the step and entry to go on from.
    """
    starts, stops, bounds = steps
    radius, step, entry = at
    rows, distances, ways = candidates
    found = 0
    for t in range(step, bounds[1]):
        for row in range(starts[t] + entry, stops[t]):
            distance = _apart(code, codes, row)
            if distance <= np.uint64(radius):
                rows[found], distances[found], ways[found] = row, distance, 0
                found += 1
                if found == rows.shape[0]:
                    return found, t, row + 1 - starts[t]
        entry = 0
    return found, bounds[1], 0


def _with_riders(code: Any, held: Any, steps: Any, at: Any, candidates: Any) -> Any:
    """Gather near rows of the other parts, whose entries carry riders.

    Args:
        code: as for `_ordered`.
        held: codes, entries, and `Plan.layout`.
        steps: as for `_ordered`.
        at: as for `_ordered`.
        candidates: as for `_ordered`.

    Returns:
        As `_ordered`.
    """
    codes, entries, parts = held
    starts, stops, bounds = steps
    radius, step, entry = at
    rows, distances, ways = candidates
    found, last = 0, bounds[parts.shape[0]]
    for p in range(1, parts.shape[0]):
        first = code[parts[p, 5]]
        second = (code[parts[p, 6]] >> np.uint64(parts[p, 7])) & _RIDER
        for t in range(max(step, bounds[p]), bounds[p + 1]):
            if t + AHEAD < last:
                for k in range(starts[t + AHEAD], stops[t + AHEAD], LINE):
                    prefetch(entries, k)
            for k in range(starts[t] + entry, stops[t]):
                rider = entries[k, 1]
                apart = ones(entries[k, 0] ^ first) + ones((rider >> np.uint64(32)) ^ second)
                if apart > np.uint64(radius):
                    continue
                row = np.int64(rider & _RIDER)
                distance = _apart(code, codes, row)
                if distance <= np.uint64(radius):
                    rows[found], distances[found], ways[found] = row, distance, p
                    found += 1
                    if found == rows.shape[0]:
                        return found, t, k + 1 - starts[t]
            entry = 0
    return found, last, 0


def _without(code: Any, held: Any, steps: Any, at: Any, candidates: Any) -> Any:
    """Gather near rows of the other parts, whose entries are row numbers alone.

    Args and what it returns: as for `_with_riders`.
    """
    codes, entries, parts = held
    starts, stops, bounds = steps
    radius, step, entry = at
    rows, distances, ways = candidates
    found, last = 0, bounds[parts.shape[0]]
    for p in range(1, parts.shape[0]):
        for t in range(max(step, bounds[p]), bounds[p + 1]):
            if t + AHEAD < last:
                prefetch(entries, starts[t + AHEAD])
            if t + CLOSE < last:
                end = min(stops[t + CLOSE], starts[t + CLOSE] + FEW)
                for k in range(starts[t + CLOSE], end):
                    prefetch(codes, np.int64(entries[k]))
            for k in range(starts[t] + entry, stops[t]):
                row = np.int64(entries[k])
                distance = _apart(code, codes, row)
                if distance <= np.uint64(radius):
                    rows[found], distances[found], ways[found] = row, distance, p
                    found += 1
                    if found == rows.shape[0]:
                        return found, t, k + 1 - starts[t]
            entry = 0
    return found, last, 0


def _listed(code: Any, held: Any, steps: Any, at: Any, candidates: Any) -> Any:
    """Stand for the one of the two above that fits the entries; compiled code alone calls it."""
    raise NotImplementedError


@overload(_listed)
def _listed_for(code: Any, held: Any, steps: Any, at: Any, candidates: Any) -> Any:  # noqa: ARG001  # numba's way
    # No closure over the one that fits: that would be compiled anew in every process.
    return _with_riders if held[1] == codes_type else _without


def _taking(entries_type: Any) -> Any:
    index_type = types.Tuple((entries_type, _cut, aside_type))
    return _four(search_type, index_type, _reach, _three, out_type)


@njit([_taking(codes_type), _taking(ints_type)], nogil=True, cache=True)
def near(search: Any, index: Any, reach: Any, place: Any, out: Any) -> Any:
    """Find the rows of a segment within a radius.

    Args:
        search: what is held: codes, indicators, tags, rows and labels of the overlay; what is
            asked and what is wanted, as for `kernels.near_by_two`.
        index: entries, with riders or without; offsets, `Plan.layout`, `Plan.turns`, `Plan.upto`;
            and of the crowds centres, bounds and distances.
        reach: radius in bits, bits turned in each part, entries that are too many for a query.
        place: where to begin: query, step, entry.
        out: buffers for queries, rows, distances; with room for `MOST` at least.

    Returns:
        How many were found, and the query, step and entry to go on from. Done when that query is
        not below the count of queries.
    """
    codes, questions = search[0][0], search[1][0]
    entries, cut, aside = index
    parts, turns = cut[1], cut[2]
    radius, spread, limit = reach
    count, most = len(parts), len(parts) * len(turns) + len(aside[0])
    given, found = np.empty(count, np.int64), 0
    steps = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(count + 1, np.int64)
    candidates = np.empty(MOST, np.int64), np.empty(MOST, np.int64), np.empty(MOST, np.int64)
    step, entry = place[1], place[2]
    for query in range(place[0], len(questions)):
        given[:] = spread
        code = questions[query]
        total = look_up(code, (cut, aside), radius, given, steps)
        if total > limit and given[0] != WHOLE:
            spread_anew(code, aside[1][0], cut, radius, given)
            look_up(code, (cut, aside), radius, given, steps)
        # What is farther than the worst that is still wanted is not even looked at.
        worst = search[2][1][search[1][1][query]]
        near_enough = np.int64(min(np.uint64(radius), worst))
        while step < steps[2][count]:
            if len(out[0]) - found < MOST:
                return found, query, step, entry
            at = (near_enough, step, entry)
            if step < steps[2][1]:
                near_by, step, entry = _ordered(code, codes, steps, at, candidates)
            else:
                held = (codes, entries, parts)
                near_by, step, entry = _listed(code, held, steps, at, candidates)
            told = (query, near_by, found)
            found = judge(search, (parts, given), told, candidates, out)
        step, entry = 0, 0
    return found, len(questions), 0, 0
