# SPDX-License-Identifier: Apache-2.0
"""A follower on a Valkey that is killed, flushed, emptied, set back: never wrong, never stuck.

The clock is the test's: it passes half a second a turn, so nothing here depends on how fast this
machine is.
"""

import pytest

from tests.fakes.changes import FakeFeed, plain
from tests.simulators.relay import Relay
from tests.simulators.valkey import Valkey
from tests.simulators.world import World


@pytest.fixture
def world(tmp_path):
    valkey = Valkey(tmp_path)
    valkey.start()
    world = World(valkey.url)
    world.server = valkey
    world.begins()
    yield world
    world.server.kill()


def test_flushed(world):
    world.server.client.flushall()

    world.lives()
    world.new_worker()


@pytest.mark.parametrize("key", ["head", "stream"])
def test_one_key_deleted(world, key):
    world.server.client.delete(f"{{bw:here}}:{key}")

    world.lives()
    world.new_worker()


def test_killed_and_started_again(world):
    world.server.kill()
    world.lives()
    world.server.start()

    world.lives()
    world.new_worker()


def test_killed_and_started_empty(world):
    epoch = world.store().pointer().epoch
    world.server.kill()
    world.server.swap(None)
    world.server.start()

    world.lives()
    assert world.store().pointer().epoch != epoch
    world.new_worker()


@pytest.mark.parametrize("between", [0, 1, 5])
def test_swapped_for_an_older_copy(world, between):
    world.server.kill()
    world.server.copy("old")
    world.server.start()
    world.lives(between)
    world.server.kill()
    world.server.swap("old")
    world.server.start()

    position = world.engine.position
    world.turn(relay=False)
    world.check()
    assert world.engine.position >= position
    world.lives()
    world.new_worker()


def test_swapped_for_a_copy_of_another_history(world):
    other = FakeFeed("other")
    for number in range(1, 200):
        other.change(number, 2, (plain("pdq", bytes([number] * 32)),))
    world.server.client.flushall()
    Relay(other, world.store()).turn()

    world.turn(relay=False)
    world.check()
    assert world.engine.timeline == "t"
    world.lives()
    world.new_worker()


def test_every_chunk_damaged(world):
    world.store().write(world.feed.snapshot())
    for key in world.server.client.scan_iter("bw:here:chunk:*"):
        world.server.client.setrange(key, 40, b"\xff\xff\xff")

    world.lives()
    world.new_worker()


def test_trimmed_past_the_follower(world):
    for _ in range(5):
        world.commit()
        world.relay.turn()
    world.store().trim(len(world.feed.changes) - 1)

    world.lives()
    world.new_worker()


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
    world.new_worker()


def test_a_server_that_hangs_delays_nothing_for_long(world):
    world.server.hang()
    try:
        world.commit()
        for _ in range(2):
            world.turn(relay=False)
        world.check()
        assert world.engine.position == len(world.feed.changes)
    finally:
        world.server.go_on()

    world.lives()
