# SPDX-License-Identifier: Apache-2.0
"""Manifests: what the hub of a set says of it, and which hubs share it.

The manifest that counts for a set is that of the hub whose set it is, and whose that is a person
of this hub has said. Nobody makes a set theirs by being the first to speak of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from federation.audience import STAYS
from federation.errors import Alarm, RefusedError
from federation.forms import names
from federation.operations.payloads import operation_in
from federation.operations.values import Manifest, NamedHub, Op, Operation, Policy, Register
from hub.domain import statements
from hub.domain.changes import ACCESS, SYSTEM, Event
from hub.ports import Hub, Work
from hub.ports.exchange import QUARANTINED, REVIEW, Enrolled, Kept, Voice
from hub.ports.manifests import Naming, SetHome, SetManifest
from hub.services.exchange.authors import author_of
from hub.services.exchange.planning import Draft

SET = "set"
OTHERWISE = "named by another first root"
"""How it begins what people are told of a hub that manifests do not agree on."""
LIFE = timedelta(days=365)
"""For which a manifest is said; it is said again when half of that is over."""


# -- ours ----------------------------------------------------------------------------------------


def drafts(work: Work, hub: Hub, voice: Voice) -> list[Draft]:
    """What is to be said of sets of ours: of each that is shared, and says something else now."""
    own = [one for one in work.manifests.homes().values() if one.home is None]
    if not own:
        return []
    known = work.partners.all()
    found = [_draft(one, known, work, hub, voice) for one in own]
    return [one for one in found if one is not None]


def _draft(
    one: SetHome, known: Sequence[Enrolled], work: Work, hub: Hub, voice: Voice
) -> Draft | None:
    tlp = statements.tlp_of(one.tlp)
    author = author_of(hub.secrets.pepper, voice.hub, "o", voice.hub)
    register = Register(voice.hub, author, SET, one.id)
    kept = work.exchange.registers([register]).get(register)
    # What is shared with nobody, and never was, is nobody's business.
    is_shared = any(one.id in who.sets for who in known)
    if tlp in STAYS or (kept is None and not is_shared):
        return None
    body = _manifest(one, tlp, known, work.manifests.namings(one.key), voice)
    now = hub.clock()
    if not _is_new(body, kept, work, int((now + LIFE / 2).timestamp())):
        return None
    return Draft(
        kept=kept,
        register=register,
        about=one.id,
        op=Op.SET,
        operator=voice.operator,
        operator_kind=voice.operator_kind,
        # Whatever may be passed on in it: what a set is, all its hubs must know.
        policy=Policy(tlp, (one.id,), "set"),
        body=body,
        expires=now + LIFE,
        indicator=None,
        said=0,
    )


def _manifest(
    one: SetHome,
    tlp: str,
    known: Iterable[Enrolled],
    namings: Mapping[str, Naming],
    voice: Voice,
) -> Manifest:
    hubs = {voice.hub: voice.root}
    # Whom our own people do not listen to they do not vouch for either.
    sharing = (who for who in known if one.id in who.sets and who.state != QUARANTINED)
    hubs |= {who.hub: who.root for who in sharing}
    hubs |= {name: it.root for name, it in namings.items() if it.named and it.root is not None}
    for name in (name for name, it in namings.items() if not it.named):
        hubs.pop(name, None)
    onward = "none" if one.onward == "none" else "set"
    named = tuple(NamedHub(hub, root) for hub, root in sorted(hubs.items()))
    return Manifest(_sayable(one), tlp, onward, named)


def _sayable(one: SetHome) -> str:
    """A set's name, or its id where its name cannot be said."""
    try:
        return names.free(one.name)
    except ValueError:
        return one.id


def _is_new(body: Manifest, kept: Kept | None, work: Work, until: int) -> bool:
    if kept is None or kept.operation is None:
        return True
    said = operation_in(work.exchange.sealed([kept.operation]).get(kept.operation))
    return said is None or said.body != body or said.expires < until


# -- what counts ---------------------------------------------------------------------------------


def adopt(hub: Hub, voice: Voice) -> None:
    """Let our own manifests count here too, and keep the hubs that any of them names."""
    now = int(hub.clock().timestamp())
    with hub.begin.reading() as work:
        counting = work.manifests.counting(now)
        own = [one for one in work.manifests.homes().values() if one.home is None]
        said = {one.id: _said_of(one.id, voice.hub, work) for one in own}
        everybody = work.partners.known()
        known = {one.hub for one in everybody} | {voice.hub}
        doubts = _doubts(everybody, counting, work)
    fresh = [
        (one, kept, operation)
        for one in own
        for kept, operation in [said[one.id] or (None, None)]
        if kept is not None and operation is not None and _is_other(counting.get(one.id), kept)
    ]
    named = {hub: root for one in counting.values() for hub, root in one.hubs.items()}
    unmet = {name: root for name, root in named.items() if name not in known}
    if not fresh and not unmet and not doubts:
        return
    with hub.begin.writing(SYSTEM) as work:
        for one, kept, operation in fresh:
            count(operation, kept.ids[0].hex(), one, work)
        for name, root in unmet.items():
            work.partners.meet(name, root, level=REVIEW, at=hub.clock())
        for who, what in doubts:
            _tell(who, what, hub, work)
        work.commit()


def _doubts(
    known: Iterable[Enrolled], counting: Mapping[str, SetManifest], work: Work
) -> list[tuple[Enrolled, str | None]]:
    """Hubs that some set names by another first root than they have here, each with which set.

    What people were told already is left out; None: they were, and it is over.
    """
    found: list[tuple[Enrolled, str | None]] = []
    for one in known:
        sets = [
            it.set_id for it in counting.values() if it.hubs.get(one.hub, one.root) != one.root
        ]
        if not sets and (one.error or "").startswith(OTHERWISE):
            found.append((one, None))
        told = {it["what"] for it in work.partners.evidence(one.key)} if sets else set()
        said = (f"{OTHERWISE}, in {name}: ask its people which is right" for name in sets)
        found += [
            (one, what) for what in said if str(RefusedError(Alarm.WRONG_ORIGIN, what)) not in told
        ]
    return found


def _tell(one: Enrolled, what: str | None, hub: Hub, work: Work) -> None:
    """Let people know of a doubt, or that it is over."""
    if what is not None:
        work.partners.accuse(one.key, RefusedError(Alarm.WRONG_ORIGIN, what), hub.clock())
    # Of a partner its own people have told, and it is followed.
    if one.relayed:
        work.partners.change(one.key, error=what)


def _said_of(set_id: str, origin: str, work: Work) -> tuple[Kept, Operation] | None:
    """What a hub says of a set.

    Of several authors, as after its pepper was changed, what was said last, and the same for all.
    """
    kept = {
        one.operation: one
        for one in work.exchange.about([set_id], (SET,))
        if one.register.origin == origin and one.operation is not None and one.other is None
    }
    sealed = work.exchange.sealed(kept)
    said = [(one, operation_in(sealed.get(key))) for key, one in kept.items()]
    found = [(one, it) for one, it in said if it is not None]
    return max(found, key=lambda it: (it[1].created, it[0].version, it[0].ids[0]), default=None)


def _is_other(known: SetManifest | None, kept: Kept) -> bool:
    return known is None or known.operation != kept.ids[0].hex()


def settle(one: SetHome, work: Work) -> None:
    """Let count what the hub of a set says of it by now; nothing, if it contradicts itself."""
    found = None if one.home is None else _said_of(one.id, one.home, work)
    if found is None:
        forget(one, work)
    else:
        kept, said = found
        count(said, kept.ids[0].hex(), one, work)


def count(said: Operation, name: str, one: SetHome, work: Work) -> None:
    """Let a manifest count for a set, and what is said in the set follow it.

    Args:
        said: by the hub whose set it is.
        name: id of that operation.
        one: the set.
        work: a transaction that writes.
    """
    body = said.body
    if not isinstance(body, Manifest):
        return
    hubs = {hub.hub: hub.root for hub in body.hubs}
    manifest = SetManifest(
        one.key, one.id, name, said.expires, body.name, body.tlp, body.onward, hubs
    )
    work.manifests.keep(manifest)
    # Whom it names now may be passed on what was not before.
    work.relays.again()
    work.manifests.review(one.key)
    if one.home is None:
        return
    # Its hub says whether what is in it may be passed on: also what was said here of it.
    if (one.onward == "none") != (body.onward == "none"):
        work.manifests.open_onward(one.key, body.onward)
        work.record(Event(ACCESS, details={"set": one.id, "onward": body.onward}))
    work.partners.say_again(one.key)


def forget(one: SetHome, work: Work) -> None:
    """Let no manifest count for a set: its hub contradicts itself, or another is its hub now."""
    work.manifests.drop(one.key)
    work.manifests.review(one.key)
    if one.home is not None and one.onward != "none":
        work.manifests.open_onward(one.key, "none")
        work.record(Event(ACCESS, details={"set": one.id, "onward": "none"}))
        work.partners.say_again(one.key)
