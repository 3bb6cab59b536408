# SPDX-License-Identifier: Apache-2.0
"""What the engine's benchmark believes in: its data, its brute force, and that it can say no."""

import numpy as np
import pytest

from bench.engine import exactness, ours, rivals
from bench.engine.data import (
    BITS,
    CLUSTER_BITS,
    LAYOUTS,
    RADIUS,
    anywhere,
    clustered,
    random_words,
    repeated,
    spread,
    together,
    turned,
)

SEED = 5


def distances(left, right):
    return np.bitwise_count(left ^ right).sum(axis=1)


@pytest.mark.parametrize("order", [anywhere, together, lambda n, rng: spread(n, rng, 16)])
@pytest.mark.parametrize("bits", [0, 1, RADIUS, RADIUS + 1, BITS])
def test_a_turned_code_is_exactly_so_far_away(order, bits):
    codes = random_words(20, SEED)

    there = turned(codes, order(20, np.random.default_rng(SEED)), bits)

    assert (distances(codes, there) == bits).all()


@pytest.mark.parametrize("parts", [8, 16, 32])
def test_spread_bits_leave_no_part_with_fewer_than_others_by_two(parts):
    codes = random_words(20, SEED)

    mask = codes ^ turned(codes, spread(20, np.random.default_rng(SEED), parts), RADIUS)

    turned_bits = np.unpackbits(mask.astype(">u8").view(np.uint8), axis=1)
    in_part = turned_bits.reshape(20, parts, -1).sum(axis=2)
    assert (in_part.max(axis=1) - in_part.min(axis=1) <= 1).all()


def test_variants_of_a_lure_are_near_to_each_other_and_few_others_are():
    made = clustered(random_words(400, SEED), SEED)

    assert (distances(made[:200], made[:1]) <= 2 * CLUSTER_BITS).all()
    assert (distances(made[200:], made[:1]) > RADIUS).all()


def test_runs_are_of_equal_codes():
    made = repeated(random_words(400, SEED), SEED)

    assert (made[:40] == made[0]).all()
    assert (made[40] != made[0]).any()


@pytest.mark.parametrize(("bits", "found"), [(RADIUS, 1), (RADIUS + 1, 0)])
def test_brute_force_finds_within_the_radius_only(bits, found):
    held = random_words(3, SEED)
    asked = turned(held[:1], anywhere(1, np.random.default_rng(SEED)), bits)

    keys = exactness.within(np.ascontiguousarray(held.T), np.ones(3, np.bool_), asked)

    assert len(keys) == found


def test_brute_force_does_not_take_the_opposite_for_the_same():
    held = random_words(1, SEED)

    keys = exactness.within(np.ascontiguousarray(held.T), np.ones(1, np.bool_), ~held)

    assert not len(keys)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 10, 1_000])
def test_the_engine_agrees_with_brute_force(layout, size):
    tally = exactness.Tally()

    exactness.compare(LAYOUTS[layout](random_words(size, SEED), SEED), 200, SEED, tally)

    assert tally.true == tally.found == tally.both
    assert tally.asked == 200
    assert tally.true or not size


def test_a_lost_row_is_told_as_recall_and_a_false_one_as_precision():
    tally = exactness.Tally()
    true, found = np.arange(10, dtype=np.uint64), np.arange(1, 12, dtype=np.uint64)

    tally.count(true, found)

    assert tally.recall == 90
    assert tally.precision == pytest.approx(100 * 9 / 11)


def test_a_row_told_twice_is_told_as_precision():
    tally = exactness.Tally()

    tally.count(np.zeros(1, np.uint64), np.zeros(2, np.uint64))

    assert tally.precision == 50


def test_a_snapshot_is_of_the_rows_it_says():
    codes = random_words(1_000, SEED)

    engine = ours.filled(lambda: [codes[:300], codes[300:]])
    ours.add(engine, random_words(3, SEED + 1))

    hits = ours.ask(engine, ours.question(codes), ours.everything())
    assert ours.total(engine).count == 1_003
    assert ours.found(hits).row.tolist() == list(range(1_000))


@pytest.mark.parametrize("make", [rivals.flat, rivals.multi, rivals.peer])
def test_rivals_find_what_we_find(make):
    pytest.importorskip("faiss", reason="`make bench-engine` installs the rivals")
    codes = random_words(200, SEED)
    rng = np.random.default_rng(SEED)
    asked = turned(codes, anywhere(200, rng), rng.integers(RADIUS - 1, RADIUS + 2, 200))

    rival = make(codes)
    found = rival.found(rival.ask(rival.ready(asked)))

    mine = ours.found(
        ours.ask(ours.filled(lambda: [codes]), ours.question(asked), ours.everything())
    )
    assert sorted(zip(found.query, found.row, found.distance, strict=True)) == sorted(
        zip(mine.query, mine.row, mine.distance, strict=True)
    )
