# SPDX-License-Identifier: Apache-2.0
"""Group C: pages, checkpoints and proofs that are not of one log."""

import pytest

from federation.log.checkpoints import Checkpoint
from federation.log.cosignatures import Cosigner, cosign
from federation.log.notes import Note
from federation.log.policies import Group, Policy
from federation.trust import Trust, accept
from federation.witnessing import Request
from hub.app import create_app
from hub.ports.exchange import ACTIVE, SUSPENDED
from hub.services.exchange import comparing
from tests.hostile.consistency import GROUP, ROOT
from tests.hostile.peer import LOG_ORIGIN, honest, said
from tests.simulators.partner import BEAT, LOG, trusted
from tests.simulators.statements import NOW, ORIGIN
from tests.support.signing import signer


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_what_is_not_of_one_log_is_refused(played, behaviour):
    played(behaviour)


def test_who_saw_one_head_cosigns_no_other(contract):
    """What one client alone cannot see: so partners are asked to cosign, and one of them has."""
    peer = honest()
    client = create_app(contract.settings, contract.hub).test_client()
    before = contract.dump().encoded()
    size = peer.log.frontier.size
    first = Checkpoint(LOG_ORIGIN, size, peer.log.frontier.root()).signed(LOG)
    other = Checkpoint(LOG_ORIGIN, size, ROOT).signed(LOG)
    assert cosigned(client, Request(0, (), first)).status_code == 200

    refused = cosigned(client, Request(size, (), other))

    assert refused.status_code == 422
    with contract.hub.begin.reading() as work:
        (told,) = work.partners.evidence(contract.partner().key)
    assert told["alarm"] == "fork"
    assert isinstance(told["proof"], list)
    assert told["proof"][1] == other.encoded()
    assert contract.dump().encoded() == before
    assert cosigned(client, Request(size, (), first)).status_code == 200


def test_who_follows_one_head_and_is_shown_another_is_told(contract):
    """Among three hubs: tests/functional/exchange/test_compared.py."""
    size = honest().log.frontier.size
    client = create_app(contract.settings, contract.hub).test_client()
    other = Checkpoint(LOG_ORIGIN, size, ROOT).signed(LOG)
    before = contract.dump().encoded()
    assert cosigned(client, Request(0, (), other)).status_code == 200
    assert contract.partner().state == ACTIVE

    comparing.compare_own(contract.hub, contract.hub.abroad.open_wire)

    with contract.hub.begin.reading() as work:
        (told,) = work.partners.evidence(contract.partner().key)
    assert told["alarm"] == "split-view"
    head = contract.partner().trust.head
    assert isinstance(told["proof"], list)
    assert head is not None
    # What we cosigned has our own line too.
    assert [Note.parse(one).text for one in told["proof"]] == [
        other.text,
        Note.parse(head.note).text,
    ]
    assert contract.partner().state == SUSPENDED
    assert contract.dump().encoded() == before


def test_a_stranger_accuses_nobody_by_a_spoilt_proof(contract):
    """Anybody may ask for a cosignature, and show what the peer's log rightly signed."""
    peer = honest()
    client = create_app(contract.settings, contract.hub).test_client()
    first = Note.parse(peer.log.note())
    assert cosigned(client, Request(0, (), first)).status_code == 200
    peer.say(said(81))

    refused = cosigned(client, Request(4, (ROOT, ROOT), Note.parse(peer.log.note())))

    assert refused.status_code == 422
    with contract.hub.begin.reading() as work:
        assert work.partners.evidence(contract.partner().key) == []


def cosigned(client, one):
    """Ask our hub to cosign."""
    return client.post("/fed/v1/witness/add-checkpoint", data=one.encoded(),
                       content_type="text/plain")  # fmt: skip


def test_nobody_is_witnessed_by_its_own_sign_of_life(contract):

    head = contract.partner().trust.head

    assert head is not None
    assert (head.alive_at, head.witnessed_at) == (NOW, None)


def test_nobody_witnesses_itself():
    """Its sign of life is a cosignature too; in a policy it counts for nothing."""
    peer = honest()
    own = Cosigner(f"{ORIGIN}/beat", BEAT.public)
    other = Cosigner("hub-c.example/w", signer(8).public)
    partner = trusted(
        sets=frozenset(),
        witnesses=Policy(
            (), {"own": own, "other": other}, (Group("any", 1, ("own", "other")),), "any", {}
        ),
    )

    accepted = accept(peer.log.page().encoded(), partner, Trust(), NOW)

    head = accepted.trust.head
    assert head is not None
    assert head.alive_at == NOW
    assert head.witnessed_at is None
    note = Note.parse(peer.log.note())
    seen_by = note.with_signatures([cosign(note.text, other.name, signer(8), NOW - 5)])
    page = peer.log.page(checkpoint=seen_by.encoded())
    witnessed = accept(page.encoded(), partner, Trust(), NOW).trust.head
    assert witnessed is not None
    assert witnessed.witnessed_at == NOW - 5
