# SPDX-License-Identifier: Apache-2.0
"""A digest of a set of rows that is kept up to date by adding and subtracting.

Each row is mixed into 64 bits, and the digest of a set is their sum modulo 2**64: the order of
rows does not matter, and one change costs as much as it touches. It finds accidents (lost rows,
wrong labels, rotten bytes), not forgers. The writer of the truth, the engine and every check use
this one function. Mixing is SplitMix64's finaliser (Steele, Lea, Flood, 2014).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MASK = (1 << 64) - 1
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
# Below this many rows Python's integers are quicker than starting some sixty array operations.
_FEW = 16


def rows_digest(
    signal_index: int,
    indicators: NDArray[np.uint64],
    tags: NDArray[np.uint32],
    codes: NDArray[np.uint64],
) -> int:
    """Digest rows of one signal.

    Args:
        signal_index: place of the signal in the fixed order of signals.
        indicators: uint64 ``(n,)``.
        tags: uint32 ``(n,)``, derivation << 24 | label.
        codes: uint64 ``(n, words)``.

    Returns:
        The sum over the rows, modulo 2**64; 0 for no rows.
    """
    if len(indicators) <= _FEW:
        rows = zip(indicators.tolist(), tags.tolist(), codes.tolist(), strict=True)
        return sum(_row_digest(signal_index, *row) for row in rows) & MASK
    return int(np.add.reduce(row_digests(signal_index, indicators, tags, codes)))


def row_digests(
    signal_index: int,
    indicators: NDArray[np.uint64],
    tags: NDArray[np.uint32],
    codes: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    """What each row adds to the digest: uint64 ``(n,)``. Arguments as for ``rows_digest``."""
    state = np.full(len(indicators), signal_index + 1, np.uint64)
    for column in (indicators, tags.astype(np.uint64), *codes.T):
        state = _mixed(state ^ column)
    return state


def _row_digest(signal_index: int, indicator: int, tag: int, words: Sequence[int]) -> int:
    state = signal_index + 1
    for value in (indicator, tag, *words):
        state = (state ^ value) + _STEP & MASK
        state = (state ^ state >> 30) * _FIRST & MASK
        state = (state ^ state >> 27) * _SECOND & MASK
        state ^= state >> 31
    return state


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = values + np.uint64(_STEP)
    state = (state ^ state >> np.uint64(30)) * np.uint64(_FIRST)
    state = (state ^ state >> np.uint64(27)) * np.uint64(_SECOND)
    return state ^ state >> np.uint64(31)
