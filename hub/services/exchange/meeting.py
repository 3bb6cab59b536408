# SPDX-License-Identifier: Apache-2.0
"""Learn who the hubs are whose word a partner passes on, and that they are alive, through it.

Who a hub is proves itself, from the first root that the manifest names; and so does what its log
is by now. A partner that keeps newer things back makes that hub's word old, and nothing else.
"""

import contextlib
from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from federation.errors import Alarm, FederationError, RefusedError
from federation.identity.values import HubFile
from federation.log.notes import MAX_BYTES
from federation.ports import Wire
from federation.trust import Trust, seen
from hub.domain.changes import SYSTEM
from hub.ports import Hub, Work
from hub.ports.exchange import ACTIVE, SUSPENDED, Enrolled, Voice, mirror_of
from hub.services.exchange import origins, partners
from hub.services.exchange.learning import learn
from hub.services.exchange.witnessing import policy_for

FOUND = 200
SECONDS = 20.0


def unmet(partner: Enrolled, hub: Hub, voice: Voice) -> list[Enrolled]:
    """The hubs of which only a partner tells who they are, and whose word it may bring.

    One that has proven nothing yet is there by each root by which manifests name it: whichever of
    them it proves is its own, not whichever was named first.
    """
    with hub.begin.reading() as work:
        known = work.partners.known()
        homes = work.manifests.homes()
        counting = work.manifests.counting(int(hub.clock().timestamp()))
    named = origins.relayed(partner, known, homes, counting, here=voice.hub, others={})
    both = origins.common(partner, counting, voice.hub)
    found = []
    for one in known:
        if one.hub not in named or not one.relayed or one.state != ACTIVE:
            continue
        roots = {it.hubs[one.hub] for it in both.values() if one.hub in it.hubs}
        if named[one.hub].homes:
            roots.add(one.root)
        if one.identity is not None:
            roots &= {one.root}
        found += [replace(one, root=root) for root in sorted(roots)]
    return found


def meet(
    other: Enrolled,
    partner: Enrolled,
    wire: Wire,
    hub: Hub,
    voice: Voice,
    *,
    is_sure: bool = True,
) -> bool:
    """Ask a partner who another hub is, and how its log is; whether it told anything new of that.

    Args:
        other: that hub.
        partner: who is asked.
        wire: to it.
        hub: ours.
        voice: by what we speak.
        is_sure: whether that hub is named by no other root where the partner is.

    Raises:
        TransportError: It did not answer, or does not know.
    """
    try:
        said = hub.abroad.identity_through(other, wire)
    except RefusedError as error:
        # It may lie, or just be late: what was known still holds, for as long as it is fresh.
        if error.alarm is not Alarm.STALE and is_sure:
            _accuse(partner, error, hub)
        return False
    answer = wire.get(f"{mirror_of(other.hub)}/checkpoint", max_bytes=MAX_BYTES, seconds=SECONDS)
    note = answer.body if answer.status == FOUND else None
    return keep(other, said, note, partner=partner, hub=hub, voice=voice)


def keep(
    other: Enrolled,
    said: HubFile,
    note: bytes | None,
    *,
    partner: Enrolled,
    hub: Hub,
    voice: Voice,
) -> bool:
    """Keep what a partner told of another hub; returns whether that is new.

    Args:
        other: that hub.
        said: what it says of itself, which its own keys prove.
        note: the newest checkpoint of its log that the partner shows; None: there is none.
        partner: who told it.
        hub: ours.
        voice: by what we speak.
    """
    try:
        is_new = learn(other, said, hub)
    except RefusedError as error:
        # That its own keys signed, whoever brought it.
        _accuse(other, error, hub)
        return False
    with hub.begin.reading() as work:
        kept = work.partners.keyed(other.key) or other
    if kept.root != other.root:
        return False  # it has proven meanwhile that it is another
    other = kept
    head = None if note is None else _head(other, said, note, hub, voice)
    with hub.begin.writing(SYSTEM) as work:
        if head is not None:
            work.partners.keep(other.key, expected=other.trust.applied, trust=head)
        work.partners.change(other.key, reached_at=hub.clock(), via=partner.key, base=said.base)
        _tell(other, said, hub, voice, work)
        fresh = work.partners.keyed(other.key) or other
        partners.mark(fresh, int(hub.clock().timestamp()), work)
        work.commit()
    return is_new


def _tell(other: Enrolled, said: HubFile, hub: Hub, voice: Voice, work: Work) -> None:
    """Let people know if nothing of it is believed before they said for whom it speaks."""
    others = origins.mouths(work, work.partners.known(), voice)
    is_heard = bool(origins.speaks_for(other, said, others))
    is_told = partners.awaits_word(other)
    if is_heard and is_told:
        work.partners.change(other.key, error=None)
    elif not is_heard and not is_told and other.error is None:
        what = f"others speak for {said.operator.id} here; if it does too, let people vouch"
        work.partners.change(other.key, error=f"{Alarm.UNVOUCHED.value}: {what}")
        work.partners.accuse(other.key, RefusedError(Alarm.UNVOUCHED, what), hub.clock())


def _head(other: Enrolled, said: HubFile, note: bytes, hub: Hub, voice: Voice) -> Trust | None:
    """What is believed of its log by a checkpoint; None: no more than before."""
    with hub.begin.reading() as work:
        policy = policy_for(other, work.partners.all())
    settled = partners.trusted(other, said, voice.hub, policy)
    try:
        head = seen(note, settled, other.trust, int(hub.clock().timestamp()))
    except RefusedError as error:
        # An older one is no lie: the partner may be behind another that we asked before. Two of
        # one size are, whoever brought them.
        if error.alarm is Alarm.FORK:
            with hub.begin.writing(SYSTEM) as work:
                work.partners.change(other.key, state=SUSPENDED, error=str(error))
                work.partners.accuse(other.key, error, hub.clock())
                work.commit()
        return None
    known = other.trust.head
    if known is not None and head.alive_at < known.alive_at:
        return None
    return Trust(head, other.trust.frontier)


def _accuse(partner: Enrolled, error: RefusedError, hub: Hub) -> None:
    with hub.begin.writing(SYSTEM) as work:
        work.partners.accuse(partner.key, error, hub.clock())
        work.commit()


def meet_all(
    partner: Enrolled,
    wire: Wire,
    hub: Hub,
    voice: Voice,
    *,
    only_new: bool,
    strangers: Collection[str] = (),
) -> int:
    """Ask a partner for all of them, or for those of whom nothing is known yet; returns of whom.

    That it does not know one of them holds nobody up. *strangers* are asked for as those of whom
    nothing is known: they may have other keys by now.
    """
    met = 0
    named = unmet(partner, hub, voice)
    roots = Counter(one.hub for one in named)
    for one in named:
        if only_new and one.identity is not None and one.hub not in strangers:
            continue
        with contextlib.suppress(FederationError):
            met += meet(one, partner, wire, hub, voice, is_sure=roots[one.hub] == 1)
    return met
