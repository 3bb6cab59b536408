# SPDX-License-Identifier: Apache-2.0
"""Which buckets one query reads, compiled; and another choice where those are crowded.

Every plan spreads the radius evenly over the parts, which is best for random codes. Real ones have
favourite values: a part that half of all codes share leads to half of all rows. How many rows
each choice leads to is known before any is read, from the offsets alone; so for such a query the
cheapest choice that still misses nothing is computed: fewer bits turned in crowded parts, none at
all in some, more in the others (as in Qin et al., "GPH: Similarity Search in Hamming Space",
2018).
"""

from typing import Any

import numpy as np
from numba import njit, types

from matching.search.instructions import ones, prefetch

WHOLE = -2  # of the first part: all rows are compared
BUCKET_COST = 16  # entries that could be read in the time a bucket is looked up
ROW_COST = 2  # entries that could be read in the time a row is compared
_FAR = 1 << 62

_ints = types.Array(types.uint32, 1, "C", readonly=True)
_longs = types.int64[::1]
_code = types.uint64[::1]
_cut = types.Tuple((_ints, types.int64[:, ::1], types.uint64[::1], _longs))
aside_type = types.Tuple(
    (
        types.Array(types.uint64, 2, "C", readonly=True),
        types.Array(types.int64, 1, "C", readonly=True),
        types.Array(types.int64, 1, "C", readonly=True),
    )
)
_index = types.Tuple((_cut, aside_type))
_steps = types.Tuple((_longs, _longs, _longs))


@njit(inline="always")
def _value(code: Any, parts: Any, p: Any) -> Any:
    """The value of a part; shifted twice, for to shift by a whole word is undefined."""
    upper = (code[parts[p, 2]] << np.uint64(1)) << np.uint64(63 - parts[p, 1])
    return ((code[parts[p, 0]] >> np.uint64(parts[p, 1])) | upper) & np.uint64(parts[p, 3])


@njit(types.int64(_code, aside_type, types.int64, _steps), nogil=True, cache=True)
def _crowds(code: Any, aside: Any, radius: Any, steps: Any) -> Any:
    """Find the stretch of each crowd that may lie within the radius; return how many there are."""
    centres, bounds, apart = aside
    starts, stops, _bounds = steps
    first, at = bounds[0], 0
    for crowd in range(centres.shape[0]):
        distance = np.uint64(0)
        for word in range(code.shape[0]):
            distance += ones(centres[crowd, word] ^ code[word])
        # By the triangle inequality; distances from the centre ascend.
        begin, end = bounds[crowd] - first, bounds[crowd + 1] - first
        low = begin + np.searchsorted(apart[begin:end], np.int64(distance) - radius)
        high = begin + np.searchsorted(apart[begin:end], np.int64(distance) + radius + 1)
        if low < high:
            starts[at], stops[at] = first + low, first + high
            at += 1
    return at


@njit(types.int64(_code, _index, types.int64, _longs, _steps), nogil=True, cache=True)
def look_up(code: Any, index: Any, radius: Any, given: Any, steps: Any) -> Any:
    """Find the stretches of rows and the buckets that a query reads.

    Args:
        code: uint64 ``(words,)``.
        index: offsets, `Plan.layout`, `Plan.turns`, `Plan.upto`; and of the crowds centres, bounds
            and distances.
        radius: bits.
        given: int64 ``(parts,)``, bits to be turned in each part; of the first `WHOLE` for all.
        steps: for each stretch of rows, then for each bucket where its entries begin and end; and
            ``(parts + 1,)`` where the buckets of each part begin; filled here. Those of crowds
            come before those of the first part, and are counted with them.

    Returns:
        How many entries there are in all, crowds aside.
    """
    (offsets, parts, turns, upto), aside = index
    starts, stops, bounds = steps
    rows, count = aside[1][0], parts.shape[0]
    at = _crowds(code, aside, radius, steps)
    bounds[0] = 0
    if given[0] == WHOLE:
        starts[at], stops[at] = 0, rows
        bounds[1:] = at + 1
        return rows
    buckets = at
    for p in range(count):
        value = _value(code, parts, p)
        for t in range(upto[given[p] + 1]):
            starts[at] = parts[p, 4] + np.int64(value ^ turns[t])
            prefetch(offsets, starts[at])
            at += 1
        bounds[p + 1] = at
    total = 0
    for p in range(count):
        # The lists of the parts lie one after another; the first part has none.
        before = (p - 1) * rows if p else 0
        for t in range(max(buckets, bounds[p]), bounds[p + 1]):
            bucket = starts[t]
            starts[t] = before + np.int64(offsets[bucket])
            stops[t] = before + np.int64(offsets[bucket + 1])
            total += stops[t] - starts[t]
    return total


@njit(types.void(_code, types.int64, _cut, types.int64, _longs), nogil=True, cache=True)
def spread_anew(code: Any, rows: Any, cut: Any, radius: Any, given: Any) -> None:
    """Choose how many bits to turn in each part so that the fewest entries are read.

    Args:
        code: uint64 ``(words,)``.
        rows: how many there are, crowds aside.
        cut: the first of what `look_up` takes as index.
        radius: bits; nothing within it is missed.
        given: int64 ``(parts,)``; filled here.
    """
    offsets, parts, turns, upto = cut
    count, choices, need = parts.shape[0], upto.shape[0], radius + 1
    # best[p, k]: the least cost at which the first p parts together make up for k of the need.
    best = np.full((count + 1, need + 1), _FAR, np.int64)
    chosen = np.zeros((count, need + 1), np.int64)
    best[0, 0] = 0
    cost = np.zeros(choices, np.int64)
    for p in range(count):
        value = _value(code, parts, p)
        for c in range(1, choices):
            cost[c] = cost[c - 1]
            for t in range(upto[c - 1], upto[c]):
                bucket = parts[p, 4] + np.int64(value ^ turns[t])
                cost[c] += BUCKET_COST + np.int64(offsets[bucket + 1] - offsets[bucket])
        for k in range(need + 1):
            for c in range(choices):
                whole = best[p, k] + cost[c]
                to = min(need, k + c)
                if whole < best[p + 1, to]:
                    best[p + 1, to], chosen[p, to] = whole, k
    if best[count, need] >= rows * ROW_COST:
        given[:] = -1
        given[0] = WHOLE
        return
    k = need
    for p in range(count - 1, -1, -1):
        before = chosen[p, k]
        given[p] = k - before - 1
        k = before
