# SPDX-License-Identifier: Apache-2.0
"""Group C: pages, checkpoints and proofs that are not of one log."""

import pytest

from federation.errors import Alarm, RefusedError
from federation.log.checkpoints import Checkpoint
from federation.log.cosignatures import Cosigner, cosign
from federation.log.notes import Note
from federation.log.policies import Group, Policy
from federation.log.verifiers import Verifier
from federation.trust import Trust, accept
from federation.witnessing import Request, Seen, Witness
from tests.hostile.consistency import GROUP, ROOT
from tests.hostile.peer import LOG_ORIGIN, honest
from tests.simulators.partner import BEAT, LOG, trusted
from tests.simulators.statements import NOW, ORIGIN
from tests.support.signing import signer


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_what_is_not_of_one_log_is_refused(played, behaviour):
    played(behaviour)


def test_who_saw_one_head_cosigns_no_other():
    """What one client alone cannot see: so partners are asked to cosign, and one of them has."""
    peer = honest()
    witness = Witness(
        "hub-b.example/w", signer(7), {LOG_ORIGIN: [Verifier(LOG_ORIGIN, LOG.public)]}
    )
    frontier = peer.log.frontier
    first = Checkpoint(LOG_ORIGIN, frontier.size, frontier.root()).signed(LOG)
    seen = witness.cosigned(Request(0, (), first), Seen(LOG_ORIGIN), NOW).seen

    other = Checkpoint(LOG_ORIGIN, frontier.size, ROOT).signed(LOG)
    with pytest.raises(RefusedError) as refused:
        witness.cosigned(Request(frontier.size, (), other), seen, NOW)

    assert refused.value.alarm is Alarm.FORK
    assert refused.value.evidence[1] == other.encoded()
    assert witness.cosigned(Request(frontier.size, (), first), seen, NOW).seen.root == seen.root


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
