# SPDX-License-Identifier: Apache-2.0
"""A hub that was put back to an earlier copy, and goes on as if nothing had been.

It says other things at places of its log that partners know already. For now they must refuse it,
keep what proves it, and keep what they had; how it heals is yet to come.
"""

from collections.abc import Callable

from federation.errors import Alarm
from tests.simulators.exchange import checks
from tests.simulators.exchange.checks import ViolationError
from tests.simulators.exchange.hubs import SimHub
from tests.simulators.exchange.world import Outcome, World

BEFORE, SINCE, AFTER = 35, 25, 40
"""Events before the copy, between copy and restore, and after it."""
TOLD_APART = frozenset({Alarm.ROLLBACK, Alarm.FORK, Alarm.GAP})

Heal = Callable[[World, SimHub], None]
"""What makes a restored hub whole again."""


class RestoredWorld(World):
    """The simulation of a seed in which one hub is put back.

    Args:
        seed: everything follows from it.
        heal: what the hub does after its restore; None: nothing, as by now.
    """

    def __init__(self, seed: int, heal: Heal | None = None) -> None:
        super().__init__(seed)
        self._heal_restored = heal
        self._restored = ""
        self._ahead: set[str] = set()
        """Who has seen a later checkpoint of the restored hub than it has itself."""
        self._believed: dict[str, object] = {}
        """What those hold of the restored hub that know more of it than it does itself."""

    def run(self, steps: int | None = None) -> Outcome:
        """Let things happen, put a hub back, let more happen."""
        del steps
        self._some(BEFORE)
        hub = self._hub()
        image, told, known = hub.disk.image(), len(hub.told), len(hub.said)
        mine = len(self.mine[hub.name])
        self._some(SINCE)
        self._spread(hub)
        self._restore(hub, image, known)
        del hub.told[told:], self.mine[hub.name][mine:]
        if self._heal_restored is not None:
            self._heal_restored(self, hub)
            self.settle()
            return self.outcome
        self._some(AFTER)
        self._check_kept(hub)
        return self.outcome

    def _some(self, steps: int) -> None:
        names, weights = self._events()
        for name in self.random.choices(names, weights, k=steps):
            self.happen(name)

    def _spread(self, hub: SimHub) -> None:
        """Let others know what the hub will have forgotten."""
        hub.publish()
        hub.show()
        hub.learn_log()
        for one in self.hubs.values():
            if one is not hub:
                self.follow(one, hub.name)

    def _restore(self, hub: SimHub, image: bytes, known: int) -> None:
        hub.disk.load(image)
        hub.restart()
        del hub.said[known:]
        if self.is_shared:
            # Whoever puts a hub back puts back what was settled since.
            hub.share_later([one for one in self.hubs if one != hub.name])
        self._restored = hub.name
        for one in self.hubs.values():
            if one is not hub:
                head = one.enrolled(hub.name).trust.head
                if head is not None and head.size > hub.size:
                    # It may have been committed, and its checkpoint lost: then it is shown again.
                    self._ahead.add(one.name)
                if head is not None and head.size > known:
                    self._believed[one.name] = self._held(one, hub)
        self.outcome.counts["restore"] += 1
        self.outcome.counts["know more"] += len(self._believed)

    def _held(self, one: SimHub, hub: SimHub) -> object:
        return one.applied()[hub.name], checks.registers(one, hub.name, since=0)

    def follow(self, hub: SimHub, host: str) -> object:
        """Take one page; it may be one that was under way when the other hub was put back."""
        came = super().follow(hub, host)
        if host == self._restored:
            head = hub.enrolled(host).trust.head
            if head is not None and head.size > self.hubs[host].size:
                self._ahead.add(hub.name)
        return came

    def _excused(self, hub: SimHub, host: str) -> frozenset[Alarm]:
        excused = super()._excused(hub, host)
        if host == self._restored and hub.name in self._ahead:
            self.outcome.counts["told apart"] += 1
            return excused | TOLD_APART
        return excused

    def _early(self) -> object:
        # What is taken back needs no proof, so it is believed also of a log that forked.
        return None

    def _sweep(self) -> object:
        return None if self._believed else super()._sweep()

    def _check_kept(self, hub: SimHub) -> None:
        for name, before in self._believed.items():
            if self._held(self.hubs[name], hub) != before:
                raise ViolationError("I8", f"{name} took something of {hub.name}, restored")
        for one in self.hubs.values():
            checks.acknowledged(one)
            checks.shown(one)
            checks.whole(one)
            checks.evidence(one)
            self.outcome.digests[one.name] = one.disk.digest()


def restored(seed: int, heal: Heal | None = None) -> Outcome:
    """Run the simulation of a seed in which one hub is put back.

    Raises:
        ViolationError: An invariant does not hold.
    """
    return RestoredWorld(seed, heal).run()
