# SPDX-License-Identifier: Apache-2.0
"""Pass on what other hubs said, unchanged, to partners that their set's manifest names.

An operation that is passed on gets an entry of our own log, once, and is served with what proves
that its origin said it. Who may have it is asked when it is served.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from federation.audience import may_have
from federation.operations.leaves import Kind, entry
from federation.operations.payloads import read_operation
from federation.operations.values import Op, Operation
from federation.publishing import grown
from hub.domain.changes import SYSTEM
from hub.ports import Hub, Work
from hub.ports.exchange import Enrolled, Leaf, Voice
from hub.ports.manifests import SetHome, SetManifest
from hub.ports.relays import Due
from hub.services.exchange.origins import is_named
from hub.services.exchange.voices import is_current

AT_ONCE = 500


def pass_on(hub: Hub, voice: Voice, *, limit: int = AT_ONCE) -> int:
    """Log what may be passed on, what takes back first; returns how much was looked at."""
    now = int(hub.clock().timestamp())
    with hub.begin.reading() as work:
        due = work.relays.due(limit, now)
        if not due:
            return 0
        log = work.logs.open(voice.log.origin)
        edge = work.logs.edge(log)
        terms = Terms.of(work, voice.hub, now)
    wanted = [one for one in due if one.keep > now and terms.may_go_on(one)]
    leaves = [_leaf(one, index) for index, one in enumerate(wanted, log.size)]
    growth = grown(
        log.frontier, edge, [entry(leaf.kind, leaf.id.hex(), leaf.source) for leaf in leaves]
    )
    with hub.begin.writing(SYSTEM) as work:
        work.relays.settle([one.operation for one in due])
        operations = [one.operation for one in wanted]
        if leaves and not work.logs.append(log, operations, leaves, growth):
            return 0  # it has grown meanwhile: once more
        # Into a log that was closed meanwhile nothing goes that anybody would read.
        if not is_current(voice, hub):
            return 0
        work.commit()
    return len(due)


def _leaf(one: Due, index: int) -> Leaf:
    return Leaf(
        index, Kind.RELAY, one.source, one.id, one.sealed, one.keep, is_revoke=one.is_revoke
    )


@dataclass(frozen=True)
class Terms:
    """Who may pass on what, by the manifests of a moment.

    Attributes:
        known: everybody, by name.
        homes: all sets, by public id.
        counting: the manifests that count.
        here: our own name.
    """

    known: Mapping[str, Enrolled]
    homes: Mapping[str, SetHome]
    counting: Mapping[str, SetManifest]
    here: str

    @classmethod
    def of(cls, work: Work, here: str, now: int) -> "Terms":
        """As they are kept."""
        known = {one.hub: one for one in work.partners.known()}
        return cls(known, work.manifests.homes(), work.manifests.counting(now), here)

    def within(self, sets: Collection[str]) -> "Terms":
        """Of some sets only."""
        homes = {name: it for name, it in self.homes.items() if name in sets}
        counting = {name: it for name, it in self.counting.items() if name in sets}
        return replace(self, homes=homes, counting=counting)

    def may_go_on(self, one: Due) -> bool:
        """Whether something may be passed on to anybody."""
        said, source = read_operation(one.sealed.payload).operation, self.known.get(one.source)
        if source is None or not may_have(said, said.policy.sets, is_relayed=True):
            return False
        sets = self.sets(said, source)
        # Where nobody listens but who said it there is nothing to pass on.
        others = (it for it in self.known.values() if not it.relayed and it.hub != source.hub)
        return any(not sets.isdisjoint(it.sets) for it in others)

    def sets(self, said: Operation, source: Enrolled) -> frozenset[str]:
        """The sets in which a hub's operation may be passed on from here."""
        if said.op is Op.SET:
            home = self.homes.get(said.target)
            return frozenset({said.target} if home is not None and home.home == source.hub else ())
        return frozenset(
            name
            for name in said.policy.sets
            if (it := self.counting.get(name)) is not None
            and self.here in it.hubs
            and is_named(source, it)
        )


class Audience:
    """Which relays a partner may have.

    Args:
        partner: who asks.
        terms: by the manifests of a moment.
    """

    def __init__(self, partner: Enrolled, terms: Terms) -> None:
        self._partner, self._terms = partner, terms.within(partner.sets)

    def may_have(self, leaf: Leaf) -> bool:
        """Whether it may have what an entry of our log commits to."""
        source = self._terms.known.get(leaf.source)
        if leaf.sealed is None or source is None or source.hub == self._partner.hub:
            return False
        said = read_operation(leaf.sealed.payload).operation
        if not may_have(said, self._partner.sets, is_relayed=True):
            return False
        sets = self._terms.sets(said, source)
        if said.op is Op.SET:
            return bool(sets)
        return any(is_named(self._partner, self._terms.counting[name]) for name in sets)

    def hubs(self) -> frozenset[str]:
        """The hubs of which it may learn here who they are."""
        named = {
            hub
            for it in self._terms.counting.values()
            if is_named(self._partner, it)
            for hub, root in it.hubs.items()
            # As another hub it is not the one that is known here.
            if (peer := self._terms.known.get(hub)) is not None and peer.root == root
        }
        homes = {it.home for it in self._terms.homes.values() if it.home is not None}
        return frozenset(named | homes)
