# SPDX-License-Identifier: Apache-2.0
"""Putting rows into the order of their parts, compiled: a histogram, then one pass, for each part.

See `matching.search.plan` for what parts and riders are. All of it releases the GIL.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from matching.search.instructions import ones

_codes = types.Array(types.uint64, 2, "C", readonly=True)
_keys = types.Array(types.uint64, 1, "C", readonly=True)
_rows = types.Array(types.uint32, 1, "C", readonly=True)
_pairs = types.uint64[:, ::1]
_ints = types.uint32[::1]
_part = types.int64[::1]
_RIDER = np.uint64(0xFFFFFFFF)


@njit(types.void(_codes, _part, _ints), nogil=True, cache=True)
def count(codes: Any, part: Any, offsets: Any) -> None:
    """Count the rows of every value of a part, then say where those of each begin.

    Args:
        codes: uint64 ``(n, words)``.
        part: a row of `Plan.layout`.
        offsets: uint32 ``(values + 1,)``, zeros; filled here.
    """
    word, following, mask = part[0], part[2], np.uint64(part[3])
    low, high = np.uint64(part[1]), np.uint64(63 - part[1])
    for row in range(codes.shape[0]):
        # Shifted twice: to shift by a whole word is undefined.
        upper = (codes[row, following] << np.uint64(1)) << high
        value = np.int64(((codes[row, word] >> low) | upper) & mask)
        offsets[value + 1] += np.uint32(1)
    for bucket in range(offsets.shape[0] - 1):
        offsets[bucket + 1] += offsets[bucket]


@njit(types.void(_codes, _part, _ints, _ints), nogil=True, cache=True)
def places(codes: Any, part: Any, cursors: Any, found: Any) -> None:
    """Say for every row where it comes in the order of a part; equal values keep their order.

    Args:
        codes: uint64 ``(n, words)``.
        part: a row of `Plan.layout`.
        cursors: a copy of the offsets that `count` made; spoilt here.
        found: uint32 ``(n,)``; filled here.
    """
    word, following, mask = part[0], part[2], np.uint64(part[3])
    low, high = np.uint64(part[1]), np.uint64(63 - part[1])
    for row in range(codes.shape[0]):
        upper = (codes[row, following] << np.uint64(1)) << high
        value = np.int64(((codes[row, word] >> low) | upper) & mask)
        found[row] = cursors[value]
        cursors[value] += np.uint32(1)


@njit(types.void(_codes, _part, _ints, _pairs), nogil=True, cache=True)
def fill_with_riders(codes: Any, part: Any, cursors: Any, entries: Any) -> None:
    """List all rows in the order of a part, with their riders.

    Args:
        codes: uint64 ``(n, words)``.
        part: a row of `Plan.layout`.
        cursors: a copy of the offsets that `count` made; spoilt here.
        entries: uint64 ``(n, 2)``; filled here: 64 bits of the code; 32 bits of it and the row.
    """
    word, following, mask = part[0], part[2], np.uint64(part[3])
    low, high = np.uint64(part[1]), np.uint64(63 - part[1])
    first, second, shift = part[5], part[6], np.uint64(part[7])
    for row in range(codes.shape[0]):
        upper = (codes[row, following] << np.uint64(1)) << high
        value = np.int64(((codes[row, word] >> low) | upper) & mask)
        place = np.int64(cursors[value])
        cursors[value] += np.uint32(1)
        rider = (codes[row, second] >> shift) & _RIDER
        entries[place, 0] = codes[row, first]
        entries[place, 1] = rider << np.uint64(32) | np.uint64(row)


@njit(types.void(_codes, _part, _ints, _ints), nogil=True, cache=True)
def fill(codes: Any, part: Any, cursors: Any, entries: Any) -> None:
    """List all rows in the order of a part.

    Args:
        codes: uint64 ``(n, words)``.
        part: a row of `Plan.layout`.
        cursors: a copy of the offsets that `count` made; spoilt here.
        entries: uint32 ``(n,)``; filled here with row numbers.
    """
    word, following, mask = part[0], part[2], np.uint64(part[3])
    low, high = np.uint64(part[1]), np.uint64(63 - part[1])
    for row in range(codes.shape[0]):
        upper = (codes[row, following] << np.uint64(1)) << high
        value = np.int64(((codes[row, word] >> low) | upper) & mask)
        entries[cursors[value]] = np.uint32(row)
        cursors[value] += np.uint32(1)


@njit(types.void(_codes, _ints, _pairs), nogil=True, cache=True)
def put(codes: Any, where: Any, ordered: Any) -> None:
    """Put each code where it is to lie.

    Args:
        codes: uint64 ``(n, words)``.
        where: uint32 ``(n,)``.
        ordered: uint64 ``(n, words)``; filled here.
    """
    for row in range(codes.shape[0]):
        for word in range(codes.shape[1]):
            ordered[where[row], word] = codes[row, word]


@njit(types.void(_codes, types.uint64[::1], types.int64[::1]), nogil=True, cache=True)
def distances(codes: Any, code: Any, apart: Any) -> None:
    """Count the bits in which each code differs from one.

    Args:
        codes: uint64 ``(n, words)``.
        code: uint64 ``(words,)``.
        apart: int64 ``(n,)``; filled here.
    """
    for row in range(codes.shape[0]):
        total = np.uint64(0)
        for word in range(codes.shape[1]):
            total += ones(codes[row, word] ^ code[word])
        apart[row] = total


@njit(types.uint64(types.uint64), inline="always")
def _mixed(value: Any) -> Any:
    """SplitMix64's finaliser, as in `matching.digests`."""
    state = value + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@njit(types.uint64(types.uint64, _keys, _rows, _codes), nogil=True, cache=True)
def digest(signal: Any, indicators: Any, tags: Any, codes: Any) -> Any:
    """Digest many rows as `matching.digests.rows_digest` does.

    Args:
        signal: place of the signal in the fixed order of signals.
        indicators: uint64 ``(n,)``.
        tags: uint32 ``(n,)``.
        codes: uint64 ``(n, words)``.
    """
    total = np.uint64(0)
    for row in range(indicators.shape[0]):
        state = _mixed((signal + np.uint64(1)) ^ indicators[row])
        state = _mixed(state ^ np.uint64(tags[row]))
        for word in range(codes.shape[1]):
            state = _mixed(state ^ codes[row, word])
        total += state
    return total


@njit(types.UniTuple(types.int64, 2)(_keys, _rows, types.uint64), nogil=True, cache=True)
def span(indicators: Any, order: Any, indicator: Any) -> Any:
    """Find the rows of an indicator: from where to where they stand in the order of indicators.

    Args:
        indicators: uint64 ``(n,)``, by row.
        order: uint32 ``(n,)``, rows in the order of their indicators.
        indicator: whose.
    """
    low, high = 0, order.shape[0]
    while low < high:
        middle = (low + high) // 2
        if indicators[order[middle]] < indicator:
            low = middle + 1
        else:
            high = middle
    end = low
    while end < order.shape[0] and indicators[order[end]] == indicator:
        end += 1
    return low, end


def fixed(array: NDArray[Any]) -> NDArray[Any]:
    """See an array as one that is not written to, which is what the kernels take."""
    view = array.view()
    view.flags.writeable = False
    return view
