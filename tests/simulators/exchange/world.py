# SPDX-License-Identifier: Apache-2.0
"""A few hubs, a clock, a network that fails, and one stream of chance: a simulation of a seed."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from federation.believing import SKEW
from federation.errors import Alarm, RefusedError, TransportError
from federation.following import early_revokes, next_page
from federation.trust import Accepted, accept
from hub.domain.errors import HubError
from hub.ports.exchange import Enrolled
from hub.services.exchange import partners, receiving
from tests.simulators.exchange import checks
from tests.simulators.exchange.checks import ViolationError
from tests.simulators.exchange.disk import CrashError, disk
from tests.simulators.exchange.hubs import VICTIM, SimHub, Time, new_code
from tests.simulators.exchange.liar import Liar
from tests.simulators.exchange.network import Network, Wire
from tests.simulators.exchange.town import EVERYWHERE, LATER, LIAR, House, town

MINUTE, HOUR, DAY = 60, 3600, 86_400
LIVES = (HOUR, 2 * DAY, 30 * DAY, 200 * DAY, 700 * DAY)
PAUSES = (5, MINUTE, 10 * MINUTE, 5 * HOUR, 3 * DAY, 40 * DAY)
COUNTS, SHARES = (3, 4, 5), (70, 20, 10)
MOST_ROUNDS = 12
CRASHES = 0.12
FARTHEST = 300
"""Seconds by which a clock is wrong."""


@dataclass
class Outcome:
    """What came of a simulation that broke nothing.

    Attributes:
        seed: of it.
        log: what happened, in order.
        digests: of each hub's database at the end.
        counts: how often what happened.
    """

    seed: int
    log: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def digest(self) -> str:
        """A hash over all of it."""
        return hashlib.sha256(repr((self.log, sorted(self.digests.items()))).encode()).hexdigest()


class World:
    """A simulation.

    Args:
        seed: everything follows from it.
    """

    def __init__(self, seed: int) -> None:
        self.outcome = Outcome(seed)
        self.random = Random(seed)  # noqa: S311 - no secret
        self.time = Time()
        self.network = Network(self.random)
        (count,) = self.random.choices(COUNTS, SHARES)
        self.hubs = {
            house.name: self._made(house, number)
            for number, house in enumerate(self._houses(count))
        }
        self.liar = Liar(self.random, self.time, list(self.hubs))
        self.codes = [new_code(self.random) for _ in range(8)]
        self.mine: dict[str, list[tuple[int, str]]] = {name: [] for name in self.hubs}
        """Indicators of each hub, each with the number of its member."""
        self.is_shared = False
        """Whether the set that was kept for later is shared."""

    def _houses(self, count: int) -> tuple[House, ...]:
        return town(count)

    def _made(self, house: House, number: int) -> SimHub:
        return SimHub(house, disk(number), self.time, self.random)

    def run(self, steps: int | None = None) -> Outcome:
        """Let things happen, then let everything get through, and see whether all agree.

        Raises:
            ViolationError: An invariant does not hold.
        """
        steps = self.random.randrange(40, 80) if steps is None else steps
        names, weights = self._events()
        for name in self.random.choices(names, weights, k=steps):
            self.happen(name)
        self.settle()
        return self.outcome

    def _events(self) -> tuple[list[str], list[int]]:
        return list(_EVENTS), list(_EVENTS.values())

    def happen(self, name: str) -> None:
        """Let one thing happen."""
        self.outcome.counts[name] += 1
        what = getattr(self, f"_{name}")()
        self._tell(name, what)

    def _tell(self, name: str, what: object) -> None:
        self.outcome.log.append(f"{self.time.now} {name} {what}")

    # -- members ------------------------------------------------------------------------------

    def _contribute(self) -> object:
        hub = self._hub()
        number = self.random.randrange(len(hub.members))
        member = hub.members[number]
        sets = self._sets(member.sets)
        # Several know the same picture, now and then.
        code = self.random.choice(self.codes)
        self._maybe_crash(hub)
        name = hub.contribute(member, code, sets, self.random.choice(LIVES))
        hub.disk.arm(0)
        self.mine[hub.name].append((number, name))
        return hub.name, name, sets

    def _revise(self) -> object:
        return self._said_anew()

    def _victim(self) -> object:
        return self._said_anew(depicts=VICTIM)

    def _said_anew(self, **words: object) -> object:
        hub = self._hub()
        if not self.mine[hub.name]:
            return None
        number, name = self.random.choice(self.mine[hub.name])
        member = hub.members[number]
        sets = self._sets(member.sets)
        self._maybe_crash(hub)
        hub.revise(member, name, sets, self.random.choice(LIVES), **words)
        hub.disk.arm(0)
        return hub.name, name, sets, words

    def _withdraw(self) -> object:
        hub = self._hub()
        if not self.mine[hub.name]:
            return None
        number, name = self.random.choice(self.mine[hub.name])
        self._maybe_crash(hub)
        try:
            hub.withdraw(hub.members[number], name)
        except HubError as error:
            return hub.name, name, type(error).__name__
        finally:
            hub.disk.arm(0)
        return hub.name, name

    def _opine(self) -> object:
        hub = self._hub()
        member = self.random.choice(hub.members)
        found = hub.disk.ask(
            "SELECT i.id, s.id FROM entry e JOIN indicator i ON i.key = e.indicator"
            " JOIN sharing_set s ON s.key = e.set_key"
            " WHERE e.live AND i.state = 'live' AND i.operator != ? ORDER BY i.key, s.key",
            [member.asker.operator],
        )
        visible = [one for one in found if one[1] in member.sets]
        if not visible:
            return None
        name, set_id = self.random.choice(visible)
        stance = self.random.choice(("agree", "disagree", "disagree", "seen"))
        self._maybe_crash(hub)
        hub.opine(member, name, set_id, stance)
        hub.disk.arm(0)
        return hub.name, name, set_id, stance

    def _share(self) -> object:
        """Share with all hubs what one of them kept to itself."""
        if self.is_shared:
            return None
        self.is_shared = True
        for hub in self.hubs.values():
            hub.share_later([one for one in self.hubs if one != hub.name])
        return list(self.hubs)

    # -- hubs ---------------------------------------------------------------------------------

    def _publish(self) -> object:
        hub = self._hub()
        self._maybe_crash(hub)
        try:
            hub.publish()
            # Its process may die before it shows what it has committed.
            if self.random.random() < 0.85:
                hub.show()
        except CrashError:
            self.outcome.counts["crash"] += 1
            hub.restart()
        hub.disk.arm(0)
        hub.learn_log()
        checks.shown(hub)
        return hub.name, len(hub.said)

    def _follow(self) -> object:
        hub = self._hub()
        host = self.random.choice([*self._others(hub), LIAR])
        return hub.name, host, self.follow(hub, host)

    def _early(self) -> object:
        hub = self._hub()
        host = self._other(hub)
        kept = hub.enrolled(host)
        start = max(kept.revoked_to, kept.trust.applied)
        wire = self._wire(hub, host)
        try:
            found, end = early_revokes(
                wire, hub.settled(kept), kept.trust, start=start, now=hub.now
            )
        except TransportError:
            return hub.name, host, "lost"
        except RefusedError as error:
            self._refused(hub, kept, error, wire)
            return hub.name, host, error.alarm.value
        if end > kept.revoked_to:
            receiving.receive_revokes(found, end, partner=kept, state=partners.GOOD, hub=hub.hub)
        checks.taken_back(hub, self.hubs[host], self.hubs)
        return hub.name, host, len(found), end

    def follow(self, hub: SimHub, host: str) -> object:
        """Take one page."""
        kept = hub.enrolled(host)
        wire = self._wire(hub, host)
        before = hub.disk.written
        try:
            page = next_page(wire, kept.trust)
            accepted = accept(page, hub.settled(kept), kept.trust, hub.now)
        except TransportError:
            return "lost"
        except RefusedError as error:
            if hub.disk.written != before:
                raise ViolationError("I8", f"{hub.name} wrote what it refused") from error
            self._refused(hub, kept, error, wire)
            return error.alarm.value
        self._check_belief(hub, host, accepted, wire)
        return self._receive(hub, kept, accepted)

    def _receive(self, hub: SimHub, kept: Enrolled, accepted: Accepted) -> object:
        crashes = not self.network.is_calm and self.random.random() < CRASHES
        before = hub.disk.digest() if crashes else ""
        if crashes:
            hub.disk.arm(self.random.randrange(1, 40))
        try:
            came = hub.receive(accepted, kept)
        except CrashError:
            self.outcome.counts["crash"] += 1
            hub.restart()
            if hub.disk.digest() != before:
                raise ViolationError("I8", f"{hub.name} kept half of a page") from None
            return "crashed"
        hub.disk.arm(0)
        if came is not None:
            # Its log may be read once more from here on; what was heard was heard.
            hub.heard[kept.hub] = max(hub.heard.get(kept.hub, 0), accepted.trust.applied)
        if kept.hub == LIAR:
            checks.silenced(hub, self.liar.books[hub.name])
        else:
            checks.taken_back(hub, self.hubs[kept.hub], self.hubs)
        return (came.applied, came.kept, came.refused) if came is not None else "late"

    def _check_belief(self, hub: SimHub, host: str, accepted: Accepted, wire: Wire) -> None:
        """I8: a lie is believed by nobody, and an honest word by everybody."""
        refused = {one.index: one.alarm for one in accepted.refused}
        if host != LIAR:
            if refused:
                raise ViolationError("I8", f"{hub.name} does not believe {host}: {refused}")
            return
        if wire.is_true and self.liar.expected is not None:
            raise ViolationError("I8", f"{hub.name} believes a lie: {self.liar.expected}")
        book = self.liar.books[hub.name]
        believed = {one.index for one in accepted.operations}
        for index, alarms in book.bad.items():
            if index in believed or (index in refused and refused[index] not in alarms):
                raise ViolationError("I8", f"{hub.name} takes entry {index} for what it is not")
        odd = {index: alarm for index, alarm in refused.items() if index not in book.bad}
        if odd:
            raise ViolationError("I8", f"{hub.name} does not believe what is true: {odd}")

    def _refused(self, hub: SimHub, kept: Enrolled, error: RefusedError, wire: Wire) -> None:
        """I8: only what is wrong is refused, and it is kept as evidence."""
        self.outcome.counts["refused"] += 1
        if wire.is_true and kept.hub == LIAR:
            self.outcome.counts[f"answers {self.liar.lie}"] += 1
        if wire.is_true:
            wanted = self.liar.expected if kept.hub == LIAR else self._excused(hub, kept.hub)
            if error.alarm not in (wanted or ()):
                raise ViolationError("I8", f"{hub.name} refuses {kept.hub}: {error}")
        before = hub.alarms(kept.hub).get(error.alarm.value, 0)
        hub.accuse(kept, error)
        if hub.alarms(kept.hub).get(error.alarm.value, 0) != before + 1:
            raise ViolationError("I8", f"{hub.name} has no evidence of {error.alarm}")

    def _excused(self, hub: SimHub, host: str) -> frozenset[Alarm]:
        """Why an honest hub may be refused: its clock is far ahead."""
        is_ahead = self.hubs[host].skew - hub.skew > SKEW
        return frozenset({Alarm.FUTURE} if is_ahead or self._was_ahead else ())

    def _sweep(self) -> object:
        hub = self._hub()
        hub.sweep()
        checks.over(hub)
        return hub.name

    # -- what befalls them --------------------------------------------------------------------

    def _wait(self) -> object:
        self.time.now += self.random.choice(PAUSES)
        return None

    def _cut(self) -> object:
        hub = self._hub()
        other, both = self._other(hub), self.random.random() < 0.5
        self.network.cut(hub.name, other, both=both)
        return hub.name, other, both

    def _heal(self) -> object:
        self.network.heal()
        return None

    def _skew(self) -> object:
        hub = self._hub()
        # Rather quite wrong than a little.
        wrong = self.random.randrange(FARTHEST // 2, FARTHEST + 1)
        hub.skew = self.random.choice((-wrong, -wrong, 0, wrong, wrong))
        return hub.name, hub.skew

    def _lie(self) -> object:
        targets = [name for mine in self.mine.values() for _, name in mine]
        name = self.liar.speak(targets)
        self.outcome.counts[f"says {name}"] += 1
        return name

    _was_ahead = True

    # -- the end ------------------------------------------------------------------------------

    def settle(self) -> None:
        """Heal everything, let everything through, and hold all hubs against each other."""
        self.network.heal()
        self.network.is_calm = True
        for hub in self.hubs.values():
            hub.skew = 0
        self.time.now += HOUR
        for _ in range(MOST_ROUNDS):
            if not self._round():
                break
        else:
            raise ViolationError("I5", "the hubs never come to rest")
        self._check_all()

    def _round(self) -> bool:
        """Let every hub speak and listen to the end; whether there was anything new."""
        before = [(len(hub.said), hub.applied()) for hub in self.hubs.values()]
        for hub in self.hubs.values():
            if not hub.is_quiet:
                hub.publish()
            hub.show()
            hub.learn_log()
        sizes = {name: hub.size for name, hub in self.hubs.items()}
        for hub in self.hubs.values():
            sizes[LIAR] = self.liar.books[hub.name].size
            for host, applied in hub.applied().items():
                self._catch_up(hub, host, applied, sizes[host])
            hub.sweep()
        return before != [(len(hub.said), hub.applied()) for hub in self.hubs.values()]

    def _catch_up(self, hub: SimHub, host: str, applied: int, size: int) -> None:
        while applied != size:
            self.follow(hub, host)
            before, applied = applied, hub.applied()[host]
            if before == applied:
                raise ViolationError("I5", f"{hub.name} comes no further with {host}")

    def _check_all(self) -> None:
        hubs = list(self.hubs.values())
        for hub in hubs:
            checks.acknowledged(hub)
            checks.over(hub)
            checks.shown(hub)
            checks.whole(hub)
            checks.unforged(hub, self.hubs)
            checks.silenced(hub, self.liar.books[hub.name])
            checks.evidence(hub)
            for other in hubs:
                if other is not hub:
                    checks.taken_back(hub, other, self.hubs)
        checks.alike(hubs, self.liar.stolen)
        for hub in hubs:
            hub.count_all()
        # A vote counts a few seconds after it came.
        self.time.now += MINUTE
        checks.judged_alike(hubs, self.liar.stolen)
        for hub in hubs:
            self.outcome.digests[hub.name] = hub.disk.digest()

    # -- chance -------------------------------------------------------------------------------

    def _hub(self) -> SimHub:
        return self.random.choice(list(self.hubs.values()))

    def _other(self, hub: SimHub) -> str:
        return self.random.choice(self._others(hub))

    def _others(self, hub: SimHub) -> list[str]:
        """The honest hubs that a hub follows."""
        followed = hub.applied()
        return [one for one in self.hubs if one in followed]

    def _sets(self, sets: tuple[str, ...]) -> list[str]:
        some = self.random.sample(sets, self.random.randrange(1, len(sets) + 1))
        # What nobody else has is of little interest.
        if not self.is_shared and set(some) == {LATER} and self.random.random() < 0.5:
            some = [EVERYWHERE]
        return sorted(some)

    def _maybe_crash(self, hub: SimHub) -> None:
        if self.random.random() < CRASHES:
            hub.disk.arm(self.random.randrange(1, 30))

    def _wire(self, hub: SimHub, host: str) -> Wire:
        limit = 1000 if self.network.is_calm else self.random.randrange(1, 8)
        if host == LIAR:
            return Wire(self.network, hub.name, host, lambda path: self.liar.serve(
                hub.name, path, limit, truly=self.network.is_calm
            ))  # fmt: skip
        there = self.hubs[host]
        return Wire(self.network, hub.name, host, lambda path: there.answer(hub.name, path, limit))


_EVENTS = {
    "contribute": 14, "revise": 10, "victim": 1, "withdraw": 5, "opine": 7, "share": 1,
    "publish": 16, "follow": 34, "early": 6, "sweep": 4,
    "wait": 12, "cut": 3, "heal": 3, "skew": 5, "lie": 6,
}  # fmt: skip


def simulated(seed: int) -> Outcome:
    """Run the simulation of a seed.

    Raises:
        ViolationError: An invariant does not hold.
    """
    return World(seed).run()
