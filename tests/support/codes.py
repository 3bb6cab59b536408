# SPDX-License-Identifier: Apache-2.0
"""Codes for tests: random ones that a picture could have, and others so many bits away."""

import random

from matching.signals import SIGNALS

PDQ_BITS = 256


def pdq(seed: object = None) -> str:
    """A PDQ code as a true one is: 128 ones of 256 bits."""
    ones = _random(seed).sample(range(PDQ_BITS), PDQ_BITS // 2)
    return f"{sum(1 << bit for bit in ones):064x}"


def code(signal: str, seed: object = None) -> str:
    """A random code of a signal."""
    if signal == "pdq":
        return pdq(seed)
    width = SIGNALS[signal].width
    return _random(seed).randbytes(width).hex()


def flipped(text: str, bits: int, seed: object = 0) -> str:
    """The code with exactly *bits* bits changed, ones and zeros by turns to keep its weight."""
    value, length = int(text, 16), 4 * len(text)
    places = list(range(length))
    _random(seed).shuffle(places)
    ones = [place for place in places if value >> place & 1]
    zeros = [place for place in places if not value >> place & 1]
    for place in (*ones[: bits // 2], *zeros[: bits - bits // 2]):
        value ^= 1 << place
    return f"{value:0{len(text)}x}"


def distance(one: str, other: str) -> int:
    """How many bits differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _random(seed: object) -> random.Random:
    return random.Random(None if seed is None else repr(seed))  # noqa: S311 - no secret
