# SPDX-License-Identifier: Apache-2.0
"""Whose word comes here, in which sets it may speak, and what it weighs.

Which way a word came makes no difference: what its hub said directly and what another passed on
is one register, and lands in the same sets.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from federation.identity.values import HubFile
from federation.relays import Origin
from hub.ports import Work
from hub.ports.exchange import ACTIVE, Enrolled, Voice
from hub.ports.manifests import SetHome, SetManifest
from hub.services.exchange import partners


@dataclass(frozen=True)
class Source:
    """A hub whose members speak here.

    Attributes:
        key: internal; None: it is not known here any more.
        sets: public ids of the sets in which it may speak here, with their internal keys.
        state: of its authors' parties: whether their word counts.
    """

    key: int | None = None
    sets: Mapping[str, int] = field(default_factory=dict)
    state: str = partners.STALE


UNKNOWN = Source()
"""Whoever is not known here any more speaks in no set."""


def sources(work: Work, now: int, partner: Enrolled, state: str) -> dict[str, Source]:
    """Everybody whose word may come, by name; *state* is that of the partner it comes from."""
    found = sources_now(work, now)
    # As it was when the page was asked for.
    before = found.get(partner.hub, Source(partner.key))
    found[partner.hub] = Source(partner.key, {**before.sets, **partner.sets}, state)
    return found


def sources_now(work: Work, now: int) -> dict[str, Source]:
    """Everybody whose word may come, by name."""
    known = work.partners.known()
    counting = work.manifests.counting(now)
    by_key = {one.key: one for one in known}
    found = {}
    for one in known:
        named = {name: it.set_key for name, it in counting.items() if is_named(one, it)}
        weight = partners.weight(one, now, by_key.get(one.via or 0))
        found[one.hub] = Source(one.key, {**one.sets, **named}, weight)
    return found


def is_named(one: Enrolled, manifest: SetManifest) -> bool:
    """Whether a hub is named where others may pass on what it says, by the root it has here."""
    return manifest.lets_onward and manifest.hubs.get(one.hub) == one.root


Mouths = Mapping[str, frozenset[str | None]]
"""The hubs that speak for organisations, by the organisation's name; None: our own."""


def mouths(work: Work, known: Collection[Enrolled], voice: Voice) -> Mouths:
    """Who speaks for the organisations by which hubs say that they are run: who did, and who may.

    It is asked of those hubs of which nobody here said for whom they speak.
    """
    said = (partners.identity_of(one) for one in known if not one.operators)
    names = {it.operator.id for it in said if it is not None}
    found: dict[str, set[str | None]] = {name: set() for name in names}
    for name, hub in work.directory.mouths(names):
        found[name].add(hub)
    for one in known:
        for name in names & one.operators:
            found[name].add(one.hub)
    if voice.operator in found:
        found[voice.operator].add(None)
    return {name: frozenset(hubs) for name, hubs in found.items()}


def speaks_for(one: Enrolled, said: HubFile, others: Mouths) -> frozenset[str]:
    """The organisations for which a hub may speak here: whom people name, if they do.

    Else the one that runs it, by what it says: for that has nobody's word but its own, and so is
    nobody's who speaks here otherwise. One vote an organisation must not be anybody's to take.
    """
    if one.operators:
        return one.operators
    name = said.operator.id
    return frozenset() if others.get(name, frozenset()) - {one.hub} else frozenset({name})


def relayed(
    partner: Enrolled,
    known: Collection[Enrolled],
    homes: Mapping[str, SetHome],
    counting: Mapping[str, SetManifest],
    *,
    here: str,
    others: Mouths,
) -> dict[str, Origin]:
    """The hubs whose operations a partner may pass on to us, by name.

    Args:
        partner: who passes on.
        known: everybody.
        homes: all sets, by public id.
        counting: the manifests that count.
        here: our own name.
        others: who speaks for whom.
    """
    both = common(partner, counting, here)
    found = {}
    for one in known:
        if one.key == partner.key:
            continue
        named = {name: is_named(one, it) for name, it in both.items() if one.hub in it.hubs}
        sets = frozenset(name for name, is_so in named.items() if is_so)
        at_home = frozenset(
            name for name, it in homes.items() if it.home == one.hub and name in partner.sets
        )
        if sets or at_home:
            otherwise = frozenset(named) - sets
            found[one.hub] = replace(_origin(one, sets, at_home, others), otherwise=otherwise)
        elif named:
            # By another root than it has here: it is not heard, and that is nobody's fault.
            found[one.hub] = Origin(one.hub)
    return found


def common(
    partner: Enrolled, counting: Mapping[str, SetManifest], here: str
) -> dict[str, SetManifest]:
    """The manifests that name both a partner and us where things may be passed on, by set."""
    return {
        name: it
        for name, it in counting.items()
        if name in partner.sets and here in it.hubs and is_named(partner, it)
    }


def _origin(one: Enrolled, sets: frozenset[str], homes: frozenset[str], others: Mouths) -> Origin:
    said = partners.identity_of(one)
    if said is None or one.state != ACTIVE:
        # Nothing of it is believed for now.
        return Origin(one.hub, sets=sets, homes=homes)
    return Origin(
        hub=one.hub,
        log=said.log.origin,
        keys=partners.log_keys(said),
        retired=partners.retired_log_keys(said),
        op_keys={key.id: key for key in said.log_op_keys},
        operators=speaks_for(one, said, others),
        sets=sets,
        homes=homes,
    )


def shown_to(partner: Enrolled, counting: Mapping[str, SetManifest]) -> dict[str, str]:
    """Ids of the manifests by which we go, of what a partner shares and may be passed on."""
    return {
        name: it.operation
        for name, it in counting.items()
        if name in partner.sets and it.lets_onward
    }
