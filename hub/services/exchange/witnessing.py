# SPDX-License-Identifier: Apache-2.0
"""Witness what partners' logs say, and know whom to ask what was said of theirs.

A cosignature says: this continues what I saw before. Of two histories that a hub shows to two
partners, a third that both ask can have cosigned but one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from federation.believing import Partner
from federation.errors import (
    Alarm,
    FederationError,
    RefusedError,
    SizeConflictError,
)
from federation.identity.values import HubFile
from federation.log.cosignatures import Cosigner
from federation.log.policies import Group, Policy
from federation.log.verifiers import Verifier
from federation.witnessing import Request, Seen, Witness, http_status
from hub.domain.changes import SYSTEM
from hub.ports import Hub, Work
from hub.ports.exchange import ACTIVE, QUARANTINED, REVIEW, Enrolled, Voice
from hub.services.exchange import origins, partners

PEERS = "peers"
ENOUGH = 1
"""Witnesses that must have seen a checkpoint, beside us and the hub whose it is."""
CONFLICT = 409
SIZE_TYPE = "text/x.tlog.size"


# -- for others ----------------------------------------------------------------------------------


def cosigned(body: bytes, *, hub: Hub, voice: Voice) -> bytes:
    """Cosign a partner's checkpoint; returns the lines to answer with.

    Raises:
        FederationError: It is not cosigned: ``federation.witnessing.http_status`` says how to
            answer. What proves a lie is kept.
    """
    request = Request.parse(body)
    with hub.begin.reading() as work:
        known = work.partners.all()
        seen = work.partners.witnessed(request.origin)
    logs = {log.origin: log for log in map(_log_of, known) if log is not None}
    witness = Witness(
        voice.log.beat_name,
        voice.log.beat,
        {origin: log.keys for origin, log in logs.items()},
    )
    now = int(hub.clock().timestamp())
    try:
        answer = witness.cosigned(request, seen or Seen(request.origin), now)
    except RefusedError as error:
        # Anybody may ask, with a proof that is spoilt: only what its log signed twice accuses it.
        if error.alarm is Alarm.FORK and request.origin in logs:
            # Both histories are signed: nobody but the partner, or a thief of its key, made that.
            partners.accuse(logs[request.origin].partner, error, is_over=True, hub=hub)
        raise
    with hub.begin.writing(SYSTEM) as work:
        # Compare before keeping: two requests must not both be "the next one".
        if not work.partners.witness(answer.expected, answer.seen):
            raise SizeConflictError(_size(request.origin, work))
        work.commit()
    return answer.body


def shown(name: str, *, hub: Hub) -> bytes | None:
    """The checkpoint that was cosigned last of a log, by the SHA-256 of its origin, hex."""
    with hub.begin.reading() as work:
        for partner in work.partners.all():
            log = _log_of(partner)
            if log is not None and hashlib.sha256(log.origin.encode()).hexdigest() == name:
                seen = work.partners.witnessed(log.origin)
                return seen.note if seen is not None else None
    return None


def status_of(error: FederationError) -> tuple[int, bytes, str]:
    """How to answer what is not cosigned: a status, a body, its media type."""
    if isinstance(error, SizeConflictError):
        return CONFLICT, b"%d\n" % error.size, SIZE_TYPE
    return http_status(error), str(error).encode() + b"\n", "text/plain"


# -- of others -----------------------------------------------------------------------------------


def policy_for(partner: Enrolled, known: Sequence[Enrolled]) -> Policy | None:
    """Who must have seen a partner's log: any of the others that we follow; None: there is none.

    A hub that the same operator runs is no other.
    """
    own = partners.identity_of(partner)
    witnesses: dict[str, Cosigner] = {}
    for one in known:
        said = partners.identity_of(one)
        if one.key == partner.key or said is None or said.witness is None:
            continue
        same = own is not None and own.operator.id == said.operator.id
        if one.state == ACTIVE and one.level >= REVIEW and not same:
            witnesses[one.hub] = Cosigner.parse(said.witness)
    if not witnesses:
        return None
    return Policy((), witnesses, (Group(PEERS, ENOUGH, tuple(witnesses)),), PEERS, {})


def settle(partner: Enrolled, known: HubFile, hub: Hub, voice: Voice) -> Partner:
    """What a partner may say to us by now, and who must have seen its log."""
    with hub.begin.reading() as work:
        everybody = work.partners.known()
        homes = work.manifests.homes()
        counting = work.manifests.counting(int(hub.clock().timestamp()))
        mouths = origins.mouths(work, everybody, voice)
    others = [one for one in everybody if not one.relayed]
    return partners.trusted(
        partner,
        known,
        voice.hub,
        policy_for(partner, others),
        relays=origins.relayed(partner, everybody, homes, counting, here=voice.hub, others=mouths),
        manifests=origins.shown_to(partner, counting),
    )


# -- who -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Log:
    origin: str
    keys: tuple[Verifier, ...]
    partner: Enrolled


def _log_of(partner: Enrolled) -> _Log | None:
    """The log of a partner that is witnessed: of everybody who is not in quarantine."""
    said = partners.identity_of(partner)
    if said is None or partner.state == QUARANTINED:
        return None
    return _Log(said.log.origin, partners.log_keys(said), partner)


def _size(origin: str, work: Work) -> int:
    seen = work.partners.witnessed(origin)
    return seen.size if seen is not None else 0
