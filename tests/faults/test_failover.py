# SPDX-License-Identifier: Apache-2.0
"""A Sentinel makes another server the master, whatever that one has heard of.

Redis may lose what it has acknowledged then; the truth settles it. No answer is wrong on the way.
"""

import pytest

from matching.stores import layout
from matching.stores.redis import RedisStore
from tests.simulators.valkey import Watched
from tests.simulators.world import World

pytestmark = pytest.mark.services


@pytest.fixture
def watched(tmp_path):
    with Watched(tmp_path) as watched:
        yield watched


@pytest.fixture
def world(watched):
    world = World(watched.url, whole=True)
    world.begins()
    return world


def test_a_new_worker_takes_everything_from_the_master_that_sentinel_names(world):
    world.new_worker(asks_truth=False)


def test_another_master_is_written_to(world, watched):
    watched.fail_over(meanwhile=world.lives)

    world.until_in_step()
    world.lives()
    assert world.asked(RedisStore.length) == watched.replica.client.xlen("{bw:here}:stream")
    world.new_worker(asks_truth=False)


def test_nobody_waits_for_a_new_master(world, watched):
    watched.sentinel.kill()
    watched.master.kill()

    world.lives()
    world.new_worker_while_lost()


@pytest.mark.parametrize("changes", [1, 4])
def test_a_stream_that_ends_earlier_than_it_did_is_another_life(world, watched, changes):
    epoch, end = world.asked(RedisStore.pointer).epoch, world.asked(RedisStore.last)

    watched.fail_over(meanwhile=lambda: world.lives(changes))
    assert world.asked(RedisStore.last) == end, "the replica has heard of it after all"

    position = world.engine.position
    world.turn(relay=False)
    world.check()
    assert world.engine.position >= position
    world.until_in_step()
    world.lives()
    assert world.asked(RedisStore.pointer).epoch != epoch
    world.new_worker(asks_truth=False)


def test_what_one_master_showed_is_not_written_to_another(world, watched, monkeypatch):
    # Given a relay that has looked at the stream's end, while the replica knows of an earlier one,
    watched.cut_off()
    world.lives()
    world.commit()
    meanwhile = [watched.take_over]
    true = layout.packed_change

    def tarry(change):
        if meanwhile and change.position == len(world.feed.changes):
            meanwhile.pop()()
        return true(change)

    monkeypatch.setattr(layout, "packed_change", tarry)

    # when the replica becomes the master before anything is written,
    world.turn()

    # then nothing lies beyond what is missing there.
    assert not meanwhile
    world.until_in_step()
    world.lives()
    positions = world.positions()
    assert positions == list(range(positions[0], positions[-1] + 1))
    world.new_worker(asks_truth=False)
