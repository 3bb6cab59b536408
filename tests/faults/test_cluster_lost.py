# SPDX-License-Identifier: Apache-2.0
"""Masters of a cluster are lost, come back whole, empty or old, or hand over to a replica.

No answer is wrong, every answer is complete, and the copy is made whole by nobody's hand.
"""

import pytest

from matching.errors import StoreUnavailableError
from matching.stores import layout
from matching.stores.redis import RedisStore
from tests.fakes.changes import plain
from tests.simulators.valkey import MASTERS, Cluster
from tests.simulators.world import World
from tests.support.waiting import eventually

pytestmark = pytest.mark.services
HEAD, STREAM = layout.head_key("here"), layout.stream_key("here")


@pytest.fixture
def make_world(tmp_path):
    """Form a cluster, and a world with more chunks in it than nodes."""
    worlds = []

    def made(*options, **more):
        cluster = Cluster(tmp_path, *options, **more).__enter__()
        world = World(cluster.url, whole=True)
        world.server = cluster
        worlds.append(world)
        world.begins()
        world.relay.keeper.checkpoint()
        world.lives()
        assert all(chunks(node) for node in cluster.nodes[:MASTERS])
        return world

    yield made
    for world in worlds:
        world.server.__exit__()


@pytest.fixture
def world(make_world, coverage):
    return make_world("--cluster-require-full-coverage", coverage)


@pytest.fixture
def coverage():
    """Whether a lost node takes all keys with it, as is Redis's default, or its own alone."""
    return "no"


either_way = pytest.mark.parametrize("coverage", ["no", "yes"])


@pytest.fixture
def main(world):
    """The node that holds pointer and stream."""
    return world.server.holder(HEAD)


@pytest.fixture
def other(world, main):
    """A node that holds nothing but chunks."""
    return next(node for node in world.server.nodes if node is not main)


def chunks(node):
    return list(node.client.scan_iter("bw:here:chunk:*"))


def test_pointer_and_stream_are_in_one_slot_and_chunks_on_every_node(world, main):
    assert {main.client.exists(HEAD), main.client.exists(STREAM)} == {1}
    assert all(chunks(node) for node in world.server.nodes)


def test_a_new_worker_takes_everything_from_the_cluster_and_follows(world):
    # Given a checkpoint, and changes in the stream after it,
    assert world.positions()

    # when a worker starts that may not read the truth,
    engine, follower = world.new_worker(asks_truth=False)

    # then it has everything, and what is contributed next comes to it by the stream.
    position = len(world.feed.changes) + 1
    world.feed.change(position, 2, (plain("pdq", position.to_bytes(32, "little")),))
    world.relay.turn()
    follower.step(1)
    assert engine.position == position
    assert engine.totals == world.feed.totals()


@either_way
@pytest.mark.parametrize("comes_back", ["whole", "empty"])
def test_the_node_with_pointer_and_stream_is_lost(world, main, comes_back):
    epoch = world.asked(RedisStore.pointer).epoch
    main.kill()

    world.lives()
    assert not world.in_step()

    if comes_back == "empty":
        main.empty()
    main.start()
    world.until_in_step()
    world.lives()
    assert (world.asked(RedisStore.pointer).epoch == epoch) is (comes_back == "whole")
    world.new_worker(asks_truth=False)


@either_way
@pytest.mark.parametrize("comes_back", ["whole", "empty"])
def test_a_node_with_chunks_alone_is_lost(world, other, comes_back):
    other.kill()

    world.lives()
    world.new_worker_while_lost()

    if comes_back == "empty":
        other.empty()
    other.start()
    world.until_in_step()
    eventually(lambda: is_whole(world))
    world.lives()
    world.new_worker(asks_truth=False)


def test_a_checkpoint_that_lost_chunks_is_written_anew(world, other):
    other.client.flushall()

    for _ in range(3):
        world.turn()
        world.check()

    world.new_worker(asks_truth=False)


def test_the_stream_goes_on_without_a_node_that_holds_chunks(make_world):
    world = make_world("--cluster-require-full-coverage", "no")
    main = world.server.holder(HEAD)
    next(node for node in world.server.nodes if node is not main).kill()

    world.lives()

    assert world.in_step()


@pytest.mark.parametrize("is_old", [False, True], ids=["in step", "old"])
def test_a_replica_takes_over_pointer_and_stream(make_world, is_old):
    # Given a node with a replica, which may not have heard of the last changes,
    world = make_world("--cluster-replica-validity-factor", "0", replicas=MASTERS)
    main = world.server.holder(HEAD)
    replica = world.server.replica(main)
    epoch, end = world.asked(RedisStore.pointer).epoch, world.asked(RedisStore.last)
    if is_old:
        replica.hang()
        main.client.execute_command("CLIENT", "KILL", "TYPE", "replica")
        world.lives()

    # when the node is lost,
    main.kill()
    if is_old:
        replica.go_on()
    world.lives()

    # then the replica is written to, and its old end is taken for another life.
    world.until_in_step()
    world.lives()
    assert replica.client.execute_command("ROLE")[0] == b"master"
    assert world.asked(RedisStore.last) > end
    assert (world.asked(RedisStore.pointer).epoch != epoch) is is_old
    assert is_dense(world)
    world.new_worker(asks_truth=False)


def test_a_slot_that_moved_to_another_node_is_found_again(world, main, other):
    ids = {node: node.client.execute_command("CLUSTER", "MYID") for node in world.server.nodes}
    slot = main.client.execute_command("CLUSTER", "KEYSLOT", HEAD)
    main.client.delete(HEAD, STREAM)
    for node in (other, main, *world.server.nodes):
        node.client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[other])

    world.lives()

    # Its keys were lost on the way: that is noticed and mended as if the node were new.
    for _ in range(20):
        world.turn()
        world.check()
    assert world.in_step()
    assert other.client.exists(HEAD)
    world.new_worker(asks_truth=False)


def test_a_cluster_that_hangs_delays_nothing_for_long(world):
    for node in world.server.nodes:
        node.hang()
    try:
        world.commit()
        for _ in range(2):
            world.turn(relay=False)
        world.check()
        assert world.engine.position == len(world.feed.changes)
    finally:
        for node in world.server.nodes:
            node.go_on()

    world.until_in_step()
    world.lives()


@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_a_damaged_chunk_is_not_believed_and_not_needed(world, damage):
    pointer = world.asked(RedisStore.pointer)
    key = layout.chunk_key("here", pointer.manifest[-1].sha256)
    client = world.server.holder(key).client
    data = client.get(key)
    client.set(key, data[:-1] if damage == "cut" else bytes([data[0] ^ 1, *data[1:]]))

    world.new_worker()
    world.lives()


def is_whole(world):
    world.turn()
    world.check()
    try:
        return world.store().renew(world.store().pointer())
    except StoreUnavailableError:
        return False


def is_dense(world):
    positions = world.positions()
    return positions == list(range(positions[0], positions[-1] + 1))
