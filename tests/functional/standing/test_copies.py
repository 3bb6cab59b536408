# SPDX-License-Identifier: Apache-2.0
"""Whoever was told of a picture here before it contributed it knows nothing new: a copy is no
vote.

Told means: a hit on a code neighbour, or being served one by feed or snapshot, in any set, in the
30 days before.
"""

from datetime import timedelta

import pytest

from tests.support.codes import flipped, pdq
from tests.support.saying import (
    contributed,
    matched,
    opined,
    picture,
    standing,
    standings,
    version,
)


@pytest.fixture
def known():
    return pdq()


@pytest.fixture
def indicator(alpha, shared, known):
    return contributed(alpha, picture(pdq=known), shared)


def test_who_had_a_hit_before_adds_no_vote(shared, alpha, beta, clock, known, indicator):
    clock.forward(minutes=1)
    assert matched(beta, pdq=flipped(known, 4))["answer"] == "hit"
    clock.forward(minutes=1)

    copy = contributed(beta, picture(pdq=flipped(known, 4)), shared)
    clock.forward(seconds=3)

    assert standings(alpha, indicator) == {shared: ("review", 1)}
    assert standings(alpha, copy) == {shared: ("review", 1)}


def test_a_hit_after_the_contribution_changes_nothing(
    shared, alpha, beta, clock, known, indicator
):
    clock.forward(minutes=1)
    contributed(beta, picture(pdq=known), shared)
    clock.forward(minutes=1)

    matched(beta, pdq=known)

    assert standing(alpha, indicator) == "corroborated"


def test_a_hit_far_from_the_picture_is_no_hit_on_it(shared, alpha, beta, clock, known, indicator):
    contributed(alpha, picture(pdq=(other := pdq())), shared)
    clock.forward(minutes=1)
    assert matched(beta, pdq=other)["answer"] == "hit"

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == "corroborated"


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(days=29), "review"),
        (timedelta(days=30), "review"),
        (timedelta(days=30, seconds=1), "corroborated"),
        (timedelta(days=31), "corroborated"),
    ],
)
def test_a_hit_is_remembered_for_30_days(
    shared, alpha, beta, clock, known, indicator, ago, expected
):
    matched(beta, pdq=known)
    clock.now += ago

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == expected


def test_the_other_member_of_the_operator_copies_too(
    house, shared, alpha, beta, clock, known, indicator
):
    matched(beta, pdq=known)
    second = house.join(beta.operator, name="second", sets=[shared])
    clock.forward(minutes=1)

    contributed(second, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == "review"


def test_a_hit_in_another_set_makes_it_a_copy_here(
    house, shared, alpha, beta, gamma, clock, known
):
    closed = house.set("closed")
    for caller in (beta, gamma):
        house.grant(closed, caller.member)
    contributed(gamma, picture(pdq=known), closed)
    here = contributed(alpha, picture(pdq=known), shared)
    house.grant(shared, beta.member, frozenset({"contribute"}))
    clock.forward(minutes=1)
    assert [hit["set"] for hit in matched(beta, pdq=known)["hits"]] == [closed]

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standings(alpha, here) == {shared: ("review", 1)}


def test_a_hit_on_what_was_withdrawn_since_still_makes_it_a_copy(
    shared, alpha, beta, gamma, clock, known
):
    gone = contributed(gamma, picture(pdq=known), shared)
    matched(beta, pdq=known)
    gamma.post(f"/v1/indicators/{gone}/withdraw", {})
    here = contributed(alpha, picture(pdq=known), shared)
    clock.forward(minutes=1)

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standings(alpha, here) == {shared: ("review", 1)}


def test_what_was_served_and_withdrawn_since_still_makes_it_a_copy(
    shared, alpha, beta, gamma, clock, known
):
    gone = contributed(gamma, picture(pdq=known), shared)
    assert beta.get(f"/v1/sets/{shared}/snapshot").status_code == 200
    clock.forward(seconds=1)
    gamma.post(f"/v1/indicators/{gone}/withdraw", {})
    contributed(beta, picture(pdq=known), shared)
    here = contributed(alpha, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standings(alpha, here) == {shared: ("review", 1)}


def test_a_hit_that_is_flushed_late_marks_the_copy_after_the_fact(
    house, shared, alpha, beta, clock, known, indicator
):
    matched(beta, pdq=known, settle=False)
    clock.forward(seconds=1)
    copy = contributed(beta, picture(pdq=known), shared, settle=False)
    house.link()
    clock.forward(seconds=3)
    assert standing(alpha, indicator) == "corroborated"

    house.hub.ledger.flush()

    assert [standing(alpha, one) for one in (indicator, copy)] == ["review"] * 2


def test_a_late_hit_in_another_set_marks_the_copy_too(
    house, shared, alpha, beta, gamma, clock, known
):
    closed = house.set("closed")
    for caller in (beta, gamma):
        house.grant(closed, caller.member)
    contributed(gamma, picture(pdq=known), closed)
    here = contributed(alpha, picture(pdq=known), shared)
    house.grant(shared, beta.member, frozenset({"contribute"}))
    matched(beta, pdq=known, settle=False)
    clock.forward(seconds=1)
    contributed(beta, picture(pdq=known), shared, settle=False)
    house.link()
    clock.forward(seconds=3)
    assert standing(alpha, here) == "corroborated"

    house.hub.ledger.flush()

    assert standings(alpha, here) == {shared: ("review", 1)}


def test_who_was_served_it_by_a_snapshot_adds_no_vote(
    shared, alpha, beta, clock, known, indicator
):
    clock.forward(minutes=1)
    served = beta.get(f"/v1/sets/{shared}/snapshot").json
    assert [record["id"] for record in served["records"]] == [indicator]
    clock.forward(minutes=1)

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == "review"


def test_who_was_served_it_by_the_feed_adds_no_vote(shared, alpha, beta, clock, known):
    cursor = beta.get("/v1/changes").json["cursor"]
    indicator = contributed(alpha, picture(pdq=known), shared)
    clock.forward(minutes=1)
    served = beta.get(f"/v1/changes?cursor={cursor}").json
    assert [record["id"] for record in served["records"]] == [indicator]
    clock.forward(minutes=1)

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == "review"


@pytest.mark.parametrize(("days", "expected"), [(30, "review"), (31, "corroborated")])
def test_being_served_is_remembered_for_30_days(
    shared, alpha, beta, clock, known, indicator, days, expected
):
    beta.get(f"/v1/sets/{shared}/snapshot")
    clock.forward(days=days)

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == expected


def test_being_served_what_came_before_is_not_being_served_what_comes_after(
    shared, alpha, beta, clock, known
):
    contributed(alpha, picture(pdq=pdq()), shared)
    beta.get(f"/v1/sets/{shared}/snapshot")
    clock.forward(minutes=1)
    indicator = contributed(alpha, picture(pdq=known), shared)
    clock.forward(minutes=1)

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == "corroborated"


def test_what_is_shared_into_a_set_later_was_not_served_there_before(
    house, shared, alpha, beta, gamma, clock, known
):
    closed = house.set("closed")
    house.grant(closed, alpha.member)
    indicator = contributed(alpha, picture(pdq=known), closed)
    contributed(gamma, picture(pdq=pdq()), shared)
    beta.get(f"/v1/sets/{shared}/snapshot")
    clock.forward(minutes=1)
    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared, closed))

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(gamma, indicator, shared) == "corroborated"


def test_who_follows_withdrawals_alone_is_served_no_codes(
    shared, alpha, beta, gamma, clock, known, indicator
):
    cursor = beta.get("/v1/changes?only=withdrawals").json["cursor"]
    other = contributed(gamma, picture(pdq=pdq()), shared)
    gamma.post(f"/v1/indicators/{other}/withdraw", {})
    served = beta.get(f"/v1/changes?only=withdrawals&cursor={cursor}").json
    assert [record["id"] for record in served["records"]] == [other]
    clock.forward(minutes=1)

    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == "corroborated"


def test_a_copier_that_looks_for_itself_corroborates(shared, alpha, beta, clock, known, indicator):
    matched(beta, pdq=known)
    clock.forward(minutes=1)
    contributed(beta, picture(pdq=known), shared)

    opined(beta, indicator, shared, "agree", basis="own-service-human", assessed_by=1)
    clock.forward(seconds=3)

    assert standings(alpha, indicator) == {shared: ("corroborated", 2)}


@pytest.mark.parametrize(
    "words",
    [
        {"basis": "own-service-human", "assessed_by": 0},
        {"basis": "automated-unreviewed", "assessed_by": 1},
        {"basis": "matched-shared", "assessed_by": 2},
    ],
)
def test_agreeing_without_a_human_look_of_ones_own_does_not_corroborate(
    shared, alpha, beta, clock, known, indicator, words
):
    matched(beta, pdq=known)

    opined(beta, indicator, shared, "agree", **words)
    clock.forward(seconds=3)

    assert standing(alpha, indicator) == "review"
