# SPDX-License-Identifier: Apache-2.0
"""Videos are found by the share of their frames, as brute force finds them, however many meet."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matching.batches import Batch, Part, bytes_of
from matching.engine import Engine
from matching.search import frames, leasts, scan
from matching.search.exact import ExactSearch
from matching.signals import PDQ, VPDQ
from tests.fakes.changes import FakeFeed, plain
from tests.fakes.rows import agree, batch_of, chunk_of, engine_of, near_copies, random_codes

EVERYTHING = np.ones(8, np.bool_)


def clips(*videos):
    """Frames of videos: all codes, and of each which video it is of, from 0."""
    owners = np.repeat(np.arange(len(videos)), [len(video) for video in videos])
    return np.concatenate(videos), owners


def held(*videos, tags=None):
    """A chunk; the first video is indicator 1."""
    codes, owners = clips(*videos)
    return chunk_of(VPDQ, codes, keys=owners.astype(np.uint64) + np.uint64(1), tags=tags)


def asked(*videos):
    codes, owners = clips(*videos)
    part = Part(VPDQ, codes, owners.astype(np.uint32), np.zeros(len(codes), np.uint8))
    return Batch((part,), len(videos))


def flipped(codes, bits):
    """The codes with their first bits changed."""
    changed = codes.copy()
    changed[:, 0] ^= np.uint64((1 << bits) - 1) << np.uint64(64 - bits) if bits else np.uint64(0)
    return changed


def found(chunk, batch, **choices):
    hits = engine_of([chunk]).search(batch, EVERYTHING, **choices)
    return list(
        zip(hits.item.tolist(), hits.indicator.tolist(), hits.distance.tolist(), strict=True)
    )


@pytest.fixture
def scene():
    """Ten frames that have nothing in common, and ten others."""
    rng = np.random.default_rng(1)
    return random_codes(rng, VPDQ, 10), random_codes(rng, VPDQ, 10)


def test_frames_that_were_replaced_count_no_more(scene):
    # Given a video of twenty frames in a segment, of which ten were taken back since,
    known, other = scene
    feed = FakeFeed()
    whole = [bytes_of(VPDQ, frame[None]) for frame in np.concatenate(scene)]
    feed.change(1, 2, (plain(VPDQ.name, *whole),))
    feed.change(2, 2, (plain(VPDQ.name, *whole[:5]),))
    engine = Engine([VPDQ])
    engine.load(feed.snapshot())
    feed.change(1, 2, (plain(VPDQ.name, *whole[:10]),))
    feed.change(2, 0)

    engine.apply(feed.after(engine.position, 10))

    # then eight of the ten that are left are enough, among many that it has no more.
    table = engine.state.tables[VPDQ.name]
    assert len(table.pieces) == 1
    assert table.counts(np.array([1, 2, 3], np.uint64)).tolist() == [10, 0, 0]
    hits = engine.search(asked(np.concatenate([known[:8], other])), EVERYTHING)
    assert hits.indicator.tolist() == [1]


@pytest.mark.parametrize(("shown", "hit"), [(10, True), (8, True), (7, False), (0, False)])
def test_a_video_is_found_by_eight_of_its_ten_frames(scene, shown, hit):
    known, other = scene

    mixed = np.concatenate([known[:shown], other[shown:]])

    assert found(held(known), asked(mixed)) == ([(0, 1, 0)] if hit else [])


@pytest.mark.parametrize("extra", [1, 200])
def test_a_part_is_found_in_the_whole_and_the_whole_by_its_part(scene, extra):
    known, _ = scene
    longer = np.concatenate([known, random_codes(np.random.default_rng(2), VPDQ, extra)])

    # Of the frames asked all are found; of those stored, all.
    assert found(held(longer), asked(known)) == [(0, 1, 0)]
    assert found(held(known), asked(longer)) == [(0, 1, 0)]


def test_where_both_must_agree_a_part_does_not(scene):
    known, other = scene

    assert found(held(known), asked(known[:8]), both=True) == [(0, 1, 0)]
    assert found(held(known), asked(known[:7]), both=True) == []
    assert found(held(known[:7]), asked(known), both=True) == []
    assert found(held(np.concatenate([known, other])), asked(known), both=True) == []


def test_equal_frames_count_once_on_either_side(scene):
    known, other = scene
    still = np.repeat(known[:1], 90, axis=0)

    assert found(held(known), asked(np.concatenate([still, other]))) == []
    assert found(held(known), asked(np.concatenate([known, still]))) == [(0, 1, 0)]


def test_many_frames_asked_that_meet_one_stored_are_one_of_those_stored(scene):
    known, _ = scene
    rng = np.random.default_rng(3)
    alike = np.unique(near_copies(rng, VPDQ, known[:1], 50, most=8), axis=0)

    # Of those asked fewer than 0.8 are found, of those stored one of ten.
    assert found(held(known), asked(np.concatenate([alike, random_codes(rng, VPDQ, 20)]))) == []
    # All asked are found: they are a part of it, for what a share can tell.
    assert [hit[:2] for hit in found(held(known), asked(alike))] == [(0, 1)]


@pytest.mark.parametrize(
    ("bits", "told"), [(0, 0), (1, 1), (16, 16), (17, 17), (31, 31), (32, None)]
)
def test_a_video_is_as_near_as_the_frames_that_make_up_its_share(scene, bits, told):
    known, _ = scene
    altered = np.concatenate([known[:1], flipped(known[1:9], bits), flipped(known[9:], 60)])

    hits = found(held(known), asked(altered))

    assert hits == ([] if told is None else [(0, 1, told)])


def test_the_mask_comes_before_the_shares(scene):
    known, _ = scene
    # The same video twice: the first is of a label that is not for the asker.
    chunk = held(known, known, tags=np.repeat(np.array([2, 3], np.uint32), 10))

    hits = engine_of([chunk]).search(asked(known), np.array([0, 0, 0, 1], np.bool_))

    assert hits.indicator.tolist() == [2]


def test_frames_are_no_pictures_and_pictures_are_no_frames(scene):
    known, _ = scene
    engine = engine_of([held(known), chunk_of(PDQ, known, keys=np.arange(50, 60, dtype="u8"))])

    pictures = engine.search(batch_of(PDQ, known[:1]), EVERYTHING)
    videos = engine.search(asked(known), EVERYTHING)

    assert pictures.indicator.tolist() == [50]
    assert videos.indicator.tolist() == [1]


def test_the_cap_counts_videos_and_not_their_frames(scene):
    known, _ = scene
    engine = engine_of([held(known, known, known)])

    hits = engine.search(asked(known), EVERYTHING, per_item=2)

    assert (hits.indicator.tolist(), hits.truncated.tolist()) == ([1, 2], [True])
    assert not engine.search(asked(known), EVERYTHING, per_item=3).truncated.any()


@pytest.mark.parametrize("room", [1, 40, 1 << 20])
@pytest.mark.parametrize("both", [False, True])
def test_a_long_static_scene_is_exact_in_any_room(monkeypatch, room, both):
    monkeypatch.setattr(frames, "ROOM", room)
    monkeypatch.setattr(frames, "BLOCK", 64)
    rng = np.random.default_rng(room)
    still = random_codes(rng, VPDQ, 1)
    stored = [near_copies(rng, VPDQ, still, count, most=40) for count in (60, 3, 1, 90)]
    queries = [near_copies(rng, VPDQ, still, count, most=40) for count in (70, 1, 1, 150)]

    agree(
        engine_of([held(*stored)]),
        ExactSearch([held(*stored)]),
        asked(*queries),
        EVERYTHING,
        both=both,
    )


def test_what_is_remembered_stays_within_its_room(monkeypatch):
    room = 300
    monkeypatch.setattr(frames, "ROOM", room)
    largest = 0

    class Watched(leasts.Leasts):
        def take(self, pairs):
            nonlocal largest
            super().take(pairs)
            largest = max(largest, len(self))

    monkeypatch.setattr(frames, "Leasts", Watched)
    rng = np.random.default_rng(8)
    still = random_codes(rng, VPDQ, 1)
    stored = near_copies(rng, VPDQ, still, 200, most=8)
    queries = near_copies(rng, VPDQ, still, 2_000, most=8)
    chunk = held(*(row[None] for row in stored))

    hits = engine_of([chunk]).search(asked(queries), EVERYTHING, per_item=200)

    assert len(hits) == 200
    # 400,000 pairs were met; one portion may come on top of what there is room for.
    assert largest <= room + scan.ROOM


@st.composite
def worlds(draw):
    """Videos of few frames of few values, so that everything collides."""
    frame = st.integers(0, 5).map(lambda v: [v, v >> 1, 0, (v & 3) << 62])
    video = st.lists(frame, min_size=1, max_size=6)
    videos = draw(st.lists(video, min_size=1, max_size=5))
    queries = draw(st.lists(video, min_size=1, max_size=4))
    labels = draw(st.lists(st.integers(0, 3), min_size=len(videos), max_size=len(videos)))
    mask = draw(st.lists(st.booleans(), max_size=4))
    caps = draw(st.tuples(st.integers(1, 3), st.integers(1, 6)))
    radius, both = draw(st.integers(0, 4)), draw(st.booleans())
    return videos, queries, labels, mask, caps, radius, both


@settings(max_examples=300, deadline=None)
@given(worlds(), st.sampled_from([1, 2, 512]), st.sampled_from([1, 5, 1 << 20]))
def test_agrees_with_brute_force_on_tiny_worlds(world, block, room):
    videos, queries, labels, mask, (per_item, per_request), radius, both = world
    # A video's stored frames are distinct, as the hub keeps them.
    stored = [np.unique(np.array(video, np.uint64), axis=0) for video in videos]
    sizes = [len(video) for video in stored]
    chunk = held(*stored, tags=np.repeat(np.array(labels, np.uint32), sizes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "BLOCK", block)
        patch.setattr(frames, "ROOM", room)
        agree(
            engine_of([chunk]),
            ExactSearch([chunk]),
            asked(*(np.array(video, np.uint64) for video in queries)),
            np.array(mask, np.bool_),
            radius={"vpdq": radius},
            per_item=per_item,
            per_request=per_request,
            both=both,
        )
