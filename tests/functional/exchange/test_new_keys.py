# SPDX-License-Identifier: Apache-2.0
"""A hub changes its keys, or its log: nothing is lost, and what a thief said is void."""

import threading

import pytest

from federation.errors import Alarm, RefusedError
from federation.following import next_page
from federation.identity import succession
from hub.services.exchange import partners, publishing, receiving, renewing
from hub.services.exchange.learning import learn
from tests.simulators.federated import Wire
from tests.support.codes import pdq
from tests.support.saying import (
    contributed,
    matched,
    opined,
    picture,
    standing,
    version,
    withdrawn,
)


@pytest.fixture
def a(a):
    a.introduce("alpha.example.com")
    return a


@pytest.fixture
def says(a, b, alpha, shared):
    """Let a member of the first hub say something, and the second hear it; returns code and id."""

    def say():
        known = pdq()
        indicator = contributed(alpha, picture(pdq=known), shared)
        a.publish()
        b.catch_up(a)
        return known, indicator

    return say


def answers(member, *known):
    return [matched(member, pdq=one)["answer"] for one in known]


def alarms(hub, other):
    with hub.hub.begin.reading() as work:
        return [one["alarm"] for one in work.partners.evidence(hub.enrolled(other.name).key)]


def test_not_one_operation_falls_between_two_keys(a, b, says, beta):
    before, _ = says()
    made = renewing.change_operation_key(a.hub)
    after, _ = says()  # b was not told that there is another key

    assert made == a.voice.op_id == "hub-a.example#op-2"
    assert answers(beta, before, after) == ["hit", "hit"]
    assert alarms(b, a) == []
    assert a.voice.epoch == 1


def test_who_is_about_to_say_something_looks_again_by_which_key(a, alpha, shared):
    """Signed with the old key at the place where the new one holds, it would be void."""
    contributed(alpha, picture(pdq=pdq()), shared)
    old = a.voice
    renewing.change_operation_key(a.hub)
    assert publishing.publish(a.hub, old, a.randomness) == 0
    assert publishing.publish(a.hub, a.voice, a.randomness)


def test_what_a_thief_said_is_void(a, b, says, beta, shared):
    honest, _ = says()
    stolen, _ = says()

    renewing.change_operation_key(a.hub, stolen_at=1)
    b.learn(a)
    b.settle()
    assert answers(beta, honest, stolen) == ["hit", "none"]

    b.catch_up(a)  # reads the log once more, up to where the old key ended
    assert answers(beta, honest, stolen) == ["hit", "none"]
    assert alarms(b, a) == ["retired-key"]


def test_what_a_thief_took_back_or_overwrote_is_there_again(a, b, says, alpha, beta, shared):
    known, indicator = says()
    withdrawn(alpha, indicator)
    a.publish()
    b.catch_up(a)
    assert answers(beta, known) == ["none"]

    renewing.change_operation_key(a.hub, stolen_at=1)
    b.learn(a)
    b.catch_up(a)

    assert answers(beta, known) == ["hit"]


def test_what_a_thief_thought_of_others_counts_for_nothing(a, b, says, alpha, beta, shared):
    known = pdq()
    theirs = contributed(beta, picture(pdq=known), shared)
    b.publish()
    a.catch_up(b)
    opined(alpha, theirs, shared, "disagree", reason="benign")
    a.publish()
    b.catch_up(a)
    assert standing(beta, theirs) == "disputed"

    renewing.change_operation_key(a.hub, stolen_at=0)
    b.learn(a)
    b.settle()

    assert standing(beta, theirs) == "review"


def test_all_that_holds_is_said_anew_and_beats_a_thief(a, b, says, alpha, beta, shared):
    kept, _ = says()
    gone, indicator = says()
    withdrawn(alpha, indicator)
    a.publish()
    b.catch_up(a)

    renewing.change_operation_key(a.hub, stolen_at=3)
    a.publish()
    b.learn(a)
    b.catch_up(a)

    assert a.voice.epoch == 2
    assert answers(beta, kept, gone) == ["hit", "none"]
    with b.hub.begin.reading() as work:
        about = work.exchange.about([indicator], ("indicator",))
    assert [one.version for one in about] == [(2, 1)]
    a.publish()
    assert b.catch_up(a) == 0  # it is said anew once


def test_another_log_says_all_that_holds(a, b, says, alpha, beta, shared):
    kept, _ = says()
    gone, indicator = says()
    withdrawn(alpha, indicator)
    a.publish()  # which b does not hear any more: the old log is closed

    assert renewing.begin_log(a.hub) == "hub-a.example/fed/2"
    a.publish()
    b.learn(a)
    b.catch_up(a)

    assert answers(beta, kept, gone) == ["hit", "none"]
    assert b.enrolled(a.name).trust.applied == 2
    assert alarms(b, a) == []


def test_a_log_that_is_closed_below_what_it_showed_is_kept_as_evidence(a, b, says, beta):
    honest, _ = says()
    with a.hub.begin.reading() as work:
        early = work.logs.open(a.voice.log.origin).frontier
    beyond, _ = says()

    renewing.begin_log(a.hub, size=early.size, root=early.root())
    b.learn(a)
    b.settle()

    assert alarms(b, a) == ["fork"]
    assert answers(beta, honest, beyond) == ["hit", "none"]


def test_nobody_goes_back_to_what_was_closed(a, b, says):
    says()
    before = a.hub.abroad.known()
    renewing.begin_log(a.hub)
    b.learn(a)

    with pytest.raises(RefusedError) as refused:
        learn(b.enrolled(a.name), before, b.hub)

    assert refused.value.alarm is Alarm.ROLLBACK


def test_sets_that_were_taken_away_stay_away(a, b, says, alpha, beta, shared):
    """A narrower policy goes for its epoch; what is said anew names what is left."""
    other = a.set("others")
    for one, partner in ((a, b), (b, a)):
        one.share(partner.name, other)
    a.grant(other, alpha.member)
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared, other)
    a.publish()
    b.catch_up(a)
    answer = alpha.post(f"/v1/indicators/{indicator}/versions", version(other))
    assert answer.status_code == 201, answer.text
    a.publish()

    renewing.begin_log(a.hub)
    a.publish()
    b.learn(a)
    b.catch_up(a)

    assert answers(beta, known) == ["none"]


def on_its_way(a, b):
    """A page of a hub's log, which it brings by itself, and what was known of it then."""
    kept, settled = b.enrolled(a.name), b.partner(a)
    page = next_page(Wire(a, b.name), kept.trust)

    def arrives():
        _, came = receiving.take(
            page, settled, anew=None, partner=kept, state=partners.GOOD, hub=b.hub
        )
        return came

    return arrives


@pytest.mark.parametrize("heard", [0, 2])
def test_a_page_of_the_log_before_that_comes_too_late_is_not_kept(
    a, b, alpha, beta, shared, heard
):
    for _ in range(heard):
        contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    b.catch_up(a)
    known = pdq()
    contributed(alpha, picture(pdq=known), shared)
    a.publish()
    arrives = on_its_way(a, b)
    renewing.begin_log(a.hub)
    a.publish()
    b.learn(a)

    assert arrives() is None
    b.catch_up(a)
    assert answers(beta, known) == ["hit"]
    assert alarms(b, a) == []


def test_nor_is_one_that_comes_while_the_new_log_is_learnt(a, b, alpha, beta, shared, monkeypatch):
    known = pdq()
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    b.catch_up(a)
    contributed(alpha, picture(pdq=known), shared)
    a.publish()
    arrives, came, check = on_its_way(a, b), [], succession.check
    posted = threading.Thread(target=lambda: came.append(arrives()))

    def in_between(before, after):
        posted.start()
        posted.join(timeout=0.5)  # it is to wait for us
        return check(before, after)

    renewing.begin_log(a.hub)
    a.publish()
    monkeypatch.setattr(succession, "check", in_between)
    b.learn(a)
    posted.join()
    monkeypatch.undo()

    assert came == [None]
    b.catch_up(a)
    assert answers(beta, known) == ["hit"]
    assert alarms(b, a) == []
