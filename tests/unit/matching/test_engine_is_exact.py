# SPDX-License-Identifier: Apache-2.0
"""The engine finds what brute force finds: no more, no less, in the same order."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matching.batches import Batch, Part
from matching.search import scan, selection
from matching.search.exact import ExactSearch
from matching.signals import ACCOUNT, MD5, ORDER, PDQ, PHASH, SHA1, SHA256
from tests.fakes.rows import agree, batch_of, chunk_of, engine_of, near_copies, random_codes

EVERYTHING = np.ones(8, np.bool_)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 10, 1_000, 100_000])
@pytest.mark.parametrize("signal", ORDER, ids=lambda signal: signal.name)
@pytest.mark.parametrize("queries", [1, 5, 40])
def test_agrees_with_brute_force_at_every_size(signal, rows, queries):
    rng = np.random.default_rng([rows, queries, signal.bits])
    chunk = chunk_of(signal, random_codes(rng, signal, rows), rng)
    asked = near_copies(rng, signal, chunk.codes, queries)

    agree(engine_of([chunk]), ExactSearch([chunk]), batch_of(signal, asked, rng), EVERYTHING)


@pytest.mark.parametrize("signal", [PDQ, PHASH], ids=lambda signal: signal.name)
@pytest.mark.parametrize("rows", [1, 2, 3, 1_023, 1_024, 1_025, 5_000])
def test_a_code_is_found_at_its_radius_and_not_one_bit_beyond(signal, rows):
    rng = np.random.default_rng(rows)
    codes = random_codes(rng, signal, rows)
    for place in {0, rows // 2, rows - 1}:
        for bits in (signal.near - 1, signal.near, signal.near + 1):
            flips = rng.permutation(signal.bits)[:bits]
            asked = codes[place : place + 1] ^ _mask(signal, flips)
            engine = engine_of([chunk_of(signal, codes)])

            hits = engine.search(batch_of(signal, asked), EVERYTHING)

            found = dict(zip(hits.indicator.tolist(), hits.distance.tolist(), strict=True))
            assert found.get(place + 1) == (bits if bits <= signal.near else None)


@pytest.mark.parametrize("word", range(4))
def test_all_the_difference_may_lie_in_one_word(word):
    code = np.zeros((1, 4), np.uint64)
    for bits, found in ((30, True), (31, True), (32, False)):
        asked = code.copy()
        asked[0, word] = (1 << bits) - 1

        hits = engine_of([chunk_of(PDQ, code)]).search(batch_of(PDQ, asked), EVERYTHING)

        assert len(hits) == found


@pytest.mark.parametrize("signal", [MD5, SHA1, SHA256, ACCOUNT], ids=lambda signal: signal.name)
@pytest.mark.parametrize("queries", [1, scan.FEW, scan.FEW + 1, 300])
def test_equal_means_equal_in_every_bit(signal, queries):
    rng = np.random.default_rng(queries)
    stored = random_codes(rng, signal, 2_000)
    # The first word always agrees: only the others tell codes apart.
    stored[:, 0] = stored[0, 0]
    asked = stored[rng.integers(0, len(stored), queries)]
    asked[::2] ^= _mask(signal, [signal.bits - 1])

    agree(
        engine_of([chunk_of(signal, stored)]),
        ExactSearch([chunk_of(signal, stored)]),
        batch_of(signal, asked),
        EVERYTHING,
    )


def test_a_radius_may_be_given_for_a_request():
    rng = np.random.default_rng(3)
    chunk = chunk_of(PDQ, random_codes(rng, PDQ, 1_100), rng)
    asked = batch_of(PDQ, near_copies(rng, PDQ, chunk.codes, 9), rng)
    for radius in (0, 16, 31, 90, 256):
        agree(
            engine_of([chunk]),
            ExactSearch([chunk]),
            asked,
            EVERYTHING,
            radius={"pdq": radius},
            per_item=5_000,
            per_request=200_000,
        )


@pytest.mark.parametrize("pending", [1, 50, 1 << 18])
@pytest.mark.parametrize(("per_item", "per_request"), [(1, 5), (3, 40), (100, 20_000)])
def test_crowded_neighbourhoods_are_cut_as_brute_force_cuts_them(
    monkeypatch, pending, per_item, per_request
):
    monkeypatch.setattr(selection, "PENDING", pending)
    rng = np.random.default_rng(pending)
    centre = random_codes(rng, PDQ, 1)
    pdq = chunk_of(PDQ, near_copies(rng, PDQ, centre, 300), rng, indicators=120)
    phash = chunk_of(PHASH, near_copies(rng, PHASH, centre[:, :1], 300), rng, indicators=120)
    items = rng.integers(0, 7, 20).astype(np.uint32)
    derivations = rng.integers(0, 3, 20).astype(np.uint8)
    parts = (
        Part(PDQ, near_copies(rng, PDQ, centre, 20), items, derivations),
        Part(PHASH, near_copies(rng, PHASH, centre[:, :1], 20), items, derivations),
    )

    agree(
        engine_of([pdq, phash]),
        ExactSearch([pdq, phash]),
        Batch(parts, 8),
        np.array([1, 1, 0, 1, 1], np.bool_),
        per_item=per_item,
        per_request=per_request,
    )


@pytest.mark.parametrize("worse", [0, 1, 2])
def test_what_comes_after_a_cap_was_reached_still_makes_it_truncated(monkeypatch, worse):
    monkeypatch.setattr(selection, "PENDING", 1)
    pdq = chunk_of(PDQ, np.zeros((3, 4), np.uint64))
    phash = chunk_of(
        PHASH, np.full((worse, 1), 3, np.uint64), keys=np.arange(8, 8 + worse, dtype=np.uint64)
    )
    item = np.zeros(1, np.uint32), np.zeros(1, np.uint8)
    parts = tuple(Part(s, np.zeros((1, s.words), np.uint64), *item) for s in (PDQ, PHASH))

    hits = engine_of([pdq, phash]).search(Batch(parts, 1), EVERYTHING, per_item=3)

    assert hits.indicator.tolist() == [1, 2, 3]
    assert hits.truncated.tolist() == [worse > 0]


def test_ten_thousand_variants_overflow_no_buffer_and_lose_nothing_uncapped():
    rng = np.random.default_rng(9)
    centre = random_codes(rng, PDQ, 1)
    stored = near_copies(rng, PDQ, centre, 10_000, most=10)
    engine = engine_of([chunk_of(PDQ, stored)])
    asked = batch_of(PDQ, near_copies(rng, PDQ, centre, 9, most=5))

    hits = engine.search(asked, EVERYTHING, capped=False)

    assert len(hits) == 90_000
    assert not hits.truncated.any()


@pytest.mark.parametrize("strangers", [150, 100_000])
def test_a_strangers_variants_never_hide_ones_own_hit(strangers):
    rng = np.random.default_rng(4)
    code = random_codes(rng, PDQ, 1)
    codes = np.concatenate([np.repeat(code, strangers, axis=0), code ^ _mask(PDQ, range(31))])
    tags = np.full(strangers + 1, 2, np.uint32)
    tags[-1] = 3
    engine = engine_of([chunk_of(PDQ, codes, tags=tags)])

    hits = engine.search(batch_of(PDQ, code), np.array([False, False, False, True]))

    assert hits.indicator.tolist() == [strangers + 1]
    assert not hits.truncated.any()


def test_truncated_is_said_of_the_item_that_was_cut_and_of_no_other():
    rng = np.random.default_rng(5)
    codes = random_codes(rng, PDQ, 2)
    stored = np.concatenate([np.repeat(codes[:1], 101, axis=0), np.repeat(codes[1:], 100, axis=0)])
    engine = engine_of([chunk_of(PDQ, stored)])

    hits = engine.search(batch_of(PDQ, codes), EVERYTHING)

    assert hits.truncated.tolist() == [True, False]
    assert hits.indicator[hits.item == 0].tolist() == list(range(1, 101))


def test_no_item_with_a_hit_loses_its_best_while_the_request_has_room():
    rng = np.random.default_rng(6)
    codes = random_codes(rng, PDQ, 50)
    stored = np.concatenate([np.repeat(codes[:1], 100, axis=0), codes[1:] ^ _mask(PDQ, range(20))])
    engine = engine_of([chunk_of(PDQ, stored)])

    hits = engine.search(batch_of(PDQ, codes), EVERYTHING, per_request=50)

    assert sorted(set(hits.item.tolist())) == list(range(50))
    assert len(hits) == 50
    assert hits.truncated.tolist() == [True] + [False] * 49


def test_label_0_and_labels_unknown_to_the_mask_are_never_found():
    code = np.zeros((3, 4), np.uint64)
    tags = np.array([1, 2, 5 << 24 | 3], np.uint32)
    engine = engine_of([chunk_of(PDQ, code, tags=tags)])

    def seen(mask):
        return engine.search(batch_of(PDQ, code[:1]), np.array(mask, np.bool_)).indicator.tolist()

    assert seen([]) == []
    assert seen([1]) == []
    assert seen([1, 1]) == [1]
    assert seen([1, 1, 0, 1]) == [1, 3]


@st.composite
def questions(draw):
    """A few rows and a few codes of tiny value ranges, so that everything collides."""
    words = st.lists(
        st.integers(0, 3).map(lambda v: [v, v >> 1, 0, v << 62]), min_size=0, max_size=8
    )
    stored, asked = draw(words), draw(words)
    small = st.integers(0, 3)
    n, m = len(stored), len(asked)
    columns = [draw(st.lists(small, min_size=k, max_size=k)) for k in (n, n, n, m, m)]
    mask = draw(st.lists(st.booleans(), max_size=4))
    caps = draw(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(0, 5)))
    return stored, asked, columns, mask, caps


@settings(max_examples=300, deadline=None)
@given(questions())
def test_agrees_with_brute_force_on_tiny_worlds(question):
    stored, asked, (indicators, labels, derivations, items, asked_derivations), mask, caps = (
        question
    )
    for signal in (PDQ, SHA256):
        chunk = chunk_of(
            signal,
            np.array(stored, np.uint64).reshape(-1, 4),
            keys=np.array(indicators, np.uint64) + np.uint64(1),
            tags=np.array(derivations, np.uint32) << np.uint32(24) | np.array(labels, np.uint32),
        )
        part = Part(
            signal,
            np.array(asked, np.uint64).reshape(-1, 4),
            np.array(items, np.uint32),
            np.array(asked_derivations, np.uint8),
        )
        agree(
            engine_of([chunk]),
            ExactSearch([chunk]),
            Batch((part,), 4),
            np.array(mask, np.bool_),
            per_item=caps[0],
            per_request=caps[1],
            radius={"pdq": caps[2]},
        )


def _mask(signal, bits):
    mask = np.zeros((1, signal.words), np.uint64)
    for bit in bits:
        mask[0, bit // 64] |= np.uint64(1 << (63 - bit % 64))
    return mask
