# SPDX-License-Identifier: Apache-2.0
"""How long things are said: what takes back outlives it, what is thought of it lives as long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from federation.believing import SKEW
from federation.operations.values import LIFE
from federation.trust import accept
from hub.domain.changes import SYSTEM
from hub.ports.exchange import COUNTS
from hub.services.exchange import partners, receiving
from tests.simulators.partner import OPERATOR, PartnerHub, trusted
from tests.simulators.statements import NOW, ORIGIN, operation
from tests.support.codes import pdq
from tests.support.saying import contributed, matched, opined, picture, standings, version


@pytest.fixture
def known():
    return pdq()


def until(clock, **passed):
    return (clock() + timedelta(**passed)).isoformat()


def pushed(a, b):
    """Carry all that the first says to the second."""
    a.publish()
    return b.catch_up(a)


def revised(caller, indicator, *sets, **words):
    answer = caller.post(f"/v1/indicators/{indicator}/versions", version(*sets, **words))
    assert answer.status_code == 201, answer.text


@pytest.fixture
def c(open_hub, a, b, shared):
    """A third hub, which shares the set with both."""
    third = open_hub("hub-c.example")
    for hub, operator in ((a, "alpha.example.com"), (b, "beta.example.com")):
        hub.pair(third)
        hub.share(third.name, shared)
        third.pair(hub, operators=(operator,))
        third.share(hub.name, shared)
    return third


def test_a_life_made_shorter_is_over_everywhere(a, b, shared, alpha, beta, clock, known):
    """Also where the shorter one was over before anybody could be told."""
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    revised(alpha, indicator, shared, expires=until(clock, hours=1))
    clock.forward(hours=2)
    a.sweep()

    assert pushed(a, b) == 1
    assert matched(beta, pdq=known)["answer"] == "none"


def test_what_is_over_in_its_time_is_not_taken_back(a, b, shared, alpha, clock, known):
    contributed(alpha, picture(pdq=known), shared, expires=until(clock, hours=1))
    pushed(a, b)
    clock.forward(hours=2)
    a.sweep()

    assert pushed(a, b) == 0


def test_an_opinion_lives_as_long_as_what_it_is_about(a, b, c, shared, alpha, beta, clock, known):
    indicator = contributed(alpha, picture(pdq=known), shared, expires=until(clock, days=2))
    pushed(a, b)
    opined(beta, indicator, shared, "disagree", reason="benign")
    b.publish()
    revised(alpha, indicator, shared)
    pushed(a, b)
    b.publish()
    clock.forward(days=3)

    c.catch_up(a)
    c.catch_up(b)

    gamma = c.admit("gamma.example.com", sets=[shared])
    assert matched(gamma, pdq=known)["standing"] == "disputed"


def test_an_opinion_said_again_for_longer_is_no_second_one(
    a, b, shared, alpha, beta, clock, known
):
    indicator = contributed(alpha, picture(pdq=known), shared, expires=until(clock, days=2))
    pushed(a, b)
    opined(beta, indicator, shared, "disagree", reason="benign")
    pushed(b, a)
    revised(alpha, indicator, shared)
    pushed(a, b)

    assert pushed(b, a) == 1

    with a.hub.begin.reading() as work:
        found = work.indicators.find(indicator)
        (row,) = work.opinions.of_entries([found.key], found.sets[0])
    assert row.n == 1


def test_what_was_said_of_an_entry_holds_when_it_comes_back(a, b, shared, alpha, beta, known):
    other = a.set("other")
    a.grant(other, alpha.member)
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    opined(beta, indicator, shared, "disagree", reason="benign")
    revised(alpha, indicator, other)
    pushed(b, a)
    revised(alpha, indicator, shared)

    assert standings(alpha, indicator)[shared][0] == "disputed"


def test_it_holds_also_where_the_entry_was_never_seen_before(a, b, c, shared, alpha, beta, known):
    other = a.set("other")
    a.grant(other, alpha.member)
    a.share(c.name, other)
    c.share(a.name, other)
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    opined(beta, indicator, shared, "disagree", reason="benign")
    b.publish()
    revised(alpha, indicator, other)
    a.publish()
    c.catch_up(a)
    c.catch_up(b)

    revised(alpha, indicator, shared)
    pushed(a, c)

    gamma = c.admit("gamma.example.com", sets=[shared])
    assert matched(gamma, pdq=known)["standing"] == "disputed"


def test_what_left_a_set_does_not_come_back_to_whoever_comes_late(
    open_hub, a, b, shared, alpha, clock, known
):
    """What is said now lives for a day; what was said before would live for a year."""
    other = a.set("other")
    a.grant(other, alpha.member)
    a.share(b.name, other)
    late = open_hub("hub-c.example")
    a.pair(late)
    a.share(late.name, shared)
    late.pair(a, operators=("alpha.example.com",))
    late.share(a.name, shared)
    indicator = contributed(alpha, picture(pdq=known), shared, other)
    a.publish()
    revised(alpha, indicator, other, expires=until(clock, days=1))
    a.publish()
    clock.forward(days=2)
    a.sweep()
    a.publish()

    late.catch_up(a)

    gamma = late.admit("gamma.example.com", sets=[shared])
    assert matched(gamma, pdq=known)["answer"] == "none"


def test_what_another_hub_says_for_very_long_silences_nobody(b, clock, known):
    """Nobody may say for so long what is thought of it: then it is said for less."""
    clock.now = datetime.fromtimestamp(NOW, UTC)
    with b.hub.begin.writing(SYSTEM) as work:
        work.partners.add(
            hub=ORIGIN, base=f"https://{ORIGIN}/fed/v1", root="0" * 64, operators=[OPERATOR],
            level=COUNTS, at=b.clock(),
        )  # fmt: skip
        work.commit()
    shared = b.set("lures")
    b.share(ORIGIN, shared)
    beta = b.admit("beta.example.com", sets=[shared])
    partner, kept = PartnerHub(), b.enrolled(ORIGIN)
    ahead = NOW + SKEW
    said = operation(created=ahead, expires=ahead + LIFE, keep=ahead + LIFE)
    partner.say(
        replace(said, policy=replace(said.policy, sets=(shared,)), body=_body(said, known))
    )
    accepted = accept(
        partner.page(sets=(shared,)).encoded(), trusted(sets=frozenset({shared})), kept.trust, NOW
    )
    receiving.receive(accepted, partner=kept, state=partners.GOOD, hub=b.hub)
    b.settle()
    opined(beta, said.target, shared, "disagree", reason="benign")

    b.publish()

    with b.hub.begin.reading() as work:
        assert work.logs.open(b.voice.log.origin).size == 1


def _body(said, known):
    (code,) = said.body.signals
    return replace(said.body, signals=(replace(code, value=bytes.fromhex(known)),))
