# SPDX-License-Identifier: Apache-2.0
"""Codes to hold and codes to ask: random ones, and the hard kinds that real lists are made of.

All are synthetic, and the same for the same seed. Words are as the engine holds them: uint64
``(n, 4)``, 256 bits a code.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BITS, WORDS = 256, 4
RADIUS = 31
PORTION = 1_000_000
"""Rows made at once: a hundred million never stand in memory twice."""
CLUSTER = 100_000
"""Variants of one lure."""
CLUSTER_BITS = 15
"""How far a variant is from its lure, at most: any two are within the radius."""
RUN = 10_000
"""Equal codes after one another."""
PART = np.uint64(0xFFFF)

Words = NDArray[np.uint64]
Bits = NDArray[np.intp]
Rng = np.random.Generator


@dataclass(frozen=True)
class Held:
    """So many random codes, made again whenever they are wanted."""

    size: int
    seed: int

    def portions(self) -> Iterator[Words]:
        """All of them, at most `PORTION` at once."""
        for number, begin in enumerate(range(0, self.size, PORTION)):
            yield random_words(min(PORTION, self.size - begin), self.seed + number)

    def words(self) -> Words:
        """All of them at once."""
        return np.concatenate([np.empty((0, WORDS), np.uint64), *self.portions()])

    def first(self) -> Words:
        """The first portion, to ask about."""
        return next(self.portions())


def random_words(count: int, seed: int) -> Words:
    """So many codes, far from each other."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << 64, (count, WORDS), np.uint64)


def mixed(held: Words, count: int, seed: int) -> Words:
    """Questions: a quarter exact, a quarter 1 to 31 bits away, half unknown, shuffled."""
    rng = np.random.default_rng(seed)
    chosen = held[rng.integers(0, len(held), count // 2)]
    bits = rng.integers(1, RADIUS + 1, count // 2)
    bits[: count // 4] = 0
    unknown = random_words(count - count // 2, seed + 1)
    asked = np.concatenate([turned(chosen, anywhere(count // 2, rng), bits), unknown])
    return asked[rng.permutation(count)]


def turned(codes: Words, order: Bits, bits: NDArray[np.integer] | int) -> Words:
    """Turn the first so many bits of each code in an order of its bits.

    Args:
        codes: uint64 ``(n, 4)``.
        order: ``(n, 256)``, each row a permutation of 0 to 255.
        bits: for all, or ``(n,)`` one for each.
    """
    turn = (np.arange(BITS) < np.reshape(bits, (-1, 1))).astype(np.uint8)
    mask = np.zeros((len(codes), BITS), np.uint8)
    np.put_along_axis(mask, order, np.broadcast_to(turn, mask.shape), axis=1)
    return codes ^ np.packbits(mask, axis=1).view(">u8").astype(np.uint64)


def anywhere(count: int, rng: Rng) -> Bits:
    """Orders in which bits are turned anywhere."""
    return rng.random((count, BITS), np.float32).argsort(axis=1)


def spread(count: int, rng: Rng, parts: int) -> Bits:
    """Orders in which bits are turned evenly over parts: the worst for an index by parts."""
    width = BITS // parts
    places = rng.random((count, parts, width), np.float32).argsort(axis=2)
    part = rng.random((count, parts), np.float32).argsort(axis=1)[:, :, None]
    return (part * width + places).transpose(0, 2, 1).reshape(count, BITS)


def together(count: int, rng: Rng) -> Bits:
    """Orders in which neighbours are turned: all of a part, none of others."""
    return (rng.integers(0, BITS, (count, 1)) + np.arange(BITS)) % BITS


def clustered(codes: Words, seed: int, size: int = CLUSTER) -> Words:
    """The first codes become variants of the very first; at most half of all."""
    rng = np.random.default_rng(seed)
    made, size = codes.copy(), min(size, len(codes) // 2)
    bits = rng.integers(0, CLUSTER_BITS + 1, size)
    made[:size] = turned(np.repeat(codes[:1], size, axis=0), anywhere(size, rng), bits)
    return made


def crowded(codes: Words, seed: int) -> Words:
    """Half of all codes share one part of 16 bits: one bucket holds them all."""
    del seed
    made, half = codes.copy(), len(codes) // 2
    made[:half, 0] = made[:half, 0] & ~PART | np.uint64(0xA5C3)
    return made


def repeated(codes: Words, seed: int, size: int = RUN) -> Words:
    """The first tenth, or all of few, are runs of equal codes."""
    del seed
    made, tenth = codes.copy(), max(min(len(codes), 10), len(codes) // 10)
    made[:tenth] = codes[np.arange(tenth) // size]
    return made


def as_bytes(codes: Words) -> NDArray[np.uint8]:
    """As faiss takes them: uint8 ``(n, 32)``."""
    return codes.astype(">u8").view(np.uint8).reshape(len(codes), BITS // 8)


def as_given(codes: Words, seed: int) -> Words:
    """The codes as they are."""
    del seed
    return codes


LAYOUTS: Mapping[str, Callable[[Words, int], Words]] = {
    "random": as_given,
    "cluster": clustered,
    "bucket of half": crowded,
    "equal runs": repeated,
}
