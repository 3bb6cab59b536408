# SPDX-License-Identifier: Apache-2.0
"""Near-duplicates by the thousand, laid aside: a centre, and how far from it each row lies.

One lure in 100,000 variants fills the same few buckets of every part, and whoever comes near reads
them over and over. So such rows are laid aside, in the order of their distance from a centre. If a
query is d bits from the centre, what is within r of it lies d - r to d + r bits from the centre,
by the triangle inequality; only that stretch is compared, once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.search import packing
from matching.search.plan import Plan

LEAST = 1_024
"""Rows of a crowd, and of the bucket that leads to it."""
CROWDED = 32
"""Times as many rows in a bucket as in one of random codes."""
MOST, TRIES = 64, 96
SAMPLE, COMPANY = 256, 8
"""Rows of a bucket looked at; if one of so many of them belongs to a crowd, it is looked for."""
WIDE = 4
"""A crowd reaches a quarter of a code's bits from its centre: random codes lie at half of them."""


@dataclass(frozen=True, eq=False)
class Crowds:
    """Rows laid aside, crowd after crowd, in each by their distance from its centre.

    Attributes:
        rows: int64, their numbers in what was given.
        centres: uint64 ``(k, words)``.
        bounds: int64 ``(k + 1,)``, where each crowd begins, counted from the first of them.
        apart: int64 ``(len(rows),)``, bits from the centre.
        offsets: uint32 ``(parts, values + 1)``, where the rest of each value of each part begins.
    """

    rows: NDArray[np.int64]
    centres: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    apart: NDArray[np.int64]
    offsets: NDArray[np.uint32]


def crowds(codes: NDArray[np.uint64], plan: Plan) -> Crowds:
    """Find the crowds among codes: uint64 ``(n, words)``, not to be written to.

    None among few codes, nor where a code is cut into one part: rows lie together there anyway.
    """
    offsets = _offsets(codes, plan)
    looked_for = plan.parts > 1 and len(codes) >= LEAST
    found = list(_crowds(codes, plan, offsets)) if looked_for else []
    none = np.empty(0, np.int64)
    sizes = [0, *(len(rows) for rows, *_ in found)]
    return Crowds(
        np.concatenate([none, *(rows for rows, *_ in found)]),
        np.array([centre for _, centre, _ in found], np.uint64).reshape(-1, codes.shape[1]),
        np.cumsum(sizes, dtype=np.int64),
        np.concatenate([none, *(apart for *_, apart in found)]),
        offsets,
    )


_Crowd = tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]


def _offsets(codes: NDArray[np.uint64], plan: Plan) -> NDArray[np.uint32]:
    offsets = np.zeros((plan.parts, plan.buckets // plan.parts), np.uint32)
    for part, of_part in zip(plan.layout(), offsets, strict=True):
        packing.count(codes, part, of_part)
    return offsets


def _crowds(
    codes: NDArray[np.uint64], plan: Plan, offsets: NDArray[np.uint32]
) -> Iterator[_Crowd]:
    """Find one crowd after another, and take it out of the offsets."""
    left = np.arange(len(codes))
    told = 0
    for part, of_part in zip(plan.layout(), offsets, strict=True):
        passed: set[int] = set()
        while told < MOST and len(passed) < TRIES:
            bucket, size = _heaviest(of_part, passed)
            if size < max(LEAST, CROWDED * len(codes) >> plan.width):
                break
            crowd = _around(codes, _within(codes, part, of_part, bucket))
            if crowd is None:
                passed.add(bucket)
                continue
            members, centre, apart = crowd
            yield left[members], centre, apart
            told += 1
            offsets -= _offsets(packing.fixed(codes[members]), plan)
            rest = np.delete(np.arange(len(codes)), members)
            left, codes = left[rest], packing.fixed(codes[rest])


def _heaviest(offsets: NDArray[np.uint32], passed: set[int]) -> tuple[int, int]:
    """The value of a part that most codes have, and how many have it."""
    sizes = np.diff(offsets)
    sizes[list(passed)] = 0
    bucket = int(sizes.argmax())
    return bucket, int(sizes[bucket])


def _within(
    codes: NDArray[np.uint64], part: NDArray[np.int64], offsets: NDArray[np.uint32], bucket: int
) -> NDArray[np.int64]:
    """The numbers of the codes that have a value."""
    places = np.empty(len(codes), np.uint32)
    packing.places(codes, part, offsets.copy(), places)
    return np.flatnonzero((places >= offsets[bucket]) & (places < offsets[bucket + 1]))


def _around(codes: NDArray[np.uint64], rows: NDArray[np.int64]) -> _Crowd | None:
    """Find a crowd of which some rows are part, if there is one: rows, centre, distances."""
    wide = 64 * codes.shape[1] // WIDE
    sample = codes[rows[:: max(1, len(rows) // SAMPLE)]]
    between = np.bitwise_count(sample[:, None] ^ sample[None]).sum(axis=2, dtype=np.int64)
    company = between <= wide
    best = int(company.sum(axis=1).argmax())
    if company[best].sum() * COMPANY < len(sample):
        return None
    bits = np.unpackbits(sample[company[best]].view(np.uint8), axis=1)
    centre = np.packbits(bits.mean(axis=0) > 0.5).view(np.uint64)  # noqa: PLR2004 - the most have it
    apart = np.empty(len(codes), np.int64)
    packing.distances(codes, centre, apart)
    members = np.flatnonzero(apart <= wide)
    if len(members) < LEAST:
        return None
    members = members[np.argsort(apart[members], kind="stable")]
    return members, centre, apart[members]
