# SPDX-License-Identifier: Apache-2.0
"""An entry is corroborated by two independent operators that know the same picture, and no
less."""

import pytest

from tests.support.codes import code, flipped, pdq
from tests.support.saying import account, contributed, matched, picture, said, standing, standings


def derived(plain, hidden, *, derived="trim:border"):
    """A picture with a plain code and a derived one."""
    item = picture(pdq=plain)
    item["codes"].append({"signal": "pdq", "code": hidden, "derived": derived})
    return item


def video(frames):
    """A video by the PDQ of its frames, one a second."""
    return {
        "kind": "video",
        "codes": [
            {"signal": "pdq", "code": frame, "at_ms": 1000 * number}
            for number, frame in enumerate(frames)
        ],
    }


def test_what_one_operator_says_is_for_review(house, shared, alpha, beta, clock):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    clock.forward(days=1)

    answer = matched(beta, pdq=known)

    assert (answer["standing"], answer["operators"]) == ("review", 1)
    assert standings(alpha, indicator) == {shared: ("review", 1)}


@pytest.mark.parametrize(
    ("bits", "expected"),
    [(0, "corroborated"), (16, "corroborated"), (17, "review"), (31, "review")],
)
def test_recompressed_copies_corroborate_up_to_16_bits(
    house, shared, alpha, beta, gamma, clock, bits, expected
):
    known = pdq()
    first = contributed(alpha, picture(pdq=known), shared)
    second = contributed(beta, picture(pdq=flipped(known, bits)), shared)
    clock.forward(seconds=3)

    operators = 2 if expected == "corroborated" else 1
    assert standings(gamma, first) == standings(gamma, second) == {shared: (expected, operators)}
    assert matched(gamma, pdq=known)["standing"] == expected


@pytest.mark.parametrize("signal", ["md5", "sha1", "sha256"])
def test_equal_digests_corroborate(house, shared, alpha, beta, clock, signal):
    same = code(signal)
    indicator = contributed(alpha, picture(**{signal: same}), shared)
    contributed(beta, picture(**{signal: same}), shared)
    clock.forward(seconds=3)

    assert standing(beta, indicator) == "corroborated"


@pytest.mark.parametrize("signal", ["md5", "sha1", "sha256"])
def test_digests_that_differ_in_one_bit_have_nothing_in_common(
    house, shared, alpha, beta, clock, signal
):
    same = code(signal)
    indicator = contributed(alpha, picture(**{signal: same}), shared)
    contributed(beta, picture(**{signal: flipped(same, 1)}), shared)
    clock.forward(seconds=3)

    assert standing(beta, indicator) == "review"


def test_a_weak_code_alone_never_corroborates(house, shared, alpha, beta, clock):
    weak = code("phash")
    indicator = contributed(alpha, picture(pdq=pdq(), phash=weak), shared)
    contributed(beta, picture(pdq=pdq(), phash=weak), shared)
    clock.forward(seconds=3)

    assert standing(beta, indicator) == "review"


def test_an_account_is_never_more_than_for_review(house, shared, alpha, beta, clock):
    words = {"case": "case-1", "depicts": "unknown"}
    indicator = contributed(alpha, account(), shared, **words)
    contributed(beta, account(), shared, **words)
    clock.forward(seconds=3)

    assert standing(beta, indicator) == "review"


def test_derived_codes_make_no_neighbours(house, shared, alpha, beta, clock):
    plain, hidden = pdq(), pdq()
    first = contributed(alpha, picture(pdq=plain), shared)
    second = contributed(beta, derived(hidden, plain), shared)
    third = contributed(alpha, derived(pdq(), hidden, derived="dihedral:flipx"), shared)
    clock.forward(seconds=3)

    assert [standing(alpha, one) for one in (first, second, third)] == ["review"] * 3


def test_a_picture_is_no_neighbour_of_a_video_that_shows_it(house, shared, alpha, beta, clock):
    frame = pdq()
    indicator = contributed(alpha, picture(pdq=frame), shared)
    contributed(beta, video([frame]), shared)
    clock.forward(seconds=3)

    assert standing(beta, indicator) == "review"


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ([0, 1, 2, 3, 4], [0, 1, 2, 3, 9], "corroborated"),
        ([0, 1, 2, 3, 4], [0, 1, 2, 8, 9], "review"),
        ([0, 1, 2, 3], [0, 1, 2, 3, 7, 8, 9], "review"),
        ([0, 1, 2, 3, 7, 8, 9], [0, 1, 2, 3], "review"),
    ],
)
def test_videos_are_neighbours_if_most_frames_agree_both_ways(
    house, shared, alpha, beta, clock, mine, theirs, expected
):
    frames = [pdq() for _ in range(10)]
    first = contributed(alpha, video([frames[n] for n in mine]), shared)
    second = contributed(beta, video([flipped(frames[n], 8) for n in theirs]), shared)
    clock.forward(seconds=3)

    assert [standing(alpha, first), standing(alpha, second)] == [expected] * 2


def test_neighbours_of_neighbours_are_none(house, shared, alpha, beta, gamma, clock):
    middle = pdq()
    left, right = flipped(middle, 12, "left"), flipped(middle, 12, "right")
    ends = contributed(alpha, picture(pdq=left), shared)
    contributed(beta, picture(pdq=right), shared)
    assert standing(alpha, ends) == "review"

    between = contributed(gamma, picture(pdq=middle), shared)
    clock.forward(seconds=3)

    assert standings(alpha, between) == {shared: ("corroborated", 3)}
    assert standings(alpha, ends) == {shared: ("corroborated", 2)}


def test_a_vote_counts_three_seconds_after_its_commit(house, shared, alpha, beta, clock):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    clock.forward(hours=1)
    contributed(beta, picture(pdq=known), shared)

    clock.forward(seconds=2.999)
    assert standing(beta, indicator) == "review"
    clock.forward(seconds=0.001)
    assert standing(beta, indicator) == "corroborated"


def test_what_comes_back_counts_three_seconds_after_it_came_back(
    house, shared, alpha, beta, clock
):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    body = said(picture(pdq=known), shared, external_id="one")
    voter = beta.post("/v1/indicators", body).json["id"]
    clock.forward(days=1)
    beta.post(f"/v1/indicators/{voter}/withdraw", {})
    clock.forward(days=1)

    beta.post("/v1/indicators", body)

    clock.forward(seconds=2.999)
    assert standing(alpha, indicator) == "review"
    clock.forward(seconds=0.001)
    assert standing(alpha, indicator) == "corroborated"


def test_two_members_of_one_operator_are_one_voice(house, shared, alpha, beta, clock):
    known = pdq()
    second = house.join(alpha.operator, name="second", sets=[shared])
    indicator = contributed(alpha, picture(pdq=known), shared)
    contributed(second, picture(pdq=known), shared)
    clock.forward(seconds=3)
    assert standings(beta, indicator) == {shared: ("review", 1)}

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standings(beta, indicator) == {shared: ("corroborated", 2)}


@pytest.mark.parametrize("kind", ["law-enforcement", "regulator"])
def test_a_state_never_counts(house, shared, alpha, beta, clock, kind):
    known = pdq()
    state = house.admit("state.example.com", kind=kind, sets=[shared])
    theirs = contributed(state, picture(pdq=known), shared)
    mine = contributed(alpha, picture(pdq=known), shared)
    clock.forward(seconds=3)
    assert standings(alpha, theirs) == standings(alpha, mine) == {shared: ("review", 1)}

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standings(alpha, theirs) == standings(alpha, mine) == {shared: ("corroborated", 2)}


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        ("own-service-human", "corroborated"),
        ("hotline-assessed", "corroborated"),
        ("report-confirmed", "corroborated"),
        ("self-report", "review"),
        ("law-enforcement-referral", "review"),
        ("automated-unreviewed", "review"),
        ("matched-shared", "review"),
    ],
)
def test_only_four_bases_count(house, shared, alpha, beta, clock, basis, expected):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    contributed(beta, picture(pdq=known), shared, basis=basis)
    clock.forward(seconds=3)

    assert standing(beta, indicator) == expected


@pytest.mark.parametrize(
    ("lists", "expected"),
    [(("list-a", "list-a"), "review"), (("list-a", "list-b"), "corroborated")],
)
def test_an_expert_list_counts_once(house, shared, alpha, beta, clock, lists, expected):
    known = pdq()
    words = {"basis": "expert-list"}
    indicator = contributed(alpha, picture(pdq=known), shared, **words, list=lists[0])
    contributed(beta, picture(pdq=known), shared, **words, list=lists[1])
    clock.forward(seconds=3)

    assert standing(beta, indicator) == expected


def test_who_says_benign_does_not_corroborate_a_harm(house, shared, alpha, beta, clock):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    contributed(beta, picture(pdq=known), shared, harm=["benign"])
    clock.forward(seconds=3)

    assert standing(beta, indicator) == "review"


def test_votes_of_one_set_are_never_seen_in_another(house, shared, alpha, beta, gamma, clock):
    known, closed = pdq(), house.set("closed")
    for caller in (alpha, beta):
        house.grant(closed, caller.member)
    indicator = contributed(alpha, picture(pdq=known), shared, closed)
    contributed(beta, picture(pdq=known), closed)
    clock.forward(seconds=3)

    assert standings(alpha, indicator) == {shared: ("review", 1), closed: ("corroborated", 2)}
    assert standings(gamma, indicator) == {shared: ("review", 1)}
    answer = matched(gamma, pdq=known)
    assert [(hit["set"], hit["standing"], hit["operators"]) for hit in answer["hits"]] == [
        (shared, "review", 1)
    ]
    assert (answer["standing"], answer["operators"]) == ("review", 1)
