# SPDX-License-Identifier: Apache-2.0
"""Multi-index hashing finds exactly what comparing everything with everything finds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matching.batches import Part
from matching.ports import Chunk, Total
from matching.search import crowds, probes, segment as segments, spreading
from matching.search.overlay import NOTHING
from matching.search.plan import Plan
from matching.search.recent import Recent
from matching.search.scan import Scan
from matching.search.segment import in_memory
from matching.search.selection import Limits
from matching.search.table import Piece, Table
from matching.signals import PDQ, Signal

RADIUS = 31
LAST = np.iinfo(np.uint64).max
TIGHT = Plan(4, 16, 16, riders=True)


def signal_of(words):
    return Signal(f"of {words} words", 64 * words, RADIUS, True, None, "made up")  # noqa: FBT003 - strong


def random_codes(chance, count, words=4):
    return chance.integers(0, LAST, (count, words), np.uint64, endpoint=True)


def turned(chance, code, bits):
    """The code with exactly so many bits turned."""
    other = code.copy()
    for place in chance.choice(64 * len(code), min(bits, 64 * len(code)), replace=False):
        other[place // 64] ^= np.uint64(1 << int(place) % 64)
    return other


class Question:
    """Codes asked of codes held, answered by a plan and by comparing everything."""

    def __init__(self, held, asked, *, labels=None, allowed=(False, True), later=None):
        self.held, self.asked = held, np.ascontiguousarray(asked)
        count = len(held)
        self.labels = np.ones(count, np.uint32) if labels is None else labels.astype(np.uint32)
        self.later, self.allowed = later or {}, np.array(allowed, np.bool_)

    def by(self, plan, radius):
        """Everything found through a segment of this plan: query, indicator, distance."""
        signal = replace(PDQ) if self.asked.shape[1] == 4 else signal_of(self.asked.shape[1])
        keys = np.arange(len(self.held), dtype=np.uint64)
        rows = Chunk(signal.name, np.ascontiguousarray(self.held), keys, self.labels)
        segment = in_memory(signal, rows, plan)
        later = {segment.rows_of(key)[0]: label for key, label in self.later.items()}
        piece = Piece(segment, NOTHING.laid_over(later), Total(0, 0))
        table = Table(signal, (piece,), Recent.none(signal), Total(0, 0))
        count = len(self.asked)
        part = Part(
            signal, self.asked, np.arange(count, dtype=np.uint32), np.zeros(count, np.uint8)
        )
        scan = Scan(table, part, radius, self.allowed, Limits.none(count))
        found = [
            row
            for p in scan.portions()
            for row in zip(
                p.queries.tolist(), p.indicators.tolist(), p.distances.tolist(), strict=True
            )
        ]
        assert len(set(found)) == len(found), "something was told twice"
        return sorted(found)

    def by_all(self, radius):
        labels = self.labels.copy()
        for key, label in self.later.items():
            labels[key] = label
        found = []
        for query, code in enumerate(self.asked):
            apart = np.bitwise_count(self.held ^ code).sum(axis=1, dtype=np.int64)
            found += [
                (query, row, int(apart[row]))
                for row in np.flatnonzero(apart <= radius).tolist()
                if labels[row] < len(self.allowed) and self.allowed[labels[row]]
            ]
        return sorted(found)


@pytest.mark.parametrize("riders", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 10, 1000, 20_000])
def test_at_every_distance_around_the_radius_it_agrees_with_brute_force(rows, riders):
    chance = np.random.default_rng(rows)
    held = random_codes(chance, rows)
    near = [
        turned(chance, held[chance.integers(rows)], bits)
        for bits in (0, 1, 16, RADIUS - 1, RADIUS, RADIUS + 1)
        for _ in range(20 if rows else 0)
    ]
    question = Question(held, np.array([*near, *random_codes(chance, 20)]))

    found = question.by(replace(TIGHT, riders=riders), RADIUS)

    assert found == question.by_all(RADIUS)
    assert len(found) >= (100 if rows else 0)


@st.composite
def plans(draw):
    """Any cut of any code: also parts that cross words, and bits in no part."""
    words = draw(st.integers(1, 5))
    parts = draw(st.integers(1, 24))
    width = draw(st.integers(1, min(14, 64 * words // parts)))
    return Plan(words, parts, width, draw(st.booleans()) and words > 1)


@settings(deadline=None, max_examples=150)
@given(
    plan=plans(),
    radius=st.integers(0, 48),
    rows=st.integers(0, 300),
    bits=st.integers(0, 60),
    seed=st.integers(0, 2**32),
    crowd=st.sampled_from([0, 4_096]),
    least=st.sampled_from([2, 1_024]),
)
def test_whatever_the_plan_it_agrees_with_brute_force(
    plan, radius, rows, bits, seed, crowd, least
):
    chance = np.random.default_rng(seed)
    few = random_codes(chance, 3, plan.words)
    held = np.array([turned(chance, few[i % 3], min(bits, i)) for i in range(rows)])
    held = held.reshape(rows, plan.words).astype(np.uint64)
    asked = np.array([turned(chance, few[i % 3], i * 4) for i in range(9)])
    later = {int(row): int(chance.integers(0, 3)) for row in range(0, rows, 3)}
    question = Question(
        held, asked, labels=chance.integers(0, 3, rows), allowed=(False, True), later=later
    )

    with pytest.MonkeyPatch.context() as patch:
        # With 0 nearly every query is spread anew.
        patch.setattr(segments, "CROWD", crowd)
        patch.setattr(segments, "PATIENCE", 4 if crowd else 0)
        # With 2 the smallest company is laid aside as a crowd.
        patch.setattr(crowds, "LEAST", least)
        assert question.by(plan, radius) == question.by_all(radius)


@settings(deadline=None, max_examples=100)
@given(plan=plans(), radius=st.integers(0, 48))
def test_a_spread_makes_up_for_one_bit_more_than_the_radius(plan, radius):
    spread = plan.spread(radius)

    if spread is not None:
        assert sum(bits + 1 for bits in spread) == radius + 1
        assert max(spread) <= len(plan.upto) - 2


@settings(deadline=None, max_examples=100)
@given(plan=plans(), radius=st.integers(0, 48), seed=st.integers(0, 2**32))
def test_a_spread_made_anew_makes_up_for_it_too(plan, radius, seed):
    chance = np.random.default_rng(seed)
    rows = Chunk(
        "",
        random_codes(chance, 200, plan.words),
        np.arange(200, dtype=np.uint64),
        np.ones(200, np.uint32),
    )
    segment = in_memory(signal_of(plan.words), rows, plan)
    given_bits = np.zeros(plan.parts, np.int64)

    spreading.spread_anew(rows.codes[0], 200, segment.cut, radius, given_bits)

    if given_bits[0] != spreading.WHOLE:
        assert (given_bits + 1).sum() >= radius + 1
        assert given_bits.max() <= len(plan.upto) - 2


@settings(deadline=None, max_examples=100)
@given(plan=plans())
def test_riders_never_count_a_bit_twice(plan):
    for word, _, _, _, _, first, second, shift in plan.layout().tolist() if plan.riders else ():
        ridden = [first * 64 + bit for bit in range(64)]
        ridden += [second * 64 + shift + bit for bit in range(32)]
        assert len(set(ridden)) == 96
        assert max(ridden) < plan.words * 64
        assert word < plan.words


@pytest.mark.parametrize(
    "plan", [TIGHT, replace(TIGHT, riders=False), Plan(4, 12, 20), Plan(4, 10, 22, riders=True)]
)
def test_no_bucket_is_read_in_vain(plan):
    # Given codes at the radius, each of which one bucket alone leads to: in one part as many bits
    # are turned as may be, in all others one more,
    code, spread = random_codes(np.random.default_rng(1), 1)[0], plan.spread(RADIUS)
    assert spread is not None
    beyond = [((2 << bits) - 1) << part * plan.width for part, bits in enumerate(spread)]
    asked = []
    for part, bits in enumerate(spread):
        for turn in plan.turns[plan.upto[bits] : plan.upto[bits + 1]].tolist():
            mask = sum(beyond) - beyond[part] + (turn << part * plan.width)
            words = [mask >> 64 * word & int(LAST) for word in range(4)]
            asked.append(code ^ np.array(words, np.uint64))
    question = Question(code.reshape(1, -1), np.array(asked))

    # then all of them are found.
    found = question.by(plan, RADIUS)
    assert len(found) == len(question.asked)
    assert {distance for _, _, distance in found} == {RADIUS}


def test_a_smaller_radius_than_the_plans_is_exact_too():
    chance = np.random.default_rng(5)
    held = random_codes(chance, 500)
    asked = np.array([turned(chance, held[i], i % 33) for i in range(100)])
    question = Question(held, asked)

    for radius in (0, 7, 16, 30):
        assert question.by(TIGHT, radius) == question.by_all(radius)


@pytest.mark.parametrize("room", [1, 7, 1_024])
def test_ten_thousand_equal_codes_are_told_once_each(monkeypatch, room):
    chance = np.random.default_rng(6)
    held = np.repeat(random_codes(chance, 1), 10_000, axis=0)
    monkeypatch.setattr("matching.search.scan.ROOM", probes.MOST + room)

    found = Question(held, held[:1]).by(TIGHT, RADIUS)

    assert [row for _, row, _ in found] == list(range(10_000))


@pytest.mark.parametrize("spread", [0, 5, 16, 31])
@pytest.mark.parametrize("plan", [TIGHT, Plan(4, 11, 12), Plan(4, 32, 8, riders=True)], ids=str)
def test_crowds_are_laid_aside_and_found_at_every_distance_from_their_centre(plan, spread):
    """Two lures in thousands of variants each, among codes of nothing in particular."""
    chance = np.random.default_rng(spread)
    centres = random_codes(chance, 2)
    variants = [
        turned(chance, centres[i % 2], int(chance.integers(spread + 1))) for i in range(6_000)
    ]
    held = np.array([*random_codes(chance, 6_000), *variants])[chance.permutation(12_000)]
    asked = [turned(chance, centres[i % 2], bits) for i in range(2) for bits in range(0, 90, 3)]
    later = {int(row): 2 for row in chance.choice(12_000, 3_000, replace=False)}
    question = Question(held, np.array([*asked, *held[:20]]), later=later)

    assert question.by(plan, RADIUS) == question.by_all(RADIUS)
    rows = Chunk("pdq", held, np.arange(12_000, dtype=np.uint64), np.ones(12_000, np.uint32))
    segment = in_memory(PDQ, rows, plan)
    assert len(segment.centres) == 2
    assert len(segment.apart) == 6_000


def test_what_merely_shares_a_part_is_no_crowd():
    chance = np.random.default_rng(2)
    held = random_codes(chance, 20_000)
    held.view(np.uint16).reshape(20_000, 16)[:, 3] = 7
    rows = Chunk("pdq", held, np.arange(20_000, dtype=np.uint64), np.ones(20_000, np.uint32))

    assert len(in_memory(PDQ, rows, TIGHT).centres) == 0


@pytest.mark.parametrize("shared", [1, 4, 12])
def test_buckets_that_hold_half_of_all_codes_are_gone_round_and_nothing_is_missed(shared):
    """Half of the codes agree in some parts, as pictures with one border do."""
    chance = np.random.default_rng(shared)
    held = random_codes(chance, 40_000)
    same = held[:20_000].view(np.uint16).reshape(20_000, 16)
    same[:, :shared] = 7
    asked = np.array([turned(chance, held[i], i % 35) for i in range(60)])
    question = Question(held, asked)

    assert question.by(TIGHT, RADIUS) == question.by_all(RADIUS)


def test_a_query_that_meets_a_crowd_reads_less_when_it_is_spread_anew():
    chance = np.random.default_rng(1)
    held = random_codes(chance, 100_000)
    held[:50_000].view(np.uint16).reshape(50_000, 16)[:, 3] = 7
    rows = Chunk("pdq", held, np.arange(100_000, dtype=np.uint64), np.ones(100_000, np.uint32))
    segment = in_memory(PDQ, rows, TIGHT)
    steps = tuple(np.empty(16 * len(TIGHT.turns), np.int64) for _ in range(2))
    steps = (*steps, np.empty(17, np.int64))
    usual, anew = np.ones(16, np.int64), np.zeros(16, np.int64)

    before = spreading.look_up(held[0], (segment.cut, segment.aside), RADIUS, usual, steps)
    spreading.spread_anew(held[0], 100_000, segment.cut, RADIUS, anew)
    after = spreading.look_up(held[0], (segment.cut, segment.aside), RADIUS, anew, steps)

    assert before > 50_000
    assert after < 5_000


def test_plan_for_pdq_is_tight():
    assert TIGHT.spread(RADIUS) == (1,) * 16
    assert TIGHT.steps((1,) * 16) == 272


@pytest.mark.parametrize(
    "odd", [(1, 5, 16, False), (4, 0, 3, False), (1, 2, 3, True), (4, 1, 0, False)]
)
def test_codes_that_cannot_be_cut_so_are_refused(odd):
    with pytest.raises(ValueError, match="code"):
        Plan(*odd)


@settings(deadline=None, max_examples=60)
@given(plan=plans(), rows=st.integers(0, 200), seed=st.integers(0, 2**32))
def test_the_rows_of_an_indicator_are_found_wherever_they_were_put(plan, rows, seed):
    chance = np.random.default_rng(seed)
    keys = chance.integers(0, 20, rows).astype(np.uint64)
    chunk = Chunk("", random_codes(chance, rows, plan.words), keys, np.ones(rows, np.uint32))

    segment = in_memory(signal_of(plan.words), chunk, plan)

    for key in range(20):
        found = segment.codes[segment.rows_of(key)].tolist()
        assert sorted(found) == sorted(chunk.codes[keys == key].tolist())
