# SPDX-License-Identifier: Apache-2.0
"""Ask a partner for what comes next, and keep it: one turn of following it.

What a partner does wrong is kept against it and harms nobody else; what it does right once more
is taken once more.
"""

from dataclasses import dataclass
from datetime import timedelta

from federation.believing import Partner
from federation.errors import Alarm, RefusedError, TransportError
from federation.following import early_revokes, next_page
from federation.identity.values import HubFile
from federation.pages import MAX_RECORDS
from federation.ports import Wire
from hub.domain.changes import SYSTEM
from hub.ports import Hub
from hub.ports.exchange import ACTIVE, Enrolled, Voice
from hub.services.exchange import partners
from hub.services.exchange.learning import learn
from hub.services.exchange.receiving import receive_revokes, take
from hub.services.exchange.witnessing import settle

FAR = 2_000
"""Entries behind, from which on what was taken back is asked for first."""
LIES = frozenset({Alarm.FORK, Alarm.ROLLBACK, Alarm.SPLIT_VIEW})
"""What no honest hub does: it is not followed any more before somebody has looked."""
OVER = frozenset({Alarm.FLOOD, Alarm.CONTENT})
"""What ends it: nor is who says so much that is bad."""
ANOTHER = frozenset(
    {Alarm.ROLLBACK, Alarm.WRONG_ORIGIN, Alarm.UNKNOWN_KEY, Alarm.GAP, Alarm.TRANSPORT}
)
"""What it looks like when a hub has other keys by now, or another log."""
FLOOD = "flood: far more than it used to say; look, then breakwater partners release"
UNSEEN_WAIT = 3
"""Seconds for a partner to say something new while no third hub is known to have seen its log."""
NOTE_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Turn:
    """What came of a turn.

    Attributes:
        kept: operations that changed something.
        behind: entries that are known and not applied.
        is_idle: whether there was nothing new, or all is to be read once more: time to rest.
        strangers: hubs whose word came by keys that are not known here: they may have others now.
    """

    kept: int
    behind: int
    is_idle: bool
    strangers: frozenset[str] = frozenset()


def ask_identity(partner: Enrolled, hub: Hub) -> HubFile:
    """Ask a partner who it is, and keep that.

    Raises:
        TransportError: It did not answer.
        RefusedError: It is not to be believed; it was kept against it, and what was known still
            holds.
    """
    try:
        known = hub.abroad.identity(partner)
        learn(partner, known, hub)
    except RefusedError as error:
        # What it says of itself is no lie about its log: it is asked again.
        partners.accuse(partner, error, is_over=False, hub=hub)
        raise
    except TransportError as error:
        _note(partner, hub, error=str(error))
        raise
    return known


def pull(name: str, *, wait: int, hub: Hub, voice: Voice, limit: int = MAX_RECORDS) -> Turn | None:
    """Take the next page of what a partner says; None: it is not followed now.

    Args:
        name: the partner's.
        wait: seconds that it may take until there is something new.
        hub: ours.
        voice: by what we speak.
        limit: records at most.

    Raises:
        TransportError: It did not answer, or not in time.
        RefusedError: What it answered is not to be believed; it was kept against it.
    """
    partner = _followed(name, hub)
    if partner is None:
        return None
    # Who it is is asked first, and what is wrong with that is told there.
    known = partners.identity_of(partner) or ask_identity(partner, hub)
    try:
        wire = hub.abroad.wire(partner, known)
        settled = settle(partner, known, hub, voice)
        _take_revokes(partner, settled, wire, limit, hub)
        if is_flood(partner, hub):
            _note(partner, hub, error=FLOOD)
            return Turn(kept=0, behind=_behind(partner), is_idle=True)
        patience = _patience(wait, partner, settled, hub)
        page = next_page(wire, partner.trust, limit=limit, wait=patience)
        # Much may have been settled while the partner took its time.
        partner = _followed(name, hub) or partner
        return _take(page, partner, known, hub, voice)
    except RefusedError as error:
        if error.alarm in ANOTHER and _speaks_otherwise(ask_identity(partner, hub), known):
            return Turn(kept=0, behind=0, is_idle=False)
        partners.accuse(partner, error, is_over=is_over(error), hub=hub)
        raise
    except TransportError as error:
        _note(partner, hub, error=str(error))
        raise


def _speaks_otherwise(now: HubFile, known: HubFile) -> bool:
    """Whether a hub has another log by now, or signs answers with another key."""
    return (now.log, now.req_keys) != (known.log, known.req_keys)


def is_over(error: RefusedError) -> bool:
    """Whether nobody is to follow it before somebody has looked: a lie that its log signed."""
    return error.alarm in OVER or (error.alarm in LIES and bool(error.evidence))


def is_flood(partner: Enrolled, hub: Hub) -> bool:
    """Whether it adds far more than it used to, and nobody has looked yet: its log can wait."""
    now = hub.clock()
    if partner.released_until is not None and now < partner.released_until:
        return False
    with hub.begin.reading() as work:
        return work.partners.pace(partner.key, now).is_flood


def _patience(wait: int, partner: Enrolled, settled: Partner, hub: Hub) -> int:
    """How long a partner may take until it has something new to say.

    That a third hub saw what is here already is nothing new to it, and what it said does not count
    before. Nor is a log that is still empty.
    """
    head = partner.trust.head
    if head is None:
        return min(wait, UNSEEN_WAIT)
    if settled.witnesses is None or partners.is_witnessed(head, hub.clock().timestamp()):
        return wait
    return min(wait, UNSEEN_WAIT)


def _behind(partner: Enrolled) -> int:
    head = partner.trust.head
    return head.size - partner.trust.applied if head is not None else 0


def _followed(name: str, hub: Hub) -> Enrolled | None:
    with hub.begin.reading() as work:
        partner = work.partners.named(name)
    is_one = partner is not None and partner.state == ACTIVE and partner.is_asked
    return partner if is_one else None


def _take(page: bytes, partner: Enrolled, known: HubFile, hub: Hub, voice: Voice) -> Turn:
    accepted, came = take(
        page,
        settle(partner, known, hub, voice),
        anew=lambda: settle(partner, ask_identity(partner, hub), hub, voice),
        partner=partner,
        state=_state(partner, hub),
        hub=hub,
    )
    _note(partner, hub, error=None)
    head = accepted.trust.head
    size = head.size if head is not None else 0
    return Turn(
        kept=came.kept if came is not None else 0,
        behind=size - accepted.trust.applied,
        # Before all is read once more there is a rest: nobody keeps us busy by asking for it.
        is_idle=(came or accepted.trust).applied <= partner.trust.applied,
        strangers=accepted.strangers,
    )


def _take_revokes(partner: Enrolled, settled: Partner, wire: Wire, limit: int, hub: Hub) -> None:
    """Of a long way to go, take first what is taken back: that must not wait for the rest."""
    if _behind(partner) < FAR and partner.error != FLOOD:
        return
    start = max(partner.revoked_to, partner.trust.applied)
    now = int(hub.clock().timestamp())
    found, end = early_revokes(wire, settled, partner.trust, start=start, now=now, limit=limit)
    if end > partner.revoked_to:
        receive_revokes(found, end, partner=partner, state=_state(partner, hub), hub=hub)


def _state(partner: Enrolled, hub: Hub) -> str:
    return partners.weight(partner, int(hub.clock().timestamp()))


def _note(partner: Enrolled, hub: Hub, *, error: str | None) -> None:
    """Keep how a partner is, and let its members' word weigh what that is worth."""
    now = hub.clock()
    with hub.begin.reading() as work:
        fresh = work.partners.named(partner.hub) or partner
    state = partners.weight(fresh, int(now.timestamp()))
    values = {"error": error} | ({} if error else {"reached_at": now})
    # Each note is a write: once in a while is enough where nothing is new.
    recent = partner.reached_at is not None and now - partner.reached_at < NOTE_EVERY
    if recent and error == partner.error and state == _state(partner, hub):
        return
    head = fresh.trust.head
    with hub.begin.writing(SYSTEM) as work:
        work.partners.change(partner.key, **values)
        partners.mark(fresh, int(now.timestamp()), work)
        if error is None and head is not None and not partners.is_alive(head, now.timestamp()):
            # It answers, and does not say that this is all there is: it may be kept from us.
            frozen = RefusedError(Alarm.STALE, "its log does not say that it is alive", head.note)
            work.partners.accuse(partner.key, frozen, now)
        work.commit()
