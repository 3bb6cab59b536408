# SPDX-License-Identifier: Apache-2.0
"""Walks along a boundary are noticed; honest traffic is not."""

import numpy as np
import pytest

from hub.domain.errors import BudgetError
from hub.services.walks import PAUSE_SECONDS, SLOWED_SECONDS, WalkWatch
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


def walk(stored, chance, steps):
    """Stay at the boundary and turn one more bit at a time, as the published attack does."""
    at_edge = flipped(stored, chance, RADIUS)
    return [flipped(at_edge, chance, 1) for _ in range(steps)]


def ask(watch, operator, code, stored):
    hit = int(np.bitwise_count(code ^ stored).sum()) <= RADIUS
    items = np.zeros(1, np.uint32)
    part = Part(PDQ, code[None], items, items.astype(np.uint8))
    told = items if hit else items[:0]
    empty = told.astype(np.uint8)
    hits = Hits(told, told.astype(np.uint64), empty, told.astype(np.uint16), empty, empty,
                np.zeros(1, np.bool_))  # fmt: skip
    watch.hand_over(operator, Batch((part,), 1), hits)


def code_of(chance):
    return chance.integers(0, 2**64, PDQ.words, dtype=np.uint64)


def flipped(code, chance, bits):
    changed = code.copy()
    for bit in chance.choice(PDQ.bits, bits, replace=False):
        changed[bit // 64] ^= np.uint64(1 << int(bit % 64))
    return changed
