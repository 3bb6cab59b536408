# SPDX-License-Identifier: Apache-2.0
"""An entry is disputed as soon as enough operators, one grave reason, or an appeal speak
against."""

import pytest

from tests.support.codes import flipped, pdq
from tests.support.saying import (
    contributed,
    matched,
    opined,
    picture,
    problem,
    standing,
    standings,
    withdrawn,
)

BENIGN = {"reason": "benign"}
AGREED = {"basis": "own-service-human", "assessed_by": 1}


@pytest.fixture
def known():
    return pdq()


@pytest.fixture
def indicator(alpha, shared, known):
    return contributed(alpha, picture(pdq=known), shared)


@pytest.fixture
def admin(house):
    return house.admit("hub.example.com", role="admin")


@pytest.fixture
def delta(house, shared):
    return house.admit("delta.example.com", sets=[shared])


def test_one_of_two_disputes(shared, alpha, beta, gamma, known, indicator):
    opined(beta, indicator, shared, "disagree", **BENIGN)

    assert standing(alpha, indicator) == "disputed"
    assert matched(gamma, pdq=known)["standing"] == "disputed"


def test_a_dispute_counts_at_once(shared, alpha, beta, indicator):
    opined(beta, indicator, shared, "disagree", **BENIGN, settle=False)

    assert standing(alpha, indicator) == "disputed"


def test_one_of_three_is_not_enough(shared, alpha, beta, gamma, clock, known, indicator):
    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    opined(gamma, indicator, shared, "disagree", **BENIGN)

    assert standing(alpha, indicator) == "corroborated"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("depicted-person", "disputed"),
        ("subject-child", "disputed"),
        ("unlawful-to-share", "disputed"),
        ("benign", "corroborated"),
        ("outdated", "corroborated"),
    ],
)
def test_three_reasons_need_one_voice(
    shared, alpha, beta, gamma, clock, known, indicator, reason, expected
):
    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    opined(gamma, indicator, shared, "disagree", reason=reason)

    assert standing(alpha, indicator) == expected


def test_an_operator_in_both_camps_is_only_against(shared, alpha, beta, clock, known, indicator):
    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)
    assert standing(alpha, indicator) == "corroborated"

    opined(beta, indicator, shared, "disagree", **BENIGN)

    assert standings(alpha, indicator) == {shared: ("disputed", 1)}


@pytest.mark.parametrize(
    ("stance", "others"),
    [
        ("disagree", {"reason": "duplicate"}),
        ("seen", {}),
        ("stale", {}),
        ("want-more-info", {}),
    ],
)
def test_some_opinions_are_no_votes(shared, alpha, beta, clock, indicator, stance, others):
    opined(beta, indicator, shared, stance, **others)
    clock.forward(seconds=3)

    assert standings(alpha, indicator) == {shared: ("review", 1)}


def test_an_operators_latest_word_counts(house, shared, alpha, beta, clock, indicator):
    second = house.join(beta.operator, name="second", sets=[shared])
    opined(beta, indicator, shared, "disagree", **BENIGN)
    opined(second, indicator, shared, "agree", **AGREED)
    clock.forward(seconds=3)
    assert standings(alpha, indicator) == {shared: ("corroborated", 2)}

    opined(beta, indicator, shared, "seen")

    assert standings(alpha, indicator) == {shared: ("review", 1)}


def test_the_contributor_cannot_disagree_with_itself(house, shared, alpha, indicator):
    second = house.join(alpha.operator, name="second", sets=[shared])
    for caller in (alpha, second):
        before = house.hub.feed.head().position
        answer = caller.post(
            f"/v1/indicators/{indicator}/opinions",
            {"set": shared, "stance": "disagree", "reason": "benign"},
        )

        assert (answer.status_code, problem(answer)) == (403, "forbidden")
        assert house.hub.feed.head().position == before
    assert standing(alpha, indicator) == "review"


def test_a_dispute_in_one_set_is_not_one_in_another(house, shared, alpha, beta, gamma, clock):
    closed = house.set("closed")
    for caller in (alpha, beta):
        house.grant(closed, caller.member)
    both = contributed(alpha, picture(pdq=pdq()), shared, closed)
    clock.forward(seconds=3)

    opined(beta, both, closed, "disagree", **BENIGN)

    assert standings(alpha, both) == {shared: ("review", 1), closed: ("disputed", 1)}
    assert standings(gamma, both) == {shared: ("review", 1)}


def test_an_open_appeal_disputes_in_every_set(house, shared, alpha, admin, beta, known, indicator):
    closed = house.set("closed")
    house.grant(closed, alpha.member)
    both = contributed(alpha, picture(pdq=pdq()), shared, closed)

    opened = admin.post(f"/v1/indicators/{both}/appeals", {"ground": "depicted-person"})

    assert opened.status_code == 201
    assert {name for name, _ in standings(alpha, both).values()} == {"disputed"}
    assert standing(beta, indicator) == "review"


@pytest.mark.parametrize(("upheld", "expected"), [(False, "review"), (True, "disputed")])
def test_a_closed_appeal_disputes_only_if_upheld(alpha, admin, indicator, upheld, expected):
    opened = admin.post(f"/v1/indicators/{indicator}/appeals", {"ground": "benign"}).json

    closed = admin.post(f"/v1/appeals/{opened['id']}/close", {"upheld": upheld})

    assert closed.status_code == 201
    assert standing(alpha, indicator) == expected
    again = admin.post(f"/v1/appeals/{opened['id']}/close", {"upheld": not upheld})
    assert again.status_code == 409
    assert standing(alpha, indicator) == expected


def test_an_opinion_near_reaches_present_and_future_neighbours(
    shared, alpha, beta, gamma, known, indicator
):
    present = contributed(gamma, picture(pdq=flipped(known, 16)), shared)
    opined(beta, indicator, shared, "disagree", reason="subject-child", reach="near")
    assert standing(alpha, present) == "disputed"

    future = contributed(gamma, picture(pdq=flipped(known, 10, "other")), shared)
    far = contributed(gamma, picture(pdq=flipped(known, 17, "far")), shared)

    assert standing(alpha, future) == "disputed"
    assert standing(alpha, far) == "review"


def test_an_opinion_of_reach_this_stays_where_it_was_given(
    shared, alpha, beta, gamma, known, indicator
):
    present = contributed(gamma, picture(pdq=known), shared)
    opined(beta, indicator, shared, "disagree", reason="subject-child")
    future = contributed(gamma, picture(pdq=known), shared)

    assert [standing(alpha, one) for one in (present, future)] == ["review"] * 2


def test_an_opinion_near_never_goes_by_chains(shared, alpha, beta, gamma, known, indicator):
    next_to_it = flipped(known, 12, "a")
    beyond = flipped(next_to_it, 12, "b")
    middle = contributed(gamma, picture(pdq=next_to_it), shared)
    far = contributed(gamma, picture(pdq=beyond), shared)

    opined(beta, indicator, shared, "disagree", reason="subject-child", reach="near")

    assert [standing(alpha, one) for one in (middle, far)] == ["disputed", "review"]


def test_an_opinion_near_spares_what_its_own_operator_contributed(
    shared, alpha, beta, known, indicator
):
    mine = contributed(beta, picture(pdq=known), shared)

    opined(beta, indicator, shared, "disagree", reason="subject-child", reach="near")

    assert standing(alpha, indicator) == "disputed"
    assert standing(alpha, mine) == "review"


def test_an_opinion_near_reaches_all_that_the_same_operator_says(
    shared, alpha, beta, known, indicator
):
    second = contributed(alpha, picture(pdq=flipped(known, 8)), shared)

    opined(beta, indicator, shared, "disagree", reason="subject-child", reach="near")

    assert [standing(alpha, one) for one in (indicator, second)] == ["disputed"] * 2


def test_an_opinion_near_that_is_taken_back_leaves_the_neighbours_too(
    shared, alpha, beta, gamma, known, indicator
):
    present = contributed(gamma, picture(pdq=known), shared)
    opined(beta, indicator, shared, "disagree", reason="subject-child", reach="near")
    assert standing(alpha, present) == "disputed"

    opined(beta, indicator, shared, "disagree", reason="subject-child")

    assert [standing(alpha, one) for one in (indicator, present)] == ["disputed", "review"]


def test_an_opinion_near_leaves_what_the_same_operator_says_when_its_entry_is_withdrawn(
    shared, alpha, beta, known, indicator
):
    second = contributed(alpha, picture(pdq=flipped(known, 8)), shared)
    opined(beta, indicator, shared, "disagree", reason="benign", reach="near")
    assert standing(alpha, second) == "disputed"

    withdrawn(alpha, indicator)

    assert standing(alpha, second) == "review"


def test_a_word_on_the_entry_itself_beats_one_on_its_neighbour(
    shared, alpha, beta, gamma, known, indicator
):
    present = contributed(gamma, picture(pdq=known), shared)
    opined(beta, indicator, shared, "disagree", reason="subject-child", reach="near")
    assert standing(alpha, present) == "disputed"

    opined(beta, present, shared, "seen")

    assert [standing(alpha, one) for one in (indicator, present)] == ["disputed", "review"]


def test_a_dispute_outlives_the_withdrawal_of_what_it_is_about(
    house, shared, alpha, beta, indicator, known
):
    opined(beta, indicator, shared, "disagree", reason="subject-child")
    withdrawn(alpha, indicator)
    body = {"sets": [shared], "harm": ["grooming"], "use": "offer", "depicts": "no-person"}

    alpha.post(
        f"/v1/indicators/{indicator}/versions", body | {"basis": "self-report"}, settle=False
    )

    assert standing(alpha, indicator) == "disputed"
    house.settle()
    assert standing(alpha, indicator) == "disputed"


def test_an_opinion_needs_the_right_to_look_the_set_up(house, shared, alpha, indicator):
    blind = house.admit("blind.example.com", sets=[shared], rights=frozenset({"contribute"}))
    stranger = house.admit("stranger.example.com")
    for caller in (blind, stranger):
        answer = caller.post(
            f"/v1/indicators/{indicator}/opinions",
            {"set": shared, "stance": "disagree", "reason": "benign"},
        )
        assert (answer.status_code, problem(answer)) == (404, "not-found")
    assert standing(alpha, indicator) == "review"
