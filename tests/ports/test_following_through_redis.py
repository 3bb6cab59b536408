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
def server(tmp_path):
    server = Valkey(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def world(server):
    world = World(server.url)
    world.server = server
    world.begins()
    return world


@pytest.fixture
def whole_world(server):
    """A world in which the hub's own relay works."""
    world = World(server.url, whole=True)
    world.server = server
    world.begins()
    return world


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


@pytest.mark.parametrize("spoil", [dict.clear, lambda words: words.update({b"c": b"\x01spoilt"})])
def test_a_change_that_is_missing_from_the_stream_or_damaged_there(world, spoil):
    # Given three changes in the stream that nobody has followed yet,
    raw, stream = world.server.client, "{bw:here}:stream"
    world.relay.turn()
    position = len(world.feed.changes)
    world.commit()
    world.relay.turn()
    entries = raw.xrange(stream, f"{position + 1}-0", f"{position + 3}-0")
    assert len(entries) == 3

    # when the second of them is lost or spoilt, and the others are as they were,
    raw.delete(stream)
    for number, (place, words) in enumerate(entries):
        if number == 1:
            spoil(words)
        if words:
            raw.xadd(stream, words, id=place)

    # then all three are applied, the truth is what they came from, and the stream goes on.
    world.turn(relay=False)
    world.check()
    assert world.engine.position == position + 3
    world.lives()
    world.new_worker()


def test_an_old_pointer_whose_chunks_are_gone_is_not_answered_from(whole_world):
    # Given a pointer of a while ago, whose chunks are gone since,
    world, raw = whole_world, whole_world.server.client
    old = world.relay.keeper.checkpoint()
    bytes_of_old = raw.get("{bw:here}:head")
    world.lives()
    world.relay.keeper.checkpoint()
    world.store().forget(old)
    assert not world.store().renew(old)

    # when it is put back,
    raw.set("{bw:here}:head", bytes_of_old)

    # then nobody answers from it, and a whole one is written by nobody's hand.
    world.new_worker_while_lost()
    world.lives()
    assert world.store().pointer() != old
    world.new_worker(asks_truth=False)


def test_a_pointer_ahead_of_the_truth_is_not_believed(whole_world):
    world = whole_world
    ahead = FakeFeed()
    for number in range(1, len(world.feed.changes) + 50):
        ahead.change(number, 2, (plain("pdq", number.to_bytes(32, "little")),))
    world.store().write(ahead.snapshot(), new_epoch=True)

    world.new_worker_while_lost()
    world.lives()
    assert world.store().pointer().position <= len(world.feed.changes)
    world.new_worker(asks_truth=False)


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
