# SPDX-License-Identifier: Apache-2.0
"""A truth, a relay and a follower with a real Redis between them; the clock is the test's.

It passes half a second a turn, so nothing depends on how fast this machine is.
"""

from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from hub.services import relay
from matching.batches import Batch
from matching.engine import Engine
from matching.errors import StoreUnavailableError, UnavailableError
from matching.following import Follower
from matching.ports import EntryId
from matching.signals import PDQ
from matching.stores.redis import RedisStore, connect
from tests.fakes.changes import FakeFeed, plain
from tests.simulators.relay import Relay
from tests.support.waiting import eventually


class HeadOnly(FakeFeed):
    """A truth that may be asked how far it is, and for nothing else."""

    def __init__(self, feed):
        self._feed = feed

    def head(self):
        return self._feed.head()

    def after(self, _position, _limit):
        raise AssertionError("the truth was read")

    def snapshot(self):
        raise AssertionError("the truth was read")


class WholeRelay:
    """The hub's own relay, and what keeps its checkpoint whole, one turn at a time."""

    def __init__(self, world):
        self._now = lambda: world.now
        self.carrier = relay.Relay(world.feed, world.store(), clock=self._now)
        self.keeper = relay.Relay(world.feed, world.store(), clock=self._now)

    def turn(self, *, beat=True):
        """Carry and beat; look after the checkpoint even if that failed."""
        assert beat
        try:
            self.carrier.step(self._now())
        finally:
            self.keeper.tend()


class World:
    """A truth, a relay and a follower, and a Redis between them.

    Args:
        url: of the Redis.
        whole: whether the hub's own relay works here, instead of the smallest there can be.
    """

    server: Any = None
    """Of which the Redis is made, where a test has more to do with it."""
    relay: Any

    def __init__(self, url, *, whole=False):
        self.url = url
        self.now = 0.0
        self.feed = FakeFeed()
        self.relay = WholeRelay(self) if whole else Relay(self.feed, self.store())
        self.engine = Engine()
        self.follower = self.follow(self.engine)

    def store(self):
        return RedisStore(connect(self.url, wait_seconds=0.1), "here")

    def asked(self, question):
        """What a test asks of the copy, asked until it is answered.

        A store gives up after a quarter of a second, which a busy machine may take for nothing.
        """

        def answer():
            with suppress(StoreUnavailableError):
                return (question(self.store()),)
            return None

        return eventually(answer)[0]

    def follow(self, engine, feed=None):
        return Follower(engine, self.store(), feed or self.feed, lambda: self.now)

    def commit(self):
        """Add one, change one, remove one."""
        number = len(self.feed.changes) + 1
        self.feed.change(number, 2, (plain("pdq", number.to_bytes(32, "little")),))
        self.feed.change(max(1, number - 3), 3)
        self.feed.change(max(1, number - 9), 0)

    def turn(self, *, relay=True):
        """Let half a second pass, and everybody do what they do."""
        self.now += 0.5
        if relay:
            with suppress(UnavailableError):
                self.relay.turn()
        self.follower.step(1)

    def begins(self):
        """Load what there is, and live for a while."""
        self.commit()
        for _ in range(3):
            self.turn()
        self.lives()

    def lives(self, turns=6):
        """Contribute, relay, follow; hold every answer against the truth."""
        for _ in range(turns):
            self.commit()
            self.turn()
            self.check()
        for _ in range(3):
            self.turn()
            self.check()
        assert self.follower.freshness().complete
        assert self.engine.position == len(self.feed.changes)

    def check(self):
        """A complete answer is the truth of a head that is at most a second old."""
        fresh = self.follower.freshness()
        assert fresh.complete
        if self.engine.position == len(self.feed.changes):
            assert self.engine.totals == self.feed.totals()
        last = max(self.feed.rows)
        batch = Batch.parse(PDQ, [last.to_bytes(32, "little").hex()])
        found = self.engine.search(batch, np.ones(9, np.bool_), radius={"pdq": 0})
        if self.engine.position == len(self.feed.changes):
            assert found.indicator.tolist() == [last]

    def new_worker(self, *, asks_truth=True):
        """Start another follower from what is in Redis; it must come to the truth as well.

        Args:
            asks_truth: whether it may read more of the truth than how far that is.
        """
        engine = Engine()
        follower = self.follow(engine, None if asks_truth else HeadOnly(self.feed))
        for _ in range(4):
            self.now += 0.25
            if asks_truth:
                self.relay.turn()
            follower.step(1)
        assert follower.freshness().complete
        assert engine.totals == self.feed.totals()
        return engine, follower

    def new_worker_while_lost(self):
        """Start another follower while Redis cannot give everything: the truth can."""
        engine = Engine()
        follower = self.follow(engine)
        follower.step(1)
        assert follower.freshness().complete
        assert engine.totals == self.feed.totals()

    def in_step(self):
        """Whether the shared copy is of this history and as far as the truth."""
        try:
            pointer, last = self.store().pointer(), self.store().last()
        except UnavailableError:
            return False
        end = max(pointer.position if pointer else 0, last.position if last else 0)
        return pointer is not None and end == len(self.feed.changes)

    def until_in_step(self):
        """Let everybody work until the shared copy is; every answer on the way is right."""

        def works():
            self.turn()
            self.check()
            return self.in_step()

        eventually(works)

    def positions(self):
        """The positions of the changes in the stream."""
        found, at = [], EntryId(0, 0)
        while page := self.asked(partial(RedisStore.read, after=at, block_ms=0)):
            found += [entry.id.position for entry in page if entry.change is not None]
            at = page[-1].id
        return found
