# SPDX-License-Identifier: Apache-2.0
"""Walks along a boundary are noticed; honest traffic is not."""

import numpy as np
import pytest

from hub.domain.errors import BudgetError
from hub.domain.indicators import NEIGHBOUR_BITS
from hub.services.walks import (
    BALL_BITS,
    LEAST_A_SIDE,
    PAUSE_SECONDS,
    SLOWED_SECONDS,
    Trail,
    WalkWatch,
)
from matching.batches import Batch, Hits, Part
from matching.signals import PDQ

WALKER, OTHER = 7, 8
RADIUS = PDQ.near


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def noticed():
    return []


@pytest.fixture
def watch(clock, noticed):
    return WalkWatch(clock, noticed.append)


def test_a_walk_is_noticed_long_before_the_280_queries_it_needs(watch, noticed):
    chance = np.random.default_rng(7)
    stored = code_of(chance)

    queries = walk(stored, chance, 120)
    for code in queries:
        ask(watch, WALKER, code, stored)
    watch.look()

    assert noticed == [WALKER]


def test_a_walk_between_two_bands_is_noticed_in_one_large_request(watch, noticed):
    chance = np.random.default_rng(11)
    stored = code_of(chance)
    at_band = flipped(stored, chance, NEIGHBOUR_BITS)
    filler = [code_of(chance) for _ in range(2000)]

    ask_many(watch, WALKER, [*filler, *walk_from(at_band, chance, PDQ.bits)], stored)
    watch.look()

    assert noticed == [WALKER]


def test_ten_thousand_honest_queries_at_once_are_no_walk(watch, noticed):
    chance = np.random.default_rng(12)
    stored = code_of(chance)

    ask_many(watch, OTHER, [code_of(chance) for _ in range(3000)], stored)
    watch.look()

    assert noticed == []


def test_a_hundred_near_copies_of_one_known_picture_are_no_walk(watch, noticed):
    chance = np.random.default_rng(8)
    stored = code_of(chance)

    for _ in range(100):
        ask(watch, OTHER, flipped(stored, chance, int(chance.integers(0, 12))), stored)
    watch.look()

    assert noticed == []


def test_the_same_question_asked_again_and_again_is_no_walk(watch, noticed):
    chance = np.random.default_rng(9)
    stored = code_of(chance)
    inside, outside = flipped(stored, chance, RADIUS), flipped(stored, chance, RADIUS + 2)

    for _ in range(20):
        ask(watch, OTHER, inside, stored)
        ask(watch, OTHER, outside, stored)
    watch.look()

    assert noticed == []


def test_who_was_noticed_is_slowed_down_and_let_go_in_the_end(watch, clock):
    chance = np.random.default_rng(10)
    stored = code_of(chance)
    for code in walk(stored, chance, 120):
        ask(watch, WALKER, code, stored)
    watch.look()

    with pytest.raises(BudgetError):
        watch.admit(WALKER)
    watch.admit(OTHER)
    clock.now += PAUSE_SECONDS
    watch.admit(WALKER)
    with pytest.raises(BudgetError):
        watch.admit(WALKER)
    clock.now += SLOWED_SECONDS
    watch.admit(WALKER)
    watch.admit(WALKER)


@pytest.mark.parametrize("seed", range(30))
def test_a_trail_says_what_comparing_every_query_with_every_other_says(seed):
    chance = np.random.default_rng(seed)
    centres = [code_of(chance) for _ in range(3)]
    codes = np.array(
        [
            flipped(centres[chance.integers(3)], chance, int(chance.integers(1, 6)))
            if chance.random() < 0.6
            else code_of(chance)
            for _ in range(90)
        ]
        + centres
    )
    sides = chance.integers(0, 3, len(codes)).astype(np.uint8)
    near = np.bitwise_count(codes[:, None] ^ codes[None]).sum(axis=2) <= BALL_BITS
    in_balls = np.stack([(near & (sides == side)).sum(axis=1) for side in range(3)])

    straddles = Trail().add(codes, sides)

    assert straddles == bool(((in_balls >= LEAST_A_SIDE).sum(axis=0) > 1).any())


def walk(stored, chance, steps):
    return walk_from(flipped(stored, chance, RADIUS), chance, steps)


def walk_from(place, chance, steps):
    """Turn bits one at a time, each once, as the published attack does."""
    return [turned(place, bit) for bit in chance.permutation(PDQ.bits)[:steps]]


def ask(watch, operator, code, stored):
    ask_many(watch, operator, [code], stored)


def ask_many(watch, operator, codes, stored):
    words = np.array(codes)
    distance = np.bitwise_count(words ^ stored).sum(axis=1, dtype=np.uint16)
    items = np.arange(len(codes), dtype=np.uint32)
    part = Part(PDQ, words, items, np.zeros(len(codes), np.uint8))
    told = np.flatnonzero(distance <= RADIUS).astype(np.uint32)
    plain = np.zeros(len(told), np.uint8)
    hits = Hits(
        item=told,
        indicator=np.ones(len(told), np.uint64),
        signal=plain,
        distance=distance[told],
        asked=plain,
        stored=plain,
        truncated=np.zeros(len(codes), np.bool_),
    )
    watch.hand_over(operator, Batch((part,), len(codes)), hits)


def code_of(chance):
    return chance.integers(0, 2**64, PDQ.words, dtype=np.uint64)


def flipped(code, chance, bits):
    changed = code.copy()
    for bit in chance.choice(PDQ.bits, bits, replace=False):
        changed = turned(changed, bit)
    return changed


def turned(code, bit):
    changed = code.copy()
    changed[bit // 64] ^= np.uint64(1 << int(bit % 64))
    return changed
