# SPDX-License-Identifier: Apache-2.0
"""A vote that goes is gone at once, for everybody; what stood behind it comes forward."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.storage import tables
from tests.support.codes import pdq
from tests.support.saying import (
    contributed,
    matched,
    opined,
    picture,
    standing,
    standings,
    version,
    withdrawn,
)


@pytest.fixture
def known():
    return pdq()


@pytest.fixture
def indicator(alpha, shared, known):
    return contributed(alpha, picture(pdq=known), shared)


def test_a_withdrawn_vote_is_gone_at_once(shared, alpha, beta, gamma, clock, known, indicator):
    voter = contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)
    assert standing(alpha, indicator) == "corroborated"

    withdrawn(beta, voter, settle=False)

    assert standing(alpha, indicator) == "review"
    assert matched(gamma, pdq=known, settle=False)["standing"] == "review"


def test_an_expired_vote_is_gone_at_the_moment_it_expires(
    house, shared, alpha, beta, clock, known, indicator
):
    expires = clock.now + timedelta(days=1)
    contributed(beta, picture(pdq=known), shared, expires=expires.isoformat())
    clock.now = expires - timedelta(milliseconds=1)
    assert standing(alpha, indicator) == "corroborated"

    clock.forward(milliseconds=1)

    assert standing(alpha, indicator) == "review"
    house.sweep()
    assert standing(alpha, indicator) == "review"


def test_a_vote_taken_out_of_the_set_is_gone_at_once(
    house, shared, alpha, beta, clock, known, indicator
):
    other = house.set("other")
    house.grant(other, beta.member)
    voter = contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)
    assert standing(alpha, indicator) == "corroborated"

    beta.post(f"/v1/indicators/{voter}/versions", version(other), settle=False)

    assert standing(alpha, indicator) == "review"


@pytest.mark.parametrize("words", [{"basis": "automated-unreviewed"}, {"harm": ["benign"]}])
def test_a_vote_that_says_something_else_now_is_gone_at_once(
    house, shared, alpha, beta, clock, known, indicator, words
):
    voter = contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)
    assert standing(alpha, indicator) == "corroborated"

    beta.post(f"/v1/indicators/{voter}/versions", version(shared, **words), settle=False)

    assert standing(alpha, indicator) == "review"
    house.settle()
    clock.forward(seconds=3)
    assert standing(alpha, indicator) == "review"


@pytest.mark.parametrize("state", ["quarantined", "stale"])
def test_the_word_of_a_party_that_is_not_good_counts_for_nothing_at_once(
    house, shared, alpha, beta, clock, known, indicator, state
):
    contributed(beta, picture(pdq=known), shared)
    theirs = contributed(alpha, picture(pdq=pdq()), shared)
    opined(beta, theirs, shared, "agree", basis="own-service-human", assessed_by=1)
    clock.forward(seconds=3)
    assert [standing(alpha, one) for one in (indicator, theirs)] == ["corroborated"] * 2

    party, member = tables.party, tables.member
    with house.database.writer.begin() as connection:
        connection.execute(
            party.update()
            .where(party.c.member == sa.select(member.c.key).where(member.c.id == beta.member)
                   .scalar_subquery())
            .values(state=state)
        )  # fmt: skip

    assert [standing(alpha, one) for one in (indicator, theirs)] == ["review"] * 2


def test_more_operators_than_links_are_counted_and_step_in_for_those_that_go(
    house, shared, alpha, clock, known, indicator
):
    others = [house.admit(f"other{number}.example.com", sets=[shared]) for number in range(18)]
    votes = [contributed(one, picture(pdq=known), shared, settle=False) for one in others]
    house.settle()
    clock.forward(seconds=3)
    assert standings(alpha, indicator) == {shared: ("corroborated", 17)}

    for caller, vote in zip(others[:16], votes[:16], strict=True):
        withdrawn(caller, vote, settle=False)
    assert standings(alpha, indicator) == {shared: ("review", 1)}
    house.settle()

    assert standings(alpha, indicator) == {shared: ("corroborated", 3)}


def test_a_withdrawn_indicator_says_nothing_any_more_to_others(
    house, shared, alpha, beta, known, indicator
):
    withdrawn(alpha, indicator, settle=False)

    assert matched(beta, pdq=known, settle=False)["answer"] == "none"
    assert beta.get(f"/v1/indicators/{indicator}").status_code == 404
    assert standing(alpha, indicator) == "withdrawn"
