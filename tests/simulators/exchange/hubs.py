# SPDX-License-Identifier: Apache-2.0
"""A hub of a simulation: the real services on a disk in memory, and no engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from federation.believing import Partner
from federation.errors import Alarm, RefusedError
from federation.identity.values import OpKey
from federation.operations.payloads import Written, read_operation
from federation.ports import Answer
from federation.trust import Accepted
from hub.domain.answers import Once, RepeatedError
from hub.domain.changes import SYSTEM
from hub.domain.indicators import Opinion
from hub.ports import Hub, Secrets
from hub.ports.exchange import Enrolled
from hub.services import indicators, opinions, upkeep
from hub.services.directory import Directory
from hub.services.exchange import forgetting, partners, publishing, receiving
from hub.storage.work import SqlBegin
from tests.simulators.exchange.disk import CrashError, Disk
from tests.simulators.exchange.town import (
    EVERYWHERE,
    LATER,
    START,
    House,
    Member,
    PlainSealer,
    add_set,
    log_of,
    spoken,
)
from tests.simulators.serving import answered
from tests.support.codes import pdq

SECRETS = Secrets(pepper=b"p" * 32, receipts=b"r" * 32, sealer=PlainSealer())
WORDS = {"use": "first-contact", "depicts": "synthetic-person", "basis": "own-service-human"}
HARMS = ("grooming", "solicitation", "trafficking")
VICTIM = "third-party-child"
NAME = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass
class Time:
    """What the time is, in truth: seconds since 1970."""

    now: int = START


@dataclass(frozen=True)
class Logged:
    """An operation in a hub's own log, as the simulation knows it."""

    index: int
    said: Written


@dataclass(frozen=True)
class Told:
    """What a hub answered a member who contributed or revised: it must never be lost."""

    id: str
    n: int


class SimHub:
    """One hub.

    Args:
        house: as it begins.
        disk: its own.
        time: the true one; its clock may be wrong.
        random: of the simulation.
    """

    def __init__(self, house: House, disk: Disk, time: Time, random: Random) -> None:
        self.name = house.name
        self.members = list(house.members)
        self.disk = disk
        self.skew = 0
        self.told: list[Told] = []
        self.said: list[Logged] = []
        """All of its log, as it was committed."""
        self.heard: dict[str, int] = {}
        """How far it ever came in the log of each other: it may be reading it once more."""
        self._time = time
        self._random = random
        self._askers: dict[str, Enrolled] = {}
        self._requests = count()
        disk.load(house.image)
        self.voice = spoken(house.name)
        self.begin = SqlBegin(disk.database, clock=self.clock, sealer=SECRETS.sealer)
        directory = Directory(begin=self.begin, pepper=SECRETS.pepper, clock=self.clock)
        self.hub = cast(
            "Hub",
            SimpleNamespace(
                clock=self.clock,
                new_id=self._new_id,
                secrets=SECRETS,
                begin=self.begin,
                directory=directory,
                # Nobody changes its keys or its log while it speaks.
                abroad=SimpleNamespace(voice=lambda: self.voice),
            ),
        )
        directory.reload()

    def clock(self) -> datetime:
        """What it takes the time for."""
        return datetime.fromtimestamp(self.now, UTC)

    @property
    def now(self) -> int:
        """The same, in seconds since 1970."""
        return self._time.now + self.skew

    def restart(self) -> None:
        """Begin anew with what is on the disk."""
        self.disk.arm(0)
        self.hub.directory.reload()

    # -- members ------------------------------------------------------------------------------

    def contribute(self, member: Member, code: str, sets: Sequence[str], life: int) -> str:
        """Let a member contribute a picture; returns the indicator's id."""
        row = {
            "item": {
                "kind": "picture",
                "codes": [{"signal": "pdq", "code": code, "quality": 90}],
            },
            **self._words(sets, life),
        }
        answer = self._asked(
            member,
            lambda once: indicators.contribute(row, asker=member.asker, hub=self.hub, once=once),
        )
        return self._acknowledged(answer)

    def revise(
        self, member: Member, indicator: str, sets: Sequence[str], life: int, **words: Any
    ) -> None:
        """Let a member say it anew."""
        row = {**self._words(sets, life), **words}
        answer = self._asked(
            member,
            lambda once: indicators.revise(
                indicator, row, asker=member.asker, hub=self.hub, once=once
            ),
        )
        self._acknowledged(answer)

    def withdraw(self, member: Member, indicator: str) -> None:
        """Let a member take it back."""
        answer = self._asked(
            member,
            lambda once: indicators.withdraw(
                indicator, None, asker=member.asker, hub=self.hub, once=once
            ),
        )
        self._acknowledged(answer)

    def opine(self, member: Member, indicator: str, set_id: str, stance: str) -> None:
        """Let a member say what it thinks of an entry of another's."""
        named = self.hub.directory.set_named(set_id)
        assert named is not None
        reason = "benign" if stance == "disagree" else None
        opinion = Opinion(named.key, stance, reason, "own-service-human", 1)
        self._asked(
            member,
            lambda once: opinions.give_opinion(
                indicator, opinion, asker=member.asker, hub=self.hub, once=once
            ),
        )

    def _asked(self, member: Member, request: Callable[[Once], Any]) -> Any:
        """Carry a request out; whoever gets no answer asks again, and is answered once."""
        once = Once(member.asker.member, f"request-{next(self._requests)}", b"same")
        try:
            return request(once).body
        except CrashError:
            self.restart()
        try:
            return request(once).body
        except RepeatedError as repeated:
            return repeated.answer.body

    def _acknowledged(self, body: Any) -> str:
        self.told.append(Told(body["id"], body["n"]))
        return str(body["id"])

    def _words(self, sets: Sequence[str], life: int) -> dict[str, Any]:
        return {
            "sets": list(sets),
            "harm": [self._random.choice(HARMS)],
            "expires": self.clock() + timedelta(seconds=life),
            **WORDS,
        }

    # -- what it does by itself ---------------------------------------------------------------

    def publish(self) -> None:
        """Say whatever there is to say; its checkpoint is shown by another call."""
        # What a follower of the stream would bring: nothing is said of what is not known yet.
        self.hub.directory.reload()
        while publishing.publish(self.hub, self.voice, self._random.randbytes):
            pass
        while publishing.backfill(self.hub, self.voice, self._random.randbytes):
            pass

    def show(self) -> None:
        """Show what the log is by now."""
        publishing.show_checkpoint(self.hub, self.voice)

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to be said."""
        ((position, cursor, todo),) = self.disk.ask(
            "SELECT position, (SELECT position FROM cursor WHERE name = 'publishing'),"
            " (SELECT count(*) FROM backfill WHERE NOT done) FROM head"
        )
        return position == (cursor or 0) and not todo

    @property
    def size(self) -> int:
        """How much of its log is shown; -1: it has shown nothing, not even that it is empty."""
        rows = self.disk.ask("SELECT noted FROM hub_log WHERE note IS NOT NULL")
        return int(rows[0][0]) if rows else -1

    def applied(self) -> dict[str, int]:
        """How far each partner's log was followed."""
        return dict(
            self.disk.ask("SELECT hub, applied FROM partner WHERE NOT relayed ORDER BY key")
        )

    def sweep(self) -> None:
        """End what is over, and forget what nobody needs."""
        while upkeep.expire_due(self.hub):
            pass
        while forgetting.forget(self.hub):
            pass

    def share_later(self, hubs: Sequence[str]) -> None:
        """Share with everybody the set that was not shared yet, made here if it is not."""
        with self.begin.writing(SYSTEM) as work:
            found = work.access.set(LATER)
            key = found.key if found is not None else add_set(work, LATER)
            for name in hubs:
                partner = work.partners.named(name)
                if partner is not None:
                    work.partners.share(partner.key, key)
            work.commit()
        self._askers.clear()
        self.hub.directory.reload()

    def learn_log(self) -> None:
        """Let the simulation know what is in the log."""
        with self.begin.reading() as work:
            log = work.logs.open(self.voice.log.origin)
            for leaf in work.logs.entries(log, len(self.said), log.size):
                assert leaf.sealed is not None
                self.said.append(Logged(leaf.index, read_operation(leaf.sealed.payload)))

    # -- others -------------------------------------------------------------------------------

    def enrolled(self, other: str) -> Enrolled:
        """A partner, or a hub whose word partners pass on, as it is kept."""
        with self.begin.reading() as work:
            found = work.partners.heard_of(other)
        assert found is not None
        return found

    def settled(self, kept: Enrolled) -> Partner:
        """What was settled with a partner."""
        speech = spoken(kept.hub)
        log, beat = log_of(kept.hub)
        return Partner(
            hub=kept.hub,
            origin=speech.log.origin,
            log=(log,),
            beat=beat,
            op_keys={speech.op_id: OpKey(speech.op_id, speech.op.public, 1, 0, None)},
            operators=kept.operators,
            sets=frozenset(kept.sets),
            here=self.name,
        )

    def receive(self, accepted: Accepted, kept: Enrolled) -> receiving.Came | None:
        """Keep a page."""
        return receiving.receive(accepted, partner=kept, state=partners.GOOD, hub=self.hub)

    def accuse(self, kept: Enrolled, error: RefusedError) -> None:
        """Keep what proves that a partner did wrong."""
        with self.begin.writing(SYSTEM) as work:
            work.partners.accuse(kept.key, error, self.clock())
            work.commit()

    def alarms(self, other: str) -> dict[str, int]:
        """How often which alarm was raised against a partner."""
        rows = self.disk.ask(
            "SELECT v.alarm, sum(v.count) FROM evidence v JOIN partner p ON p.key = v.partner"
            " WHERE p.hub = ? GROUP BY v.alarm",
            [other],
        )
        return {str(alarm): int(number) for alarm, number in rows}

    def count_all(self) -> None:
        """Let the word of all partners count: nobody is witnessed here."""
        with self.begin.writing(SYSTEM) as work:
            for one in work.partners.known():
                work.partners.mark(one.hub, partners.GOOD)
            work.commit()

    def answer(self, asker: str, path: str, limit: int) -> Answer:
        """What it answers a partner, who gets so many records at most."""
        # Of who asks only the sets matter, which seldom change.
        partner = self._askers.get(asker) or self.enrolled(asker)
        self._askers[asker] = partner
        return answered(path, partner, limit=limit, hub=self.hub, voice=self.voice)

    def _new_id(self, prefix: str) -> str:
        return prefix + "".join(self._random.choices(NAME, k=25)) + "a"


def new_code(random: Random) -> str:
    """A code that a picture could have."""
    return pdq(random.random())


__all__ = ["EVERYWHERE", "Alarm", "Logged", "SimHub", "Time", "Told", "new_code"]
