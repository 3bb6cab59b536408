# SPDX-License-Identifier: Apache-2.0
"""A hub that was restored says nothing before it knows what it said."""

import pytest

from federation.believing import Head
from federation.errors import TransportError
from federation.identity.hubfile import read_hub_file
from federation.log.merkle import Frontier
from federation.operations.envelopes import sealed
from federation.operations.payloads import write
from federation.operations.values import Assert, Policy, SignalCode
from federation.publishing import checkpoint, grown
from federation.returned import Own
from federation.trust import Trust
from federation.witnessing import Request
from hub.domain.changes import SYSTEM
from hub.services import restoring
from hub.services.exchange import healing, recovering
from hub.services.exchange.authors import MEMBER, author_of
from hub.services.exchange.healing import Ways
from tests.simulators.federated import Wire
from tests.simulators.statements import WORDS, operation
from tests.support.codes import pdq
from tests.support.saying import contributed, matched, picture, withdrawn


@pytest.fixture
def restored(a, b, shared, alpha):
    """A hub whose log a partner witnessed, and which was put back."""
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    assert a.ask_witnesses(b) == 1
    restoring.new_timeline(begin=a.hub.begin, new_id=a.hub.new_id)
    a.settle()
    return a


def asked(hub, *others):
    known = {one.name: one for one in others}

    def wire(partner):
        if partner.hub not in known:
            raise TransportError("it is away")
        return Wire(known[partner.hub], hub.name)

    return healing.ask(hub.hub, hub.voice, read_hub_file(hub.file()), Ways(wire, wire))


def seen_by(witness, hub, entries):
    """Let a witness see more of a hub's log than the hub has by now."""
    more = grown(Frontier(), {}, [b"%d" % at for at in range(entries)]).frontier
    note = checkpoint(more, hub.voice.log, int(hub.clock().timestamp()))
    answer = Wire(witness, hub.name).post(
        "/witness/add-checkpoint", Request(0, (), note).encoded()
    )
    assert answer.status == 200


def evidence(hub):
    with hub.hub.begin.reading() as work:
        return [one["alarm"] for one in work.partners.evidence(None)]


def test_who_was_never_restored_need_not_ask(a, shared):
    assert not healing.is_doubted(a.hub)


def test_whose_witnesses_saw_no_more_may_speak(restored, b):
    assert healing.is_doubted(restored.hub)

    health = asked(restored, b)

    assert health.is_sure
    assert (health.size, health.asked, health.answered, health.seen) == (1, 1, 1, 1)
    assert not healing.is_doubted(restored.hub)


def test_nobody_speaks_before_somebody_answered(restored, b):
    health = asked(restored)

    assert not health.is_sure
    assert not health.is_rolled_back
    assert healing.is_doubted(restored.hub)
    assert asked(restored, b).is_sure


def test_whose_witness_saw_more_stays_silent(a, b, open_hub, shared, alpha):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    seen_by(b, a, 5)
    restoring.new_timeline(begin=a.hub.begin, new_id=a.hub.new_id)

    health = asked(a, b)

    assert health.is_rolled_back
    assert health.seen == 5
    assert healing.is_doubted(a.hub)
    assert evidence(a) == ["rollback"]


def test_who_followed_further_than_it_cosigned_tells_that_too(a, b, shared, alpha):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    assert a.ask_witnesses(b) == 1
    more = grown(Frontier(), {}, [b"%d" % at for at in range(3)]).frontier
    note = checkpoint(more, a.voice.log, int(a.clock().timestamp())).encoded()
    with b.hub.begin.writing(SYSTEM) as work:
        key = b.enrolled(a.name).key
        assert work.partners.keep(key, expected=0, trust=Trust(Head(3, more.root(), note)))
        work.commit()
    restoring.new_timeline(begin=a.hub.begin, new_id=a.hub.new_id)

    health = asked(a, b)

    assert (health.seen, health.root) == (3, more.root())
    assert health.is_rolled_back


def test_half_of_the_witnesses_are_not_enough(a, b, open_hub, shared, restored):
    c = open_hub("hub-c.example")
    a.pair(c)
    c.pair(a)

    assert not asked(a, b).is_sure
    assert asked(a, b, c).is_sure


def test_a_hub_that_has_no_witness_may_speak(open_hub):
    alone = open_hub("hub-z.example")
    restoring.new_timeline(begin=alone.hub.begin, new_id=alone.hub.new_id)

    assert asked(alone).is_sure
    assert not healing.is_doubted(alone.hub)


def test_a_witness_that_claims_more_has_to_show_it(restored, b, open_hub):
    """What it shows is signed by us, or it is no answer."""
    forger = open_hub("hub-f.example")
    restored.pair(forger)
    forger.pair(restored)

    class Lying(Wire):
        def get(self, path, **options):
            answer = super().get(path, **options)
            return type(answer)(200, b"hub-a.example/fed/1\n9\nAAAA\n\n", "text/plain")

    known = {b.name: Wire(b, restored.name), forger.name: Lying(forger, restored.name)}
    health = healing.ask(
        restored.hub,
        restored.voice,
        read_hub_file(restored.file()),
        Ways(lambda partner: known[partner.hub], lambda partner: known[partner.hub]),
    )

    assert (health.answered, health.seen) == (1, 1)


def test_a_witness_that_saw_more_is_believed_whenever_it_tells(a, b, shared, alpha):
    """Also a database that was copied back by hand, which nobody told of."""
    seen_by(b, a, 5)
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    assert not healing.is_doubted(a.hub)

    assert a.ask_witnesses(b) == 0

    assert healing.is_doubted(a.hub)


def lost(hub, member, target, code, set_id):
    """What a member of a hub said before the hub lost it, as a partner gives it back."""
    now = int(hub.clock().timestamp())
    said = write(
        operation(
            origin=hub.name,
            author=author_of(hub.hub.secrets.pepper, hub.name, MEMBER, member.member),
            operator="alpha.example.com",
            target=target,
            created=now,
            expires=now + 86_400,
            keep=now + 86_400,
            policy=Policy("amber", (set_id,), "none"),
            body=Assert("picture", (SignalCode("pdq", bytes.fromhex(code), 98),), WORDS),
        )
    )
    return Own(0, said, sealed(said.payload, hub.voice.op, hub.voice.op_id))


def test_what_was_lost_comes_back_by_its_own_id_whoever_took_that(a, b, alpha, beta, shared):
    mine, theirs = pdq(), pdq()
    taken = contributed(beta, picture(pdq=theirs), shared)
    b.publish()
    a.catch_up(b)
    assert matched(alpha, pdq=theirs)["hits"][0]["id"] == taken

    recovering.take_back([lost(a, alpha, taken, mine, shared)], a.voice, a.hub)
    a.settle()

    (hit,) = matched(alpha, pdq=mine)["hits"]
    (other,) = matched(alpha, pdq=theirs)["hits"]
    assert hit["id"] == taken != other["id"]
    # Each may take back its own, and no other.
    withdrawn(alpha, taken)
    assert matched(alpha, pdq=mine)["answer"] == "none"
    assert matched(alpha, pdq=theirs)["answer"] == "hit"
    withdrawn(beta, taken)
    b.publish()
    a.catch_up(b)
    assert matched(alpha, pdq=theirs)["answer"] == "none"
