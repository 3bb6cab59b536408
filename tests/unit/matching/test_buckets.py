# SPDX-License-Identifier: Apache-2.0
"""Multi-index hashing finds exactly what comparing everything with everything finds."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matching.search import kernels, probes
from matching.search.buckets import Buckets, Plan

RADIUS = 31
LAST = np.iinfo(np.uint64).max


def random_codes(chance, count, words=4):
    return chance.integers(0, LAST, (count, words), np.uint64, endpoint=True)


def turned(chance, code, bits):
    """The code with exactly so many bits turned."""
    other = code.copy()
    for place in chance.choice(64 * len(code), bits, replace=False):
        other[place // 64] ^= np.uint64(1 << int(place) % 64)
    return other


def buffers(room):
    return np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint16)


def question(held, asked, allowed=(False, True), labels=None):
    rows, count = len(held), len(asked)
    columns = np.ascontiguousarray(held.T) if rows else np.zeros((asked.shape[1], 0), np.uint64)
    tags = np.ones(rows, np.uint32) if labels is None else labels.astype(np.uint32)
    everything = np.full(count, LAST)
    return (
        (columns, rows, np.arange(rows, dtype=np.uint64), tags),
        (
            np.ascontiguousarray(asked),
            np.arange(count, dtype=np.uint32),
            np.zeros(count, np.uint8),
        ),
        (np.array(allowed), everything, everything),
    )


def found_by_buckets(search, plan, radius, room=4096):
    """All that is found, however often the buffers have to be emptied."""
    (columns, rows, *_), (codes, *_), _ = search
    index = Buckets.of(columns, rows, plan).index
    out = buffers(room)
    found: list[tuple[int, ...]] = []
    place = (0, 0, 0, 0)
    while place[0] < len(codes):
        count, *rest = probes.near(search, index, radius, place, out)
        found += zip(*(column[:count].tolist() for column in out), strict=True)
        place = (*rest, 0)
    assert len(set(found)) == len(found), "something was told twice"
    return sorted(found)


def found_by_all(search, radius):
    (columns, rows, _, tags), (codes, *_), (allowed, *_) = search
    found = []
    for query, code in enumerate(codes):
        apart = np.bitwise_count(columns[:, :rows].T ^ code).sum(axis=1, dtype=np.int64)
        found += [
            (query, row, int(apart[row]))
            for row in np.flatnonzero(apart <= radius).tolist()
            if allowed[tags[row]]
        ]
    return sorted(found)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 10, 1000, 20_000])
def test_at_every_distance_around_the_radius_it_agrees_with_brute_force(rows):
    chance = np.random.default_rng(rows)
    held = random_codes(chance, rows)
    near = [
        turned(chance, held[chance.integers(rows)], bits)
        for bits in (0, 1, 16, RADIUS - 1, RADIUS, RADIUS + 1)
        for _ in range(20 if rows else 0)
    ]
    search = question(held, np.array([*near, *random_codes(chance, 20)]))

    found = found_by_buckets(search, Plan.of(4, RADIUS), RADIUS)

    assert found == found_by_all(search, RADIUS)
    assert len(found) >= (100 if rows else 0)


@settings(deadline=None, max_examples=60)
@given(
    words=st.integers(3, 5),
    width=st.sampled_from([4, 8, 16]),
    radius=st.integers(0, 48),
    rows=st.integers(0, 300),
    bits=st.integers(0, 60),
    seed=st.integers(0, 2**32),
    room=st.integers(1, 64),
)
def test_whatever_the_plan_it_agrees_with_brute_force(
    words, width, radius, rows, bits, seed, room
):
    chance = np.random.default_rng(seed)
    few = random_codes(chance, 3, words)
    held = np.array([turned(chance, few[i % 3], min(bits, i)) for i in range(rows)])
    held = held.reshape(rows, words).astype(np.uint64)
    asked = np.array([turned(chance, few[i % 3], i * 4) for i in range(9)])
    labels = chance.integers(0, 3, rows)
    search = question(held, asked, (False, True, False), labels)
    plan = Plan.of(words, radius, width)

    assert plan.radius >= radius
    assert found_by_buckets(search, plan, radius, room) == found_by_all(search, radius)


def test_a_smaller_radius_than_the_plans_is_exact_too():
    chance = np.random.default_rng(5)
    held = random_codes(chance, 500)
    asked = np.array([turned(chance, held[i], i % 33) for i in range(100)])
    search = question(held, asked)

    for radius in (0, 7, 16, 30):
        assert found_by_buckets(search, Plan.of(4, RADIUS), radius) == found_by_all(search, radius)


def test_ten_thousand_equal_codes_are_told_once_each():
    chance = np.random.default_rng(6)
    held = np.repeat(random_codes(chance, 1), 10_000, axis=0)
    search = question(held, held[:1])

    found = found_by_buckets(search, Plan.of(4, RADIUS), RADIUS, room=777)

    assert [row for _, row, _ in found] == list(range(10_000))


def test_plan_for_pdq_is_tight():
    plan = Plan.of(4, RADIUS)

    assert (plan.turned, plan.radius, plan.buckets) == ((1,) * 16, RADIUS, 272)


@pytest.mark.parametrize("odd", [(2, 31, 16), (4, 31, 12)])
def test_codes_that_cannot_be_cut_so_are_refused(odd):
    with pytest.raises(ValueError, match="words"):
        Plan.of(*odd)


def test_it_agrees_with_the_compiled_brute_force_too():
    chance = np.random.default_rng(8)
    held = random_codes(chance, 5_000)
    asked = np.array([turned(chance, held[i], i % 40) for i in range(200)])
    search = question(held, asked)
    out = (
        np.empty(1 << 14, np.uint32),
        np.empty(1 << 14, np.uint32),
        np.empty(1 << 14, np.uint16),
    )

    count, *_ = kernels.near_by_two(search, RADIUS, (0, 0), out)

    brute = sorted(zip(*(column[:count].tolist() for column in out), strict=True))
    assert found_by_buckets(search, Plan.of(4, RADIUS), RADIUS) == brute
