# SPDX-License-Identifier: Apache-2.0
"""Three hubs, of which one shows two histories: the two others find out from each other."""

import pytest

from federation.errors import TransportError
from federation.log.merkle import Frontier
from federation.publishing import checkpoint, grown
from federation.witnessing import Request
from hub.ports.exchange import ACTIVE, PAUSED, SUSPENDED
from hub.services.exchange import comparing, partners
from hub.services.office import CONSOLE
from tests.simulators.federated import Wire
from tests.support.codes import pdq
from tests.support.saying import contributed, matched, picture


@pytest.fixture
def c(open_hub, a, b, shared):
    """A third hub, a partner of both."""
    hub = open_hub("hub-c.example")
    for one in (a, b):
        one.pair(hub)
        hub.pair(one)
    return hub


@pytest.fixture
def asks(a, b, c):
    """Let one hub ask a partner what it saw of the others' logs; who is away does not answer."""
    known = {one.name: one for one in (a, b, c)}

    def ask(asker, asked, *away):
        def wire(one):
            if one.hub in {each.name for each in away}:
                raise TransportError("it is away")
            return Wire(known[one.hub], asker.name)

        if asked is asker:
            return comparing.compare_own(asker.hub, wire)
        return comparing.compare_views(asked.name, asker.hub, wire)

    return ask


def evidence(hub, other):
    with hub.hub.begin.reading() as work:
        return work.partners.evidence(hub.enrolled(other.name).key)


def alarms(hub, other):
    return [one["alarm"] for one in evidence(hub, other)]


def shows(liar, to, *entries):
    """Let a hub show another history to one that it asks to cosign."""
    frontier = grown(Frontier(), {}, list(entries)).frontier
    note = checkpoint(frontier, liar.voice.log, int(liar.clock().timestamp()))
    answer = Wire(to, liar.name).post("/witness/add-checkpoint", Request(0, (), note).encoded())
    assert answer.status == 200
    return note.encoded()


def tells(a, b, shared, alpha, count):
    """Let a hub say so many things, and another follow; returns the codes."""
    known = [pdq() for _ in range(count)]
    for one in known:
        contributed(alpha, picture(pdq=one), shared)
    a.publish()
    b.catch_up(a)
    assert b.enrolled(a.name).trust.head.size == count
    return known


def test_who_shows_one_history_is_not_accused(a, b, c, shared, alpha, beta, asks):
    tells(a, b, shared, alpha, 2)
    a.ask_witnesses(b, c)
    tells_more = contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    b.catch_up(a)

    assert tells_more
    assert asks(b, c) == 1
    assert asks(b, b) == 1
    assert alarms(b, a) == []
    assert b.enrolled(a.name).state == ACTIVE


def test_what_a_witness_saw_of_what_we_have_not_yet_is_no_lie(a, b, c, shared, alpha, asks):
    tells(a, b, shared, alpha, 1)
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    a.ask_witnesses(c)

    assert asks(b, c) == 1
    assert alarms(b, a) == []


def test_two_histories_of_one_size_are_found_and_proven(a, b, c, shared, alpha, beta, asks):
    (known,) = tells(a, b, shared, alpha, 1)
    other = shows(a, c, b"another history")
    assert b.enrolled(a.name).state == ACTIVE

    assert asks(b, c) == 1

    (found,) = evidence(b, a)
    assert found["alarm"] == "split-view"
    assert {bytes(one) for one in found["proof"]} >= {b.enrolled(a.name).trust.head.note}
    assert b"hub-a.example/fed/1\n1\n" in other
    assert len(found["proof"]) == 2
    assert b.enrolled(a.name).state == SUSPENDED
    assert alarms(b, c) == []
    # What it said is shown still, for a person to look at.
    assert matched(beta, pdq=known)["standing"] == "review"


def test_two_histories_of_two_sizes_are_proven_by_the_logs_own_hashes(
    a, b, c, shared, alpha, asks
):
    tells(a, b, shared, alpha, 3)
    shows(a, c, b"another", b"history")

    asks(b, c)

    assert alarms(b, a) == ["split-view"]
    assert len(evidence(b, a)[0]["proof"]) == 3
    assert b.enrolled(a.name).state == SUSPENDED


def test_what_the_log_does_not_show_is_counted_and_accuses_nobody(a, b, c, shared, alpha, asks):
    tells(a, b, shared, alpha, 1)
    # It is longer than what the hub serves: nothing that is signed says what it began with.
    shows(a, c, b"another", b"history")

    asks(b, c)
    asks(b, c)

    (found,) = evidence(b, a)
    assert (found["alarm"], found["count"], found["proof"]) == ("gap", 2, [])
    assert b.enrolled(a.name).state == ACTIVE
    assert b.enrolled(a.name).error is None


def test_who_asks_to_be_cosigned_must_show_what_it_shows_followers(a, b, c, shared, alpha, asks):
    tells(a, b, shared, alpha, 1)
    shows(a, b, b"another history")

    assert asks(b, b) == 1

    assert alarms(b, a) == ["split-view"]
    assert b.enrolled(a.name).state == SUSPENDED


def test_nobody_is_accused_by_what_its_log_did_not_sign(a, b, c, shared, alpha, asks, monkeypatch):
    tells(a, b, shared, alpha, 1)
    note = shows(a, c, b"another history")
    forged = note.replace(b"hub-a.example/fed/1\n1\n", b"hub-a.example/fed/1\n2\n", 1)
    monkeypatch.setattr(comparing, "_cosigned_by", lambda *_: forged)

    assert asks(b, c) == 0
    assert alarms(b, a) == alarms(b, c) == []
    assert b.enrolled(a.name).state == ACTIVE


def test_who_is_away_is_no_liar(a, b, c, shared, alpha, asks):
    tells(a, b, shared, alpha, 3)
    shows(a, c, b"another", b"history")

    assert asks(b, c, a) == 1
    assert alarms(b, a) == []

    with pytest.raises(TransportError):
        asks(b, c, c)
    asks(b, c)
    assert alarms(b, a) == ["split-view"]


def test_whom_we_do_not_follow_is_neither_asked_nor_compared(a, b, c, shared, alpha, asks):
    tells(a, b, shared, alpha, 1)
    shows(a, c, b"another history")
    partners.change(c.name, by=CONSOLE, hub=b.hub, state=PAUSED)
    assert asks(b, c) == 0
    partners.change(c.name, by=CONSOLE, hub=b.hub, state=ACTIVE)
    partners.change(a.name, by=CONSOLE, hub=b.hub, state=PAUSED)

    assert asks(b, c) == 0
    assert alarms(b, a) == []
