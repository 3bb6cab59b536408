# SPDX-License-Identifier: Apache-2.0
"""Three hubs that watch each other: what one saw of another's log, the third may rely on."""

import hashlib

import pytest

from federation.errors import Alarm, RefusedError
from federation.log.merkle import Frontier
from federation.log.notes import Note
from federation.publishing import checkpoint, grown
from federation.witnessing import Request
from hub.ports.exchange import ACTIVE, QUARANTINED, REVIEW, STORE, SUSPENDED
from hub.services.exchange import being_witnessed, comparing, partners, witnessing
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


def weight(hub, other):
    return partners.weight(hub.enrolled(other.name), int(hub.clock().timestamp()))


def evidence(hub, other):
    with hub.hub.begin.reading() as work:
        return [one["alarm"] for one in work.partners.evidence(hub.enrolled(other.name).key)]


def test_two_hubs_alone_are_not_witnessed(a, b, shared, alpha, beta):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    assert a.ask_witnesses(b) == 1
    b.catch_up(a)

    assert weight(b, a) == partners.STALE


def test_a_third_hub_that_saw_the_log_makes_its_word_count(a, b, c, shared, alpha, beta):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    assert a.ask_witnesses(b, c) == 2

    b.catch_up(a)

    assert weight(b, a) == partners.GOOD


def test_a_log_that_grows_stays_witnessed(a, b, c, shared, alpha, beta, clock):
    for _ in range(3):
        contributed(alpha, picture(pdq=pdq()), shared)
        a.publish()
        a.ask_witnesses(b, c)
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    b.catch_up(a)
    assert weight(b, a) == partners.STALE  # what it heard of first was not witnessed yet
    a.ask_witnesses(b, c)
    b.catch_up(a)
    assert weight(b, a) == partners.GOOD

    clock.forward(hours=1)
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    b.catch_up(a)
    assert weight(b, a) == partners.GOOD

    clock.forward(hours=24)
    a.publish()
    b.catch_up(a)
    assert weight(b, a) == partners.STALE


def test_nobody_is_asked_twice_for_nothing(a, b, c, shared, alpha, clock):
    a.publish()
    assert a.ask_witnesses(b, c) == 2
    assert a.ask_witnesses(b, c) == 0
    clock.forward(seconds=700)

    assert a.ask_witnesses(b, c) == 2


def test_a_witness_that_forgot_what_it_was_asked_is_asked_from_there(a, b, c, shared, alpha):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    a.ask_witnesses(b, c)
    a.sizes.clear()
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()

    assert a.ask_witnesses(b, c) == 2
    assert a.sizes == {"hub-b.example": 2, "hub-c.example": 2}


def test_a_witness_shows_what_it_saw(a, c, shared, alpha):
    a.publish()
    a.ask_witnesses(c)
    name = hashlib.sha256(a.voice.log.origin.encode()).hexdigest()

    note = Note.parse(witnessing.shown(name, hub=c.hub) or b"")

    assert {line.name for line in note.signatures} >= {a.voice.log.origin, c.voice.log.beat_name}
    assert witnessing.shown("0" * 64, hub=c.hub) is None


def test_a_second_history_is_not_cosigned_and_proves_a_lie(a, c, shared, alpha):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    a.ask_witnesses(c)
    other = grown(Frontier(), {}, [b"another history"]).frontier
    note = checkpoint(other, a.voice.log, int(a.clock().timestamp()))

    answer = Wire(c, a.name).post("/witness/add-checkpoint", Request(1, (), note).encoded())

    assert answer.status == 422
    assert evidence(c, a) == ["fork"]
    assert c.enrolled(a.name).state == SUSPENDED


def test_a_proof_that_a_stranger_spoilt_accuses_nobody(a, c, shared, alpha):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    a.ask_witnesses(c)
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    with a.hub.begin.reading() as work:
        note = Note.parse(work.logs.open(a.voice.log.origin).note)

    answer = Wire(c, a.name).post(
        "/witness/add-checkpoint", Request(1, (bytes(32),), note).encoded()
    )

    assert answer.status == 422
    assert evidence(c, a) == []
    assert c.enrolled(a.name).state == ACTIVE


def test_who_is_in_quarantine_stays_there(a, c, shared, alpha):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    partner = c.enrolled(a.name)
    partners.change(a.name, by=CONSOLE, hub=c.hub, state=QUARANTINED)

    partners.accuse(partner, RefusedError(Alarm.FORK, "a lie"), is_over=True, hub=c.hub)

    assert c.enrolled(a.name).state == QUARANTINED


def test_whoever_is_no_partner_is_not_witnessed(a, b, c, shared):
    stranger = checkpoint(grown(Frontier(), {}, [b"x"]).frontier, a.voice.log, 1)
    text = stranger.encoded().replace(b"hub-a.example/fed/1", b"hub-x.example/fed/1")

    answer = Wire(c, a.name).post("/witness/add-checkpoint", b"old 0\n\n" + text)

    assert answer.status in {403, 404}


@pytest.mark.parametrize("level", [STORE, REVIEW])
def test_only_who_counts_counts(a, b, c, shared, alpha, beta, level):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    a.ask_witnesses(b, c)
    b.catch_up(a)
    assert weight(b, a) == partners.GOOD

    partners.change(a.name, by=CONSOLE, hub=b.hub, level=level)

    assert weight(b, a) == (partners.HIDDEN if level == STORE else partners.STALE)


def test_a_quarantined_partner_is_out_of_all_answers_at_once_and_back(
    a, b, c, shared, alpha, beta
):
    known = pdq()
    contributed(alpha, picture(pdq=known), shared)
    a.publish()
    b.catch_up(a)
    before = b.hub.engine.totals
    assert matched(beta, pdq=known)["answer"] == "hit"

    partners.change(a.name, by=CONSOLE, hub=b.hub, state=QUARANTINED)
    assert matched(beta, pdq=known)["answer"] == "none"
    partners.change(a.name, by=CONSOLE, hub=b.hub, state="active")

    assert matched(beta, pdq=known)["answer"] == "hit"
    assert b.hub.engine.totals == before


def test_a_log_that_grows_while_witnesses_are_asked_is_known_to_be_witnessed(
    a, b, c, shared, alpha, beta
):
    def wire(one):
        # Whoever is asked takes its time, and meanwhile there is more to say.
        contributed(alpha, picture(pdq=pdq()), shared)
        a.publish()
        return Wire({hub.name: hub for hub in (b, c)}[one.hub], a.name)

    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    assert being_witnessed.ask_witnesses(a.hub, a.voice, wire, a.sizes) == 2
    b.catch_up(a)
    assert weight(b, a) == partners.STALE
    comparing.compare_views(
        c.name, b.hub, lambda one: Wire({hub.name: hub for hub in (a, c)}[one.hub], b.name)
    )

    assert weight(b, a) == partners.GOOD


def test_each_line_is_shown_as_it_comes(a, b, c, shared, alpha):
    shown: list[int] = []

    def one_by_one(ask, known):
        for one in known:
            yield ask(one)
            shown.append(len(lines(a)))

    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    before = len(lines(a))
    being_witnessed.ask_witnesses(
        a.hub,
        a.voice,
        lambda one: Wire({hub.name: hub for hub in (b, c)}[one.hub], a.name),
        a.sizes,
        each=one_by_one,
    )

    assert shown == [before + 1, before + 2]


def lines(hub):
    """The lines under the checkpoint that a hub shows."""
    with hub.hub.begin.reading() as work:
        return Note.parse(work.logs.open(hub.voice.log.origin).note).signatures
