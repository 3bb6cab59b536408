# SPDX-License-Identifier: Apache-2.0
import hashlib

import numpy as np
import pdqhash
import pytest
from hypothesis import given, strategies as st
from skimage import data

from hub.domain.frames import telling
from hub.domain.guards import (
    ITEM_KINDS,
    LEAST_QUALITY,
    MOST_FRAMES,
    STRONG_SIGNALS,
    contribution_flaws,
    has_possible_weight,
    is_searchable,
    query_flaws,
)
from hub.domain.indicators import Code
from matching.degenerate import DEGENERATE, DEGENERATE_BITS, is_degenerate
from matching.signals import ORDER, PDQ
from tests.vectors.degenerate import SIZES, patterns

PHOTOGRAPHS = ["astronaut", "camera", "chelsea", "coffee", "coins", "grass", "page", "rocket"]


def pdq(ones=128, **facts):
    """A code of that many ones, spread such that it is near nothing degenerate."""
    bits = np.random.default_rng(7).permutation(256) < ones
    return Code("pdq", np.packbits(bits).tobytes(), **{"quality": 100, **facts})


def frame(at_ms, **facts):
    """The same as the frame of a video; the API calls it a pdq with a time."""
    return Code("vpdq", pdq().value, **{"quality": 100, "at_ms": at_ms, **facts})


def code(signal, number=1, **facts):
    width = next(one.width for one in ORDER if one.name == signal)
    return Code(signal, number.to_bytes(width, "big"), **facts)


def hashed(drawn):
    pixels = np.clip(np.rint(np.asarray(drawn, float)), 0, 255).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    vector, quality = pdqhash.compute(np.ascontiguousarray(pixels))
    return Code("pdq", np.packbits(vector).tobytes(), quality=int(quality))


def slugs(flaws):
    return [(flaw.slug, flaw.index) for flaw in flaws]


def test_the_guards_know_the_signals_as_the_engine_does():
    assert {signal.name for signal in ORDER if signal.strong} == STRONG_SIGNALS
    assert PDQ.quality_floor == LEAST_QUALITY


# Codes that no picture has, or that show nothing.


@pytest.mark.parametrize(
    ("ones", "possible"), [(119, False), (120, True), (128, True), (136, True), (137, False)]
)
def test_a_pdq_code_has_120_to_136_ones(ones, possible):
    expected = [] if possible else [("impossible-pdq", 1)]
    codes = [code("md5"), pdq(ones)]

    assert has_possible_weight(pdq(ones).value) == possible
    assert slugs(contribution_flaws("picture", codes)) == expected
    assert slugs(query_flaws("picture", codes)) == expected


@pytest.mark.parametrize(
    ("quality", "fine"), [(0, False), (49, False), (50, True), (100, True), (None, True)]
)
def test_low_quality_is_refused_as_knowledge_and_only_not_searched_as_a_question(quality, fine):
    asked = pdq(quality=quality)

    assert slugs(contribution_flaws("picture", [asked])) == ([] if fine else [("low-quality", 0)])
    assert query_flaws("picture", [asked]) == ()
    assert is_searchable(asked) == fine


def test_only_strong_signals_are_worth_a_miss():
    searchable = {signal.name for signal in ORDER if is_searchable(code(signal.name))}

    assert searchable == STRONG_SIGNALS


def test_two_hundred_pictures_that_show_nothing_are_all_refused():
    y, x = np.mgrid[0:128, 0:128] / 127
    flat = [np.full((128, 128), level) for level in range(0, 255, 3)]
    tiny = [np.full((size, size), level) for size in (1, 2, 3, 4) for level in range(0, 255, 17)]
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    slopes = [np.cos(angle) * x + np.sin(angle) * y for angle in angles]
    gradients = [(slope - slope.min()) / np.ptp(slope) * 255 for slope in slopes]
    pictures = [*flat, *tiny, *gradients]

    let_in = [
        i for i, one in enumerate(pictures) if not contribution_flaws("picture", [hashed(one)])
    ]

    assert len(pictures) >= 200
    assert let_in == []


def test_patterns_of_high_quality_are_refused_too_plain_or_paler():
    drawn = [(name, one) for size in SIZES for name, one in patterns(size)]
    codes = {name: hashed(one * 255) for name, one in drawn}
    unnoticed = [name for name, one in codes.items() if not contribution_flaws("picture", [one])]
    paler = [hashed(60 + one * 120) for name, one in drawn if "stripes" not in name]
    let_in = sum(not contribution_flaws("picture", [one]) for one in paler)

    assert unnoticed == []
    assert let_in <= 0.05 * len(paler)  # where a pattern's symmetry leaves bits to rounding


def test_a_checkerboard_has_full_weight_and_quality_and_is_refused_all_the_same():
    board = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((32, 32))) * 255
    found = hashed(board)

    assert (found.quality, has_possible_weight(found.value)) == (100, True)
    assert slugs(contribution_flaws("picture", [found])) == [("low-information-hash", 0)]


@pytest.mark.parametrize("signal", ["md5", "sha1", "sha256"])
def test_digests_of_nothing_are_known_by_nobody(signal):
    size = hashlib.new(signal).digest_size
    for value in (hashlib.new(signal, b"").digest(), bytes(size)):
        found = Code(signal, value)
        assert slugs(contribution_flaws("picture", [found])) == [("low-information-hash", 0)]
        assert slugs(query_flaws("picture", [found])) == []
    fine = Code(signal, hashlib.new(signal, b"something").digest())
    assert slugs(contribution_flaws("picture", [fine])) == []


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_are_let_in_and_are_far_from_everything_degenerate(name):
    found = hashed(getattr(data, name)())
    number = int.from_bytes(found.value, "big")

    assert contribution_flaws("picture", [found]) == ()
    assert min((number ^ known).bit_count() for known in DEGENERATE) >= 90


@given(st.sampled_from(DEGENERATE), st.sets(st.integers(0, 255), max_size=DEGENERATE_BITS))
def test_whatever_is_within_40_bits_of_a_degenerate_code_is_degenerate(known, bits):
    near = known ^ sum(1 << bit for bit in bits)

    assert is_degenerate(near.to_bytes(32, "big"))


@pytest.mark.parametrize(("bits", "found"), [(40, True), (41, False)])
def test_degenerate_means_at_most_40_bits(bits, found):
    # Black is the only code so light: nothing else is near its neighbours.
    assert is_degenerate(((1 << bits) - 1).to_bytes(32, "big")) == found


# The shape of an item.


def test_an_item_of_each_kind_is_taken():
    derived = [pdq(derivation=1 + i) for i in range(31)]
    still = [pdq(), *derived, code("phash"), code("md5"), code("sha1"), code("sha256")]
    frames = [frame(i * 40) for i in range(MOST_FRAMES)]

    assert contribution_flaws("picture", still) == ()
    assert contribution_flaws("video", [*frames, code("md5")]) == ()
    assert contribution_flaws("account", [code("account", 1), code("account", 2)]) == ()
    assert query_flaws("picture", still) == ()


def test_a_picture_has_one_plain_code_of_a_signal():
    codes = [pdq(), code("md5", 1), pdq(), code("md5", 2)]

    expected = [("two-plain-codes", 2), ("two-plain-codes", 3)]
    assert slugs(contribution_flaws("picture", codes)) == expected
    assert slugs(query_flaws("picture", codes)) == expected


@pytest.mark.parametrize(("number", "flaws"), [(32, []), (33, [("too-many-codes", 32)])])
def test_at_most_32_codes_of_one_signal(number, flaws):
    codes = [pdq(derivation=i) for i in range(number)]

    assert slugs(contribution_flaws("picture", codes)) == flaws
    assert slugs(query_flaws("picture", codes)) == flaws


@pytest.mark.parametrize(("number", "flaws"), [(20, []), (21, [("too-many-codes", 40)])])
def test_at_most_40_codes_in_all(number, flaws):
    codes = [pdq(derivation=i) for i in range(20)]
    codes += [code("phash", derivation=i) for i in range(number)]

    assert slugs(contribution_flaws("picture", codes)) == flaws


def test_far_too_many_codes_are_one_flaw_of_their_signal_and_one_of_the_item():
    codes = [pdq(derivation=1)] * 1000

    assert slugs(query_flaws("picture", codes)) == [("too-many-codes", 32), ("too-many-codes", 40)]


@pytest.mark.parametrize(
    "codes",
    [
        [code("phash")],
        [pdq(derivation=1)],
        [code("phash"), pdq(derivation=1)],
    ],
)
def test_a_contribution_has_a_plain_code_of_a_strong_signal_and_a_query_need_not(codes):
    assert slugs(contribution_flaws("picture", codes)) == [("no-strong-code", None)]
    assert query_flaws("picture", codes) == ()


@pytest.mark.parametrize("kind", sorted(ITEM_KINDS))
def test_an_item_without_codes_is_refused(kind):
    assert ("code-count", None) in slugs(contribution_flaws(kind, []))
    assert ("code-count", None) in slugs(query_flaws(kind, []))


def test_an_account_carries_no_codes_of_pictures_and_a_picture_no_account():
    assert slugs(query_flaws("account", [code("account"), pdq()])) == [
        ("picture-code-of-account", 1)
    ]
    assert slugs(query_flaws("picture", [pdq(), code("account")])) == [("account-of-picture", 1)]
    assert slugs(query_flaws("video", [frame(0), code("account")])) == [("account-of-picture", 1)]


def test_an_account_item_is_about_one_account():
    assert slugs(query_flaws("account", [code("account", i) for i in range(3)])) == [
        ("code-count", None)
    ]


def test_only_a_video_has_frames_and_each_frame_its_time():
    assert slugs(query_flaws("picture", [frame(0)])) == [("frame-of-picture", 0)]
    assert ("frame-without-time", 0) in slugs(query_flaws("video", [pdq()]))
    assert slugs(query_flaws("video", [frame(-1)])) == [("malformed-frame", 0)]
    assert slugs(query_flaws("video", [code("md5", at_ms=0)])) == [("malformed-frame", 0)]
    assert slugs(query_flaws("video", [frame(0, derivation=4)])) == [("malformed-frame", 0)]


def test_a_video_has_at_most_5000_frames():
    frames = [frame(i) for i in range(MOST_FRAMES + 1)]

    assert slugs(query_flaws("video", frames)) == [("too-many-codes", MOST_FRAMES)]


def test_a_video_has_one_plain_digest_of_a_kind():
    codes = [frame(0), code("md5", 1), code("md5", 2)]

    assert slugs(query_flaws("video", codes)) == [("two-plain-codes", 2)]


def test_frames_that_show_nothing_are_no_flaw_and_are_not_kept():
    black = Code("vpdq", bytes(32), quality=0, at_ms=0)
    flat = Code("vpdq", hashed(np.zeros((64, 64))).value, at_ms=1000)
    blurred = frame(2000, quality=49)
    kept, same = frame(3000), frame(4000)
    digest = code("md5")

    assert contribution_flaws("video", [black, blurred, kept, same, digest]) == ()
    assert telling([black, flat, blurred, kept, same, digest]) == (kept, digest)


def test_a_video_of_nothing_but_such_frames_is_refused():
    black = Code("vpdq", bytes(32), quality=0, at_ms=0)

    assert slugs(contribution_flaws("video", [black])) == [("no-strong-code", None)]
    assert contribution_flaws("video", [black, code("md5")]) == ()


def test_a_frame_that_no_picture_has_is_refused():
    impossible = Code("vpdq", pdq(10).value, at_ms=0)

    assert slugs(contribution_flaws("video", [impossible, frame(1)])) == [("impossible-pdq", 0)]


def test_an_unknown_kind_of_item_is_refused_with_the_known_ones():
    (found,) = query_flaws("pic\x00ture", [pdq()])

    assert (found.slug, found.field) == ("unknown-item-kind", "kind")
    assert "picture" in found.detail
    assert "\x00" not in found.detail


def test_no_flaw_carries_a_code():
    bad = [pdq(10), hashed(np.zeros((64, 64))), pdq(quality=1), pdq(at_ms=1), code("account")]

    for kind in (*ITEM_KINDS, "nothing"):
        for flaw in contribution_flaws(kind, bad):
            assert not any(one.value.hex()[:8] in flaw.detail for one in bad)
