# SPDX-License-Identifier: Apache-2.0
"""Hubs in a row or in a ring: what one says reaches the others by those between.

All share one set, whose manifest names them all. In a ring everything comes by two ways, sooner by
one than by the other.
"""

from functools import cache

from federation.believing import Partner
from federation.identity.hubfile import write
from federation.identity.values import HubFile
from hub.domain.changes import SYSTEM
from hub.ports.exchange import COUNTS, Enrolled
from hub.ports.manifests import SetManifest
from hub.services.exchange import relaying, witnessing
from hub.storage.work import SqlBegin, SqlWork
from tests.simulators.exchange.disk import Disk, disk, empty
from tests.simulators.exchange.hubs import SimHub
from tests.simulators.exchange.town import (
    EVERYWHERE,
    LIAR,
    START,
    House,
    PlainSealer,
    add_set,
    hub_name,
    member,
    operators_of,
    pair,
    spoken,
    start,
)
from tests.simulators.exchange.world import Outcome, World
from tests.simulators.federated import hub_file

FOR_GOOD = START + 10 * 366 * 86_400
SMALLEST_RING = 4
"""Of three each would be everybody's partner."""


class PassedWorld(World):
    """The simulation of a seed in which most hubs hear each other through others only.

    Args:
        seed: everything follows from it.
    """

    def _houses(self, count: int) -> tuple[House, ...]:
        is_ring = count >= SMALLEST_RING and self.random.random() < 1 / 2
        return houses(count, is_ring=is_ring)

    def _made(self, house: House, number: int) -> SimHub:
        return PassingHub(house, disk(number), self.time, self.random)

    def _events(self) -> tuple[list[str], list[int]]:
        names, weights = super()._events()
        # There is one set, and whoever may have it has it from the start.
        return names, [
            0 if name == "share" else it for name, it in zip(names, weights, strict=True)
        ]

    def _check_all(self) -> None:
        super()._check_all()
        self.outcome.counts["passed on"] += sum(
            one.passed for one in self.hubs.values() if isinstance(one, PassingHub)
        )


class PassingHub(SimHub):
    """A hub that passes on what others said."""

    def publish(self) -> None:
        """Say whatever there is to say, and what others said."""
        while relaying.pass_on(self.hub, self.voice):
            pass
        super().publish()

    @property
    def passed(self) -> int:
        """How much of its log is what others said."""
        return sum(one.said.operation.origin != self.name for one in self.said)

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to be said, or to be passed on."""
        ((due,),) = self.disk.ask("SELECT count(*) FROM inclusion WHERE due")
        return super().is_quiet and not due

    def settled(self, kept: Enrolled) -> Partner:
        """What was settled with a partner."""
        return witnessing.settle(kept, said_by(kept.hub), self.hub, self.voice)


@cache
def said_by(name: str) -> HubFile:
    """What a hub says of itself."""
    return hub_file(spoken(name))


@cache
def houses(count: int, *, is_ring: bool) -> tuple[House, ...]:
    """So many honest hubs, each a partner of those beside it and of one that lies."""
    return tuple(_house(number, count, is_ring=is_ring) for number in range(count))


def _house(number: int, count: int, *, is_ring: bool) -> House:
    made = Disk()
    made.load(empty())
    begin = SqlBegin(made.database, clock=start, sealer=PlainSealer())
    with begin.writing(SYSTEM) as work:
        keys = {EVERYWHERE: add_set(work, EVERYWHERE)}
        members = tuple(
            member(work, name, f"{number}{place}", keys)
            for place, name in enumerate(operators_of(number))
        )
        apart = count - 1 if is_ring else 1
        for other in range(count):
            if abs(other - number) in {1, apart}:
                pair(work, hub_name(other), operators_of(other), [keys[EVERYWHERE]])
            elif other != number:
                work.partners.meet(hub_name(other), "0" * 64, level=COUNTS, at=start())
        pair(work, LIAR, (f"liar.{LIAR}",), [keys[EVERYWHERE]])
        _introduce(work, count)
        _name_all(work, keys[EVERYWHERE], number, count)
        work.commit()
    return House(hub_name(number), made.image(), members)


def _introduce(work: SqlWork, count: int) -> None:
    """Let everybody be known, whoever told it."""
    operators = {hub_name(number): operators_of(number) for number in range(count)}
    for one in work.partners.known():
        said = said_by(one.hub)
        for_whom = operators.get(one.hub, (f"liar.{LIAR}",))
        work.partners.change(one.key, identity=write(said), operators=sorted(for_whom))


def _name_all(work: SqlWork, set_key: int, number: int, count: int) -> None:
    """Let the manifest of the first hub count."""
    if number:
        work.manifests.rehome(set_key, hub_name(0))
    work.manifests.open_onward(set_key, "set")
    hubs = dict.fromkeys(map(hub_name, range(count)), "0" * 64)
    work.manifests.keep(
        SetManifest(
            set_key, EVERYWHERE, "f" * 64, FOR_GOOD, "everywhere", "TLP:GREEN", "set", hubs
        )
    )


def passed(seed: int) -> Outcome:
    """Run the simulation of a seed in which hubs pass on what others said.

    Raises:
        ViolationError: An invariant does not hold.
    """
    return PassedWorld(seed).run()
