# SPDX-License-Identifier: Apache-2.0
"""Whose word comes here, in which sets it may speak, and what it weighs.

Which way a word came makes no difference: what its hub said directly and what another passed on
is one register, and lands in the same sets.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from federation.relays import Origin
from hub.ports import Work
from hub.ports.exchange import ACTIVE, Enrolled
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


def relayed(
    partner: Enrolled,
    known: Collection[Enrolled],
    homes: Mapping[str, SetHome],
    counting: Mapping[str, SetManifest],
    here: str,
) -> dict[str, Origin]:
    """The hubs whose operations a partner may pass on to us, by name."""
    common = {
        name: it
        for name, it in counting.items()
        if name in partner.sets and here in it.hubs and is_named(partner, it)
    }
    found = {}
    for one in known:
        if one.key == partner.key:
            continue
        sets = frozenset(name for name, it in common.items() if is_named(one, it))
        at_home = frozenset(
            name for name, it in homes.items() if it.home == one.hub and name in partner.sets
        )
        if sets or at_home:
            found[one.hub] = _origin(one, sets, at_home)
    return found


def _origin(one: Enrolled, sets: frozenset[str], homes: frozenset[str]) -> Origin:
    said = partners.identity_of(one)
    if said is None or one.state != ACTIVE:
        # Nothing of it is believed for now.
        return Origin(one.hub, sets=sets, homes=homes)
    return Origin(
        hub=one.hub,
        log=said.log.origin,
        keys=partners.log_keys(said),
        op_keys={key.id: key for key in said.log_op_keys},
        # Unless people say otherwise, the one that runs it, and nobody else.
        operators=one.operators or frozenset({said.operator.id}),
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
