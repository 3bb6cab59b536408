# SPDX-License-Identifier: Apache-2.0
"""Synthetic PDQ codes: like true ones they have exactly 128 ones; unlike them, no picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BITS, ONES = 256, 128
FARTHEST = 31
"""Bits by which a near code differs at most: the radius."""

Bits = NDArray[np.uint8]
"""uint8 ``(n, 256)``, a bit each."""


@dataclass(frozen=True)
class Questions:
    """Codes to ask, as hex, and which of them are known."""

    texts: list[str]
    known: list[bool]


def random_codes(count: int, seed: int) -> Bits:
    """So many codes, far from each other; the same for the same seed."""
    rng = np.random.default_rng(seed)
    row = np.repeat(np.array([0, 1], np.uint8), ONES)
    return rng.permuted(np.tile(row, (count, 1)), axis=1)


def near(codes: Bits, seed: int) -> Bits:
    """Each code with 1 to 31 bits flipped, half of them ones: of weight 127 or 128."""
    rng = np.random.default_rng(seed)
    moved = codes.copy()
    for row in moved:
        bits = int(rng.integers(1, FARTHEST + 1))
        ones = rng.choice(np.flatnonzero(row == 1), (bits + 1) // 2, replace=False)
        zeros = rng.choice(np.flatnonzero(row == 0), bits // 2, replace=False)
        row[ones], row[zeros] = 0, 1
    return moved


def as_hex(codes: Bits) -> list[str]:
    """The codes as they travel."""
    return [value.hex() for value in packed_codes(codes)]


def packed_codes(codes: Bits) -> list[bytes]:
    """The codes as they are kept, 32 bytes each."""
    return [row.tobytes() for row in np.packbits(codes, axis=1)]


def mixed_questions(held: Bits, count: int, seed: int) -> Questions:
    """A quarter exact, a quarter near, half unknown, shuffled."""
    rng = np.random.default_rng(seed)
    quarter = count // 4
    chosen = held[rng.choice(len(held), 2 * quarter, replace=False)]
    unknown = random_codes(count - 2 * quarter, seed + 1)
    texts = as_hex(np.concatenate([chosen[:quarter], near(chosen[quarter:], seed), unknown]))
    order = rng.permutation(count).tolist()
    return Questions([texts[i] for i in order], [i < 2 * quarter for i in order])


def without_hits(count: int, seed: int) -> Questions:
    """Unknown codes alone."""
    return Questions(as_hex(random_codes(count, seed)), [False] * count)
