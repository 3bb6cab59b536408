# SPDX-License-Identifier: Apache-2.0
"""Partners: what was settled with them, what their word weighs, and how they are."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from federation.audience import STAYS
from federation.believing import Head, Partner
from federation.errors import Alarm, RefusedError
from federation.forms.names import hub_name, set_id as set_id_of_others
from federation.identity import hubfile
from federation.identity.hubfile import read_hub_file
from federation.identity.pairing import Pairing
from federation.identity.values import HubFile
from federation.log.cosignatures import Cosigner
from federation.log.policies import Policy as Witnesses
from federation.log.verifiers import Verifier
from federation.relays import Origin
from hub.domain.answers import Answer
from hub.domain.changes import SYSTEM
from hub.domain.errors import ConflictError, NotFoundError, flaw
from hub.domain.guards import ACCOUNT
from hub.domain.members import ACTIVE as IN_USE, MemberSet
from hub.domain.statements import tlp_of
from hub.ports import Hub, Work
from hub.ports.exchange import ACTIVE, COUNTS, QUARANTINED, REVIEW, STORE, SUSPENDED, Enrolled
from hub.services.office import Caller, Office, changed, shown

GOOD, STALE, HIDDEN = "good", "stale", "quarantined"
"""States of a party: it votes; it is shown, and does not; it is not even shown."""
WEIGHTS = (GOOD, STALE, HIDDEN)
SILENT, UNWITNESSED, NOT_TOLD_OF = "silent", "unwitnessed", "not told of"
"""Why a word does not count: nobody there said of late that it is alive; no third hub saw its log
of late; nobody who is followed told of late who it is."""
LEVELS = {STORE: "store", REVIEW: "review", COUNTS: "counts"}
FRESH_SECONDS = 24 * 3600
"""How long the word of a hub counts that does not say that it is alive."""


def identity_of(partner: Enrolled) -> HubFile | None:
    """What a partner said of itself when it was asked last."""
    return None if partner.identity is None else read_hub_file(partner.identity)


def log_keys(known: HubFile) -> tuple[Verifier, ...]:
    """The keys that sign the notes of a hub's log."""
    return tuple(Verifier.parse(one) for one in known.log.vkeys)


def retired_log_keys(known: HubFile) -> tuple[tuple[Verifier, int], ...]:
    """The keys that signed them before, each with the size of the last tree that it signed."""
    parsed = ((Verifier.parse(one.vkey), one.size) for one in known.log.retired)
    return tuple((key, size) for key, size in parsed if key.name == known.log.origin)


def trusted(
    partner: Enrolled,
    known: HubFile,
    here: str,
    witnesses: Witnesses | None = None,
    *,
    relays: Mapping[str, Origin] | None = None,
    manifests: Mapping[str, str] | None = None,
) -> Partner:
    """What a partner may say to us: what it says of itself, within what was settled with it.

    Raises:
        RefusedError: MALFORMED: its keys cannot be read.
    """
    return Partner(
        hub=partner.hub,
        origin=known.log.origin,
        log=log_keys(known),
        beat=None if known.witness is None else Cosigner.parse(known.witness),
        op_keys={one.id: one for one in known.log_op_keys},
        operators=partner.operators,
        sets=frozenset(partner.sets),
        here=here,
        witnesses=witnesses,
        relays=relays or {},
        manifests=manifests or {},
    )


def weight(partner: Enrolled, now: int, via: Enrolled | None = None) -> str:
    """What the word of a partner's members weighs: the state of their parties.

    Args:
        partner: or another hub, whose word is passed on.
        now: seconds since 1970.
        via: by whom it is passed on: it weighs no more than who brings it.
    """
    level = partner.level if via is None else min(partner.level, via.level)
    if partner.state == QUARANTINED or level == STORE:
        return HIDDEN
    return GOOD if because(partner, now, via) is None else STALE


def because(partner: Enrolled, now: int, via: Enrolled | None = None) -> str | None:
    """Why the word of a partner's members does not count; None: it does.

    Args:
        partner: or another hub, whose word is passed on.
        now: seconds since 1970.
        via: by whom it is passed on.
    """
    level = partner.level if via is None else min(partner.level, via.level)
    if partner.state != ACTIVE:
        return partner.state
    if level < COUNTS:
        return f"level {LEVELS[level]}"
    head = partner.trust.head
    if head is None or not is_alive(head, now):
        return SILENT
    # Nobody corroborates alone: two hubs without a third that saw the log are as one.
    if not is_witnessed(head, now):
        return UNWITNESSED
    if partner.relayed and (via is None or not _is_told_of(partner, via, now)):
        return NOT_TOLD_OF
    return None


def _is_told_of(partner: Enrolled, via: Enrolled, now: float) -> bool:
    """Whether somebody who is followed told of late who a hub is that is not asked itself."""
    at = partner.reached_at
    return via.state == ACTIVE and at is not None and now - at.timestamp() < FRESH_SECONDS


def mark(partner: Enrolled, now: int, work: Work) -> None:
    """Let the word of a partner's members, and of those whose word it brings, weigh what it does.

    Args:
        partner: as it is kept.
        now: seconds since 1970.
        work: a transaction that writes.
    """
    known = work.partners.known() if not partner.relayed else []
    via = work.partners.keyed(partner.via) if partner.via is not None else None
    work.partners.mark(partner.hub, weight(partner, now, via))
    for one in known:
        if one.relayed and one.via == partner.key:
            work.partners.mark(one.hub, weight(one, now, partner))


def weigh(partner: Enrolled, hub: Hub) -> None:
    """The same, by itself."""
    with hub.begin.writing(SYSTEM) as work:
        fresh = work.partners.keyed(partner.key) or partner
        mark(fresh, int(hub.clock().timestamp()), work)
        work.commit()


def hear_again(hub: str, now: int, work: Work) -> None:
    """Read once more what others may have passed on of a hub, and we did not take.

    Args:
        hub: its name.
        now: seconds since 1970.
        work: a transaction that writes.
    """
    counting, homes = work.manifests.counting(now), work.manifests.homes()
    theirs = {name for name, one in counting.items() if hub in one.hubs}
    theirs |= {name for name, one in homes.items() if one.home == hub}
    work.partners.unhear([one.key for one in work.partners.all() if theirs & one.sets.keys()])


def is_alive(head: Head, now: float) -> bool:
    """Whether a log said of late that this is all there is."""
    return now - head.alive_at < FRESH_SECONDS


def is_witnessed(head: Head, now: float) -> bool:
    """Whether a third hub saw a log of late."""
    return head.witnessed_at is not None and now - head.witnessed_at < FRESH_SECONDS


# -- administering -------------------------------------------------------------------------------


def enrol(
    pairing: Pairing,
    *,
    operators: Collection[str],
    level: int,
    identity: HubFile | None = None,
    is_asked: bool = True,
    by: Caller,
    hub: Office,
) -> Answer:
    """Enrol a hub whose pairing string came out of band.

    Args:
        pairing: what it said of itself.
        operators: names of those that it may vouch for.
        level: of trust: STORE, REVIEW or COUNTS.
        identity: what it says of itself, if it was asked.
        is_asked: whether it can be reached; else it brings what it says, in bundles.
        by: who administers.
        hub: ours.

    Raises:
        ConflictError: It is enrolled already.
        BadInputError: The name of an operator is none.
    """
    _check_names(operators)
    with hub.begin.writing(by.actor) as work:
        known = work.partners.named(pairing.hub)
        if known is not None and known.root != pairing.root_sha256:
            raise ConflictError(
                f"{pairing.hub} is a partner already, by another root. Whoever gave you this line "
                "is not who you paired with, or began anew: ask its people."
            )
        base = pairing.base if is_asked else ""
        if known is not None and known.base != base:
            return _moved(known, base, identity, hub, work)
        work.partners.add(
            hub=pairing.hub,
            base=base,
            root=pairing.root_sha256,
            operators=operators,
            level=level,
            at=hub.clock(),
        )
        made = _enrolled(pairing.hub, work)
        if identity is not None:
            work.partners.change(made.key, identity=hubfile.write(identity))
        return changed(work, 201, told(made, hub.clock()), partner=pairing.hub)


def _moved(
    known: Enrolled, base: str, identity: HubFile | None, hub: Office, work: Work
) -> Answer:
    """Ask a partner elsewhere from now on, or nowhere; what was settled with it stays."""
    said = {} if identity is None else {"identity": hubfile.write(identity)}
    work.partners.change(known.key, base=base, error=None, **said)
    body = told(_enrolled(known.hub, work), hub.clock())
    return changed(work, 200, body, partner=known.hub, base=base)


def share(
    name: str, set_id: str, *, set_name: str | None, tlp: str | None, by: Caller, hub: Office
) -> Answer:
    """Share a set with a partner: one of ours, or one of theirs, which is then made here.

    A set has one public id in all hubs. What is in ours already is said to the partner.

    Args:
        name: the partner's.
        set_id: public id of the set.
        set_name: what to call it here, if it is theirs.
        tlp: its label, if it is theirs.
        by: who administers.
        hub: ours.

    Raises:
        NotFoundError: There is no such partner; or no such set, and nothing says how to make it.
        BadInputError: The id is none; or the set is one that stays at this hub.
        ConflictError: The name is taken.
    """
    with hub.begin.writing(by.actor) as work:
        partner = _enrolled(name, work)
        found = work.access.set(set_id) or _made(
            set_id, set_name, tlp, home=partner.hub, hub=hub, work=work
        )
        _check_may_leave(found)
        work.partners.share(partner.key, found.key)
        # What was of no use to anybody else may be of use to it.
        work.relays.again()
        # Accounts do not cross hubs yet: whoever shares the set is told how many stay.
        stay = work.indicators.count_in(found.key, ACCOUNT)
        body = {"partner": name, "set": set_id, "shared": True, "accounts_that_stay": stay}
        return changed(work, 200, body, partner=name, set=set_id, shared=True)


def unshare(name: str, set_id: str, *, by: Caller, hub: Office) -> Answer:
    """Share a set with a partner no more: it is told nothing further of what is in it.

    Raises:
        NotFoundError: There is no such partner, or it does not share the set.
    """
    with hub.begin.writing(by.actor) as work:
        partner = _enrolled(name, work)
        if set_id not in partner.sets or not work.partners.unshare(
            partner.key, partner.sets[set_id]
        ):
            raise NotFoundError("set")
        body = {"partner": name, "set": set_id, "shared": False}
        return changed(work, 200, body, partner=name, set=set_id, shared=False)


def change(name: str, *, by: Caller, hub: Office, **values: Any) -> Answer:
    """Change a partner's state, level or operators; what its members said weighs so at once.

    Raises:
        NotFoundError: There is no such partner.
        BadInputError: The name of an operator is none.
    """
    _check_names(values.get("operators", ()))
    with hub.begin.writing(by.actor) as work:
        work.partners.change(_heard_of(name, work).key, **values)
        partner = _heard_of(name, work)
        if "operators" in values and awaits_word(partner):
            work.partners.change(partner.key, error=None)
            partner = _heard_of(name, work)
        mark(partner, int(hub.clock().timestamp()), work)
        if values.keys() & {"state", "operators"}:
            # What others passed on of it, and we did not take, is read once more.
            hear_again(name, int(hub.clock().timestamp()), work)
        said = {
            one: shown(value) if isinstance(value, datetime) else value
            for one, value in values.items()
        }
        return changed(work, 200, told(partner, hub.clock()), partner=name, **said)


def awaits_word(partner: Enrolled) -> bool:
    """Whether nothing of it is believed until people say for whom it speaks."""
    return (partner.error or "").startswith(Alarm.UNVOUCHED.value)


def accuse(partner: Enrolled, error: RefusedError, *, is_over: bool, hub: Hub) -> None:
    """Keep what a partner did wrong; *is_over*: it is followed no more before somebody looked."""
    with hub.begin.writing(SYSTEM) as work:
        work.partners.accuse(partner.key, error, hub.clock())
        now = work.partners.named(partner.hub) or partner
        # Who is in quarantine stays there: that is more.
        over = {"state": SUSPENDED} if is_over and now.state != QUARANTINED else {}
        work.partners.change(partner.key, error=str(error), **over)
        # Also who is only refused for long is heard no more, and its word grows old.
        fresh = work.partners.named(partner.hub) or partner
        mark(fresh, int(hub.clock().timestamp()), work)
        work.commit()


def listed(*, hub: Office) -> list[dict[str, Any]]:
    """Every partner, and how it is."""
    with hub.begin.reading() as work:
        known = work.partners.known()
    by_key = {one.key: one for one in known}
    return [told(one, hub.clock(), by_key.get(one.via or 0)) for one in known]


def evidence(name: str, *, hub: Office) -> list[dict[str, Any]]:
    """What is kept against a partner, oldest first.

    Raises:
        NotFoundError: There is no such partner.
    """
    with hub.begin.reading() as work:
        return work.partners.evidence(_heard_of(name, work).key)


def told(partner: Enrolled, now: datetime, via: Enrolled | None = None) -> dict[str, Any]:
    """A partner as answers show it, or a hub whose word is passed on."""
    head = partner.trust.head
    alive = head.alive_at if head is not None else 0
    return {
        "hub": partner.hub,
        "base": partner.base,
        "state": partner.state,
        "asked": partner.is_asked,
        "level": LEVELS[partner.level],
        "weight": weight(partner, int(now.timestamp()), via),
        "because": because(partner, int(now.timestamp()), via),
        "via": None if via is None else via.hub,
        "relayed": partner.relayed,
        "operators": sorted(partner.operators),
        "sets": sorted(partner.sets),
        "applied": partner.trust.applied,
        "behind": (head.size if head is not None else 0) - partner.trust.applied,
        "alive_seconds_ago": int(now.timestamp()) - alive if alive else None,
        "witnessed": head is not None and is_witnessed(head, now.timestamp()),
        "refused": partner.refused,
        "reached_at": None if partner.reached_at is None else shown(partner.reached_at),
        "error": partner.error,
    }


def _check_names(operators: Collection[str]) -> None:
    """Refuse what can be nobody's name: it would be believed of nobody, and nobody would know."""
    for one in operators:
        try:
            hub_name(one)
        except ValueError as error:
            raise flaw("malformed-name", f"{one!r} is no operator's name: {error}.") from error


def _check_may_leave(found: MemberSet) -> None:
    """Refuse what would be shared in name only, or what is for trying things out."""
    if found.sandbox:
        raise flaw(
            "sandbox-set", "What is in a sandbox set stays at this hub: share another (sets add)."
        )
    if tlp_of(found.tlp) in STAYS:
        raise flaw("tlp-stays", f"What is in a set labelled {found.tlp} stays at this hub.")


def _made(
    set_id: str, name: str | None, tlp: str | None, *, home: str, hub: Office, work: Work
) -> MemberSet:
    """Another hub's set, as it is here: whoever told us of it says who shares it."""
    if name is None or tlp is None:
        raise NotFoundError("set")
    try:
        set_id_of_others(set_id)
    except ValueError as error:
        raise flaw("malformed-id", "A set's id is set_ and 26 letters or digits.") from error
    made = work.access.add_set(
        id=set_id,
        name=name,
        tlp=tlp,
        onward="none",
        sandbox=False,
        state=IN_USE,
        created_at=hub.clock(),
        home=home,
    )
    if made is None:
        raise ConflictError("There is a set of that name already.", "name-taken")
    return made


def _enrolled(name: str, work: Work) -> Enrolled:
    found = work.partners.named(name)
    if found is None:
        raise NotFoundError(f"partner as {name}")
    return found


def _heard_of(name: str, work: Work) -> Enrolled:
    """A partner, or a hub whose word is passed on."""
    found = work.partners.heard_of(name)
    if found is None:
        raise NotFoundError(f"partner as {name}")
    return found
