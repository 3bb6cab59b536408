# SPDX-License-Identifier: Apache-2.0
"""A follower on a Valkey that is killed, flushed, emptied, set back: never wrong, never stuck.

The clock is the test's: it passes half a second a turn, so nothing here depends on how fast this
machine is.
"""

from contextlib import suppress

import numpy as np
import pytest

from matching.batches import Batch
from matching.engine import Engine
from matching.errors import UnavailableError
from matching.following import Follower
from matching.signals import PDQ
from matching.stores.redis import RedisStore, connect
from tests.fakes.changes import FakeFeed, plain
from tests.simulators.relay import Relay
from tests.simulators.valkey import Valkey


class World:
    """A truth, a relay, a follower, and the Valkey between them."""

    def __init__(self, folder):
        self.valkey = Valkey(folder)
        self.valkey.start()
        self.now = 0.0
        self.feed = FakeFeed()
        self.relay = Relay(self.feed, self.store())
        self.engine = Engine()
        self.follower = self.follow(self.engine)

    def store(self):
        return RedisStore(connect(self.valkey.url, wait_seconds=0.1), "here")

    def follow(self, engine):
        return Follower(engine, self.store(), self.feed, lambda: self.now)

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


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    world.commit()
    world.turn()
    world.turn()
    world.lives()
    yield world
    world.valkey.kill()


def new_worker(world):
    """Start another follower from what is in Redis now; it must come to the truth as well."""
    engine = Engine()
    follower = world.follow(engine)
    for _ in range(4):
        world.now += 0.5
        world.relay.turn()
        follower.step(1)
    assert follower.freshness().complete
    assert engine.totals == world.feed.totals()


def test_flushed(world):
    world.valkey.client.flushall()

    world.lives()
    new_worker(world)


@pytest.mark.parametrize("key", ["head", "stream"])
def test_one_key_deleted(world, key):
    world.valkey.client.delete(f"{{bw:here}}:{key}")

    world.lives()
    new_worker(world)


def test_killed_and_started_again(world):
    world.valkey.kill()
    world.lives()
    world.valkey.start()

    world.lives()
    new_worker(world)


def test_killed_and_started_empty(world):
    epoch = world.store().pointer().epoch
    world.valkey.kill()
    world.valkey.swap(None)
    world.valkey.start()

    world.lives()
    assert world.store().pointer().epoch != epoch
    new_worker(world)


@pytest.mark.parametrize("between", [0, 1, 5])
def test_swapped_for_an_older_copy(world, between):
    world.valkey.kill()
    world.valkey.copy("old")
    world.valkey.start()
    world.lives(between)
    world.valkey.kill()
    world.valkey.swap("old")
    world.valkey.start()

    position = world.engine.position
    world.turn(relay=False)
    world.check()
    assert world.engine.position >= position
    world.lives()
    new_worker(world)


def test_swapped_for_a_copy_of_another_history(world):
    other = FakeFeed("other")
    for number in range(1, 200):
        other.change(number, 2, (plain("pdq", bytes([number] * 32)),))
    world.valkey.client.flushall()
    Relay(other, world.store()).turn()

    world.turn(relay=False)
    world.check()
    assert world.engine.timeline == "t"
    world.lives()
    new_worker(world)


def test_every_chunk_damaged(world):
    world.store().write(world.feed.snapshot())
    for key in world.valkey.client.scan_iter("bw:here:chunk:*"):
        world.valkey.client.setrange(key, 40, b"\xff\xff\xff")

    world.lives()
    new_worker(world)


def test_trimmed_past_the_follower(world):
    for _ in range(5):
        world.commit()
        world.relay.turn()
    world.store().trim(len(world.feed.changes) - 1)

    world.lives()
    new_worker(world)


def test_the_truth_restored_while_redis_still_holds_the_old_history(world):
    restored = FakeFeed("restored")
    for change in world.feed.changes[:5]:
        restored.change(change.indicator, change.label, change.rows)
    world.feed = restored
    world.follower = world.follow(world.engine)  # its process was restarted by the restore
    world.relay = Relay(restored, world.store())

    world.turn(relay=False)

    world.commit()
    world.lives()
    assert world.engine.timeline == "restored"
    new_worker(world)


def test_a_server_that_hangs_delays_nothing_for_long(world):
    world.valkey.hang()
    try:
        world.commit()
        for _ in range(2):
            world.turn(relay=False)
        world.check()
        assert world.engine.position == len(world.feed.changes)
    finally:
        world.valkey.go_on()

    world.lives()
