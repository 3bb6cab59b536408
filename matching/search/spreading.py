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

from matching.search.instructions import prefetch

WHOLE = -2  # of the first part: all rows are compared
BUCKET_COST = 16  # entries that could be read in the time a bucket is looked up
ROW_COST = 2  # entries that could be read in the time a row is compared
_FAR = 1 << 62

_ints = types.Array(types.uint32, 1, "C", readonly=True)
_longs = types.int64[::1]
_code = types.uint64[::1]
_cut = types.Tuple((_ints, types.int64[:, ::1], types.uint64[::1], _longs))
_steps = types.Tuple((_longs, _longs, _longs))


@njit(inline="always")
def _value(code: Any, parts: Any, p: Any) -> Any:
    """The value of a part; shifted twice, for to shift by a whole word is undefined."""
    upper = (code[parts[p, 2]] << np.uint64(1)) << np.uint64(63 - parts[p, 1])
    return ((code[parts[p, 0]] >> np.uint64(parts[p, 1])) | upper) & np.uint64(parts[p, 3])


@njit(types.int64(_code, types.int64, _cut, _longs, _steps), nogil=True, cache=True)
def look_up(code: Any, rows: Any, cut: Any, given: Any, steps: Any) -> Any:
    """Find the buckets of a query.

    Args:
        code: uint64 ``(words,)``.
        rows: how many there are.
        cut: offsets, `Plan.layout`, `Plan.turns`, `Plan.upto`.
        given: int64 ``(parts,)``, bits to be turned in each part; of the first `WHOLE` for all.
        steps: for each bucket where its entries begin and end, and ``(parts + 1,)`` where the
            buckets of each part begin; filled here.

    Returns:
        How many entries there are in all.
    """
    offsets, parts, turns, upto = cut
    starts, stops, bounds = steps
    if given[0] == WHOLE:
        starts[0], stops[0] = 0, rows
        bounds[:] = 1
        bounds[0] = 0
        return rows
    at, total = 0, 0
    for p in range(parts.shape[0]):
        bounds[p] = at
        value = _value(code, parts, p)
        for t in range(upto[given[p] + 1]):
            starts[at] = parts[p, 4] + np.int64(value ^ turns[t])
            prefetch(offsets, starts[at])
            at += 1
    bounds[parts.shape[0]] = at
    for p in range(parts.shape[0]):
        # The lists of the parts lie one after another; the first part has none.
        before = (p - 1) * rows if p else 0
        for t in range(bounds[p], bounds[p + 1]):
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
        rows: how many there are.
        cut: as for `look_up`.
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
