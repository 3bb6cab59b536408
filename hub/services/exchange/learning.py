# SPDX-License-Identifier: Apache-2.0
"""Keep what a partner says of itself, and let go what a stolen key said.

A key that ends earlier than was known takes along what it signed from there on. What held before
that in the same places is in the log still: all of it is read once more.
"""

from dataclasses import replace

from federation.errors import Alarm, RefusedError
from federation.identity import hubfile, succession
from federation.identity.values import ClosedLog, HubFile, Log, OpKey
from federation.trust import Trust, from_the_start
from hub.domain.changes import SYSTEM
from hub.ports import Hub, Work
from hub.ports.exchange import Enrolled, Kept
from hub.services.exchange import partners
from hub.services.exchange.effects import Effects
from hub.services.exchange.origins import sources_now
from hub.services.exchange.speakers import Speakers

INDICATOR, POLICY = "indicator", "policy"


def learn(partner: Enrolled, known: HubFile, hub: Hub) -> bool:
    """Keep what a hub says of itself, and what follows from it; returns whether it is new.

    Raises:
        RefusedError: ROLLBACK: It takes back what it had settled; what was known still holds.
    """
    written = hubfile.write(known)
    if written == partner.identity:
        return False
    with hub.begin.writing(SYSTEM) as work:
        # Locked: a page of its log, posted meanwhile, must not be kept in between.
        fresh = work.partners.keyed(partner.key, lock=True) or partner
        before = partners.identity_of(fresh)
        if fresh.root != partner.root:
            if before is not None:
                return False
            # Named by several roots, it has proven this one first.
            work.partners.change(fresh.key, root=partner.root)
        if before is not None:
            succession.check(before, known)
        work.partners.change(fresh.key, identity=written)
        if before is None or _keys(before) != _keys(known):
            # What was passed on and signed by keys that we did not know was passed over.
            partners.hear_again(partner.hub, int(hub.clock().timestamp()), work)
        if before is not None:
            _succeed(before, known, fresh, hub, work)
        work.commit()
    return True


def _keys(known: HubFile) -> tuple[Log, frozenset[OpKey]]:
    """By what a hub's word is known to be its own, in whatever order it names them."""
    return known.log, frozenset(known.op_keys)


def _succeed(before: HubFile, known: HubFile, partner: Enrolled, hub: Hub, work: Work) -> None:
    closed, cuts = succession.closed(before, known), succession.cuts(before, known)
    void = work.exchange.void(partner.key, partner.hub, cuts) if cuts else []
    if void:
        _let_go(void, partner, hub, work)
    if closed is not None:
        trust = Trust()
        _hold_against(closed, partner, hub, work)
    elif void:
        trust = from_the_start(partner.trust)
    else:
        return
    if not work.partners.keep(partner.key, expected=partner.trust.applied, trust=trust):
        raise AssertionError("a partner that was locked has changed")
    work.partners.change(partner.key, revoked_to=0)


def _let_go(void: list[Kept], partner: Enrolled, hub: Hub, work: Work) -> None:
    """Undo what is void; the guard for what is taken back holds as always."""
    known = sources_now(work, int(hub.clock().timestamp()))
    effects = Effects(partner, Speakers(known, hub, work), {}, hub, work)
    effects.undo(void)
    # Where sets were taken away, the log says once more in which it was.
    narrowed = [
        replace(one.register, kind=INDICATOR) for one in void if one.register.kind == POLICY
    ]
    others = work.exchange.registers(narrowed)
    work.exchange.let_go([*void, *others.values()])
    effects.count()


def _hold_against(closed: ClosedLog, partner: Enrolled, hub: Hub, work: Work) -> None:
    """Keep what proves that a log was longer than its hub says when it closed it.

    Somebody else may have signed that: so its hub is followed, and people may look.
    """
    head = partner.trust.head
    if head is None or head.size < closed.size:
        return
    if head.size > closed.size or head.root.hex() != closed.root:
        what = f"{closed.origin} was closed otherwise than it was signed"
        work.partners.accuse(partner.key, RefusedError(Alarm.FORK, what, head.note), hub.clock())
