# SPDX-License-Identifier: Apache-2.0
"""Keep what a partner's hub says, as anybody's contribution is kept.

Operations are joined into registers; what holds there becomes indicators and opinions of remote
parties, through the same guards, neighbours and standing as a member's. All of it, and what is
believed of the partner's log, is kept in one commit, or nothing is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from federation.believing import Partner, Received
from federation.errors import Alarm, RefusedError
from federation.log.checkpoints import Checkpoint
from federation.log.notes import Note
from federation.operations.values import TAKES_BACK, Register
from federation.trust import Accepted, Trust, accept, from_the_start
from hub.domain.changes import SYSTEM
from hub.domain.errors import BadInputError
from hub.domain.indicators import Draft
from hub.ports import Hub, Work
from hub.ports.exchange import Enrolled, Kept, Statement
from hub.ports.relays import Proven
from hub.services.exchange import partners
from hub.services.exchange.drafting import draft_of
from hub.services.exchange.effects import Effects
from hub.services.exchange.joining import Change, changes
from hub.services.exchange.origins import UNKNOWN, Source, sources
from hub.services.exchange.speakers import Speakers

MOST_REFUSED = 100
"""Bad operations, after which nobody follows their hub before somebody has looked."""


@dataclass(frozen=True)
class Came:
    """What became of a page.

    Attributes:
        applied: index of the next entry.
        kept: operations that changed a register.
        refused: operations that are not believed, or that the guards refused.
    """

    applied: int
    kept: int
    refused: int


def take(
    page: bytes,
    settled: Partner,
    *,
    anew: Callable[[], Partner] | None,
    partner: Enrolled,
    state: str,
    hub: Hub,
    has_start: bool = True,
) -> tuple[Accepted, Came | None]:
    """Hold a page against its log and keep it, whichever way it came.

    Args:
        page: as it came.
        settled: what its hub may say to us.
        anew: asks its hub which keys it has by now; None: *settled* says that already.
        partner: that hub, as it was when the page was asked for.
        state: of its authors' parties: whether their word counts.
        hub: ours.
        has_start: whether all of the log can be read once more.

    Returns:
        what was accepted, and what became of it; None: somebody else was quicker.

    Raises:
        RefusedError: It is not to be believed; CONTENT, FLOOD: nor is who says so much that is
            bad.
    """
    now = int(hub.clock().timestamp())
    accepted = accept(page, settled, partner.trust, now)
    if anew is not None and any(one.alarm is Alarm.UNKNOWN_KEY for one in accepted.refused):
        # Its hub may have a new key: passed over, what that signed would be lost.
        accepted = accept(page, anew(), partner.trust, now)
    if accepted.is_too_bad:
        raise RefusedError(Alarm.CONTENT, "more of a page is bad than a slip explains")
    came = receive(accepted, partner=partner, state=state, hub=hub, has_start=has_start)
    if came is not None and partner.refused + came.refused > MOST_REFUSED:
        raise RefusedError(Alarm.FLOOD, "more was bad than slips explain")
    return accepted, came


def receive(
    accepted: Accepted, *, partner: Enrolled, state: str, hub: Hub, has_start: bool = True
) -> Came | None:
    """Keep a page that was held against its log; None: somebody else was quicker.

    Args:
        accepted: the page.
        partner: from whom it came, as it was when the page was asked for.
        state: of its authors' parties: whether their word counts.
        hub: ours.
        has_start: whether all of the log can be read once more.
    """
    known = _sources(partner, state, hub)
    drafts, refused = drafted(accepted.operations, known)
    trust, shared, told = _once_more(accepted, partner, has_start=has_start)
    with hub.begin.writing(SYSTEM) as work:
        if not work.partners.keep(partner.key, expected=partner.trust.applied, trust=trust):
            return None
        if _is_of_another_log(trust, work.partners.keyed(partner.key)):
            return None
        if shared != partner.heard:
            work.partners.heard(partner.key, shared)
        work.partners.hear(partner.key, told)
        effects = Effects(partner, Speakers(known, hub, work), drafts, hub, work)
        kept = join(accepted.operations, effects, partner.key, hub, work)
        effects.count()
        for one in accepted.refused:
            error = RefusedError(one.alarm, one.what, *one.evidence)
            work.partners.accuse(partner.key, error, hub.clock())
        for source, error in refused:
            work.partners.accuse(_key(source, partner, known), error, hub.clock())
        # What the guards refuse of another hub is not the fault of whoever passes it on.
        bad = len(accepted.refused) + sum(source == partner.hub for source, _ in refused)
        bad += effects.lied
        if bad:
            work.partners.change(partner.key, refused=partner.refused + bad)
        work.commit()
    return Came(trust.applied, kept, bad)


def _is_of_another_log(trust: Trust, fresh: Enrolled | None) -> bool:
    """Whether its hub was learnt to have begun another log since the page was held against one."""
    said = None if fresh is None else partners.identity_of(fresh)
    if said is None or trust.head is None:
        return False
    return Checkpoint.parse(Note.parse(trust.head.note).text).origin != said.log.origin


def _sources(partner: Enrolled, state: str, hub: Hub) -> Mapping[str, Source]:
    with hub.begin.reading() as work:
        return sources(work, int(hub.clock().timestamp()), partner, state)


def _key(source: str, partner: Enrolled, known: Mapping[str, Source]) -> int:
    """Against whom it is kept what a hub said."""
    return known[source].key or partner.key if source in known else partner.key


def _once_more(
    accepted: Accepted, partner: Enrolled, *, has_start: bool
) -> tuple[Trust, frozenset[str], Mapping[str, str]]:
    """What is believed next, the sets that it was heard of, and manifests by which both go."""
    shared, told = accepted.sets & partner.sets.keys(), accepted.manifests
    is_news = any(partner.told.get(one) != name for one, name in told.items())
    if not (shared - partner.heard or is_news) or not partner.trust.applied:
        return accepted.trust, shared, told if is_news else {}
    if not accepted.trust.is_level or not has_start:
        # First to the end: who shares a set and does not, in turns, must not send us in circles.
        # And not before it can be: a file may hold the end of a log only, as may the next.
        return accepted.trust, shared & partner.heard, {}
    # What was withheld, or not believed, while a set was not shared or its manifest not known is
    # there for us now: all is read once more, and what is known already changes nothing.
    return from_the_start(accepted.trust), shared, told


def receive_revokes(
    operations: Sequence[Received], upto: int, *, partner: Enrolled, state: str, hub: Hub
) -> int:
    """Take back ahead of the log what a partner takes back; returns how many registers changed."""
    known = _sources(partner, state, hub)
    with hub.begin.writing(SYSTEM) as work:
        effects = Effects(partner, Speakers(known, hub, work), {}, hub, work)
        kept = join(operations, effects, partner.key, hub, work)
        effects.count()
        bad = partner.refused + effects.lied
        work.partners.change(partner.key, revoked_to=upto, refused=bad)
        work.commit()
    return kept


def drafted(
    operations: Iterable[Received], known: Mapping[str, Source]
) -> tuple[dict[str, Draft], list[tuple[str, RefusedError]]]:
    """What is said of items, by operation, ready to be kept; and whose the guards refuse.

    Args:
        operations: what was said.
        known: everybody whose word may come, by name.
    """
    drafts: dict[str, Draft] = {}
    refused: list[tuple[str, RefusedError]] = []
    for one in operations:
        origin = one.operation.origin
        try:
            draft = draft_of(one.operation, known.get(origin, UNKNOWN))
        except BadInputError as bad:
            slugs = ", ".join(sorted({flaw.slug for flaw in bad.flaws}))
            error = RefusedError(Alarm.CONTENT, f"the guards refuse it: {slugs}")
            refused.append((origin, error))
            continue
        if draft is not None:
            drafts[one.said.id] = draft
    return drafts, refused


def join(
    operations: Sequence[Received], effects: Effects, source: int | None, hub: Hub, work: Work
) -> int:
    """Join operations into registers and let the hub know; returns how many changed.

    Args:
        operations: what is believed.
        effects: carries out what they call for.
        source: internal key of the partner that handed them on; None: they are our own.
        hub: ours.
        work: a transaction that writes.
    """
    known = work.exchange.registers(one.operation.register for one in operations)
    changed = changes(operations, known, int(hub.clock().timestamp()))
    if not changed:
        _prove(operations, {}, known, work)
        return 0
    came = {name: one for change in changed.values() for name, one in change.came.items()}
    keys = work.exchange.add([_statement(one, source) for one in came.values()])
    for change in changed.values():
        if change.held.is_told_twice:
            origin = next(iter(change.came.values())).operation.origin
            effects.lies(origin, _lie(change, work))
    kept = {name: one.kept(name, _only(one, keys)) for name, one in changed.items()}
    kept = effects.of_items(
        {name: (kept[name], one.identifier, one.said) for name, one in changed.items()}
    )
    work.exchange.keep(list(kept.values()))
    effects.of_sets(changed)
    # What is said of items comes after them: it may be of one that came just now.
    effects.of_words(one.said for one in changed.values() if one.said is not None)
    effects.of_exclusions({name: one.said for name, one in changed.items()})
    _prove(operations, keys, known, work)
    work.exchange.drop(_let_go(changed, kept))
    return len(changed)


def _prove(
    operations: Sequence[Received],
    fresh: Mapping[bytes, int],
    known: Mapping[Register, Kept],
    work: Work,
) -> None:
    """Keep what it takes to pass on what holds: also of what came before without a proof."""
    proven, notes = [], {}
    for one in operations:
        name, before = bytes.fromhex(one.said.id), known.get(one.operation.register)
        held = (
            dict(zip(before.ids, (before.operation, before.other), strict=False)) if before else {}
        )
        key = fresh.get(name) or held.get(name)
        if key is None or one.inclusion is None or one.note is None:
            continue
        said = one.operation
        is_revoke = said.op in TAKES_BACK
        proven.append(
            Proven(key, said.origin, one.log, one.inclusion, is_revoke, created=said.created)
        )
        notes[one.log, one.inclusion.size] = one.note
    work.relays.prove(proven, notes)


def _only(change: Change, keys: Mapping[bytes, int]) -> dict[bytes, int]:
    """The keys of the operations of one register."""
    return {name: keys[name] for name in map(bytes.fromhex, change.came)}


def _let_go(changed: Mapping[Register, Change], kept: Mapping[Register, Kept]) -> set[int]:
    """Operations that hold no more."""
    before = [one.before for one in changed.values() if one.before is not None]
    gone = {key for one in before for key in (one.operation, one.other) if key is not None}
    return gone - {key for one in kept.values() for key in (one.operation, one.other)}


def _statement(one: Received, source: int | None) -> Statement:
    operation = one.operation
    return Statement(
        register=operation.register,
        version=operation.version,
        keep=operation.keep,
        id=bytes.fromhex(one.said.id),
        sealed=one.sealed,
        partner=source,
        index=one.index,
    )


def _lie(change: Change, work: Work) -> RefusedError:
    """What proves that an author said two things with one version."""
    known = [] if change.before is None else [change.before.operation or 0]
    told = [*work.exchange.sealed(known).values(), *(one.sealed for one in change.came.values())]
    proof = (orjson.dumps(one.told) for one in told)
    return RefusedError(Alarm.EQUIVOCATION, "two things with one version", *proof)
