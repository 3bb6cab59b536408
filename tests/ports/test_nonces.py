# SPDX-License-Identifier: Apache-2.0
"""A request comes once: asked of the memory in a process, in a real Valkey and in a cluster."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from federation.errors import Alarm, RefusedError, TransportError
from federation.ports import Nonces
from federation.transport.claims import KEEP_NONCES, WINDOW
from federation.transport.memory import MemoryNonces
from federation.transport.messages import Request
from federation.transport.signatures import Signing, new_nonce, signed_request, verified
from hub.adapters.nonces import RedisNonces
from matching.stores.servers import connect
from tests.simulators.valkey import Valkey
from tests.support.clock import Clock
from tests.support.signing import signer

A, B = "hub-a#1", "hub-b#1"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory", "valkey", pytest.param("cluster", marks=pytest.mark.services)])
def nonces(request, clock):
    """A memory that was begun a while ago, and remembers nothing yet."""
    memory: Nonces
    if request.param == "memory":
        memory = MemoryNonces(lambda: clock().timestamp(), born=clock().timestamp())
    else:
        memory = RedisNonces(
            servers(request.getfixturevalue(request.param)), secrets.token_hex(8), clock=clock
        )
        memory.begin()
    clock.forward(seconds=2 * WINDOW)
    return memory


def servers(simulator):
    return connect(simulator.url, wait_seconds=2.0)


def at(clock, offset=0):
    return int(clock().timestamp()) + offset


def test_a_request_is_new_once(nonces, clock):
    assert nonces.is_new(A, "x", at(clock))
    assert not nonces.is_new(A, "x", at(clock))
    assert not nonces.is_new(A, "x", at(clock, 1))


def test_another_nonce_or_another_hub_is_another_request(nonces, clock):
    assert nonces.is_new(A, "x", at(clock))
    assert nonces.is_new(A, "y", at(clock))
    assert nonces.is_new(B, "x", at(clock))
    assert nonces.is_new(A + "x", "", at(clock))


@pytest.mark.parametrize("nonces", ["memory", "valkey"], indirect=True)
@pytest.mark.parametrize("nonce", ["", "x" * 200, "a\r\nb", "ü", "*", "{bw:there}"])
def test_a_partner_may_call_its_nonces_anything(nonces, clock, nonce):
    assert nonces.is_new(A, nonce, at(clock))
    assert not nonces.is_new(A, nonce, at(clock))


def test_of_many_that_ask_at_once_one_is_told_that_it_is_new(nonces, clock):
    asking, created = 8, at(clock)
    ready = threading.Barrier(asking)

    def ask(_number):
        ready.wait()
        return nonces.is_new(A, "race", created)

    with ThreadPoolExecutor(asking) as threads:
        assert sum(threads.map(ask, range(asking))) == 1


def test_of_two_that_send_one_request_at_once_one_is_served(nonces, clock):
    signing, now = Signing(A, signer(1)), clock().timestamp()
    ready = threading.Barrier(2)
    for _ in range(20):
        request = signed_request(
            Request("GET", "https://hub.example/ops"),
            signing,
            created=int(now),
            nonce=new_nonce(secrets.token_bytes),
        )

        def serve(_number, request=request):
            ready.wait()
            try:
                return verified(request, lambda _key_id: signing.signer.public, nonces, now)
            except RefusedError as error:
                return error.alarm

        with ThreadPoolExecutor(2) as threads:
            assert set(threads.map(serve, range(2))) == {A, Alarm.REPLAYED}


def test_what_a_memory_that_was_lost_may_have_seen_is_not_new(request, clock):
    for memory in begun(request, clock):
        for offset in range(-WINDOW, WINDOW + 1):
            assert not memory.is_new(A, f"old{offset}", at(clock, offset)), offset
        assert memory.is_new(A, "later", at(clock, WINDOW + 2))


def begun(request, clock):
    """Memories that begin now."""
    yield MemoryNonces(lambda: clock().timestamp(), born=clock().timestamp())
    valkey = request.getfixturevalue("valkey")
    yield RedisNonces(servers(valkey), secrets.token_hex(8), clock=clock)


def test_a_simulation_begins_with_a_memory_that_lost_nothing(clock):
    memory = MemoryNonces(lambda: clock().timestamp())

    assert memory.is_new(A, "x", at(clock, -WINDOW))


def test_a_memory_forgets_what_could_not_be_used_any_more(clock):
    memory = MemoryNonces(lambda: clock().timestamp())
    for number in range(1000):
        memory.is_new(A, str(number), at(clock))

    clock.forward(seconds=KEEP_NONCES + 1)
    memory.is_new(A, "x", at(clock))

    assert len(memory) == 1


# -- of Redis alone ------------------------------------------------------------------------------


@pytest.fixture
def redis_nonces(valkey, clock):
    memory = RedisNonces(servers(valkey), "here", clock=clock)
    valkey.client.flushall()
    memory.is_new(A, "first", at(clock))
    clock.forward(seconds=2 * WINDOW)
    return memory


def test_a_nonce_is_kept_for_as_long_as_a_request_is_good(redis_nonces, valkey, clock):
    redis_nonces.is_new(A, "x", at(clock))

    kept = [valkey.client.ttl(key) for key in valkey.client.keys("{bw:here}:nonce:*")]
    assert kept
    assert all(2 * WINDOW < seconds <= KEEP_NONCES for seconds in kept)
    assert valkey.client.ttl("{bw:here}:nonces-born") == -1


def test_processes_share_what_they_remember(redis_nonces, valkey, clock):
    other = RedisNonces(servers(valkey), "here", clock=clock)
    assert redis_nonces.is_new(A, "x", at(clock))

    assert not other.is_new(A, "x", at(clock))


def test_hubs_that_share_a_redis_do_not_share_what_they_remember(redis_nonces, valkey, clock):
    other = RedisNonces(servers(valkey), "there", clock=clock)
    other.is_new(A, "first", at(clock, -2 * WINDOW))
    clock.forward(seconds=2 * WINDOW)

    assert redis_nonces.is_new(A, "x", at(clock))
    assert other.is_new(A, "x", at(clock))


def test_a_redis_that_was_emptied_is_not_believed_for_a_minute(redis_nonces, valkey, clock):
    seen = at(clock, WINDOW)  # a clock may be a minute ahead of ours
    assert redis_nonces.is_new(A, "x", seen)

    valkey.client.flushall()

    assert not redis_nonces.is_new(A, "x", seen)
    assert not redis_nonces.is_new(A, "y", seen)
    clock.forward(seconds=WINDOW + 1)
    assert redis_nonces.is_new(A, "z", at(clock, 1))
    assert not redis_nonces.is_new(A, "w", seen)


def test_to_begin_again_changes_nothing(redis_nonces, valkey, clock):
    assert redis_nonces.is_new(A, "x", at(clock))

    redis_nonces.begin()

    assert not redis_nonces.is_new(A, "x", at(clock))
    assert redis_nonces.is_new(A, "y", at(clock))


def test_the_first_request_to_a_hub_that_was_just_named_is_new(valkey, clock):
    named = at(clock)
    memory = RedisNonces(
        servers(valkey), secrets.token_hex(8), clock=clock, named_since=lambda: named
    )
    clock.forward(seconds=1)

    assert memory.is_new(A, "x", at(clock))
    assert not memory.is_new(A, "x", at(clock))


def test_the_first_request_to_a_hub_that_is_known_for_long_is_not_new(valkey, clock):
    named = at(clock)
    clock.forward(seconds=10 * WINDOW)
    memory = RedisNonces(
        servers(valkey), secrets.token_hex(8), clock=clock, named_since=lambda: named
    )

    assert not memory.is_new(A, "x", at(clock))


def test_a_birth_that_cannot_be_read_tells_nobody_anything(redis_nonces, valkey, clock):
    valkey.client.set("{bw:here}:nonces-born", b"yesterday")

    with pytest.raises(TransportError):
        redis_nonces.is_new(A, "x", at(clock))


def test_a_redis_that_comes_back_with_its_data_is_believed(tmp_path, clock):
    server = Valkey(tmp_path)
    server.start()
    memory = RedisNonces(servers(server), "here", clock=clock)
    memory.is_new(A, "first", at(clock))
    clock.forward(seconds=2 * WINDOW)
    assert memory.is_new(A, "x", at(clock))

    server.kill()
    with pytest.raises(TransportError):
        memory.is_new(A, "y", at(clock))
    with pytest.raises(TransportError):
        memory.begin()
    server.start()

    assert not memory.is_new(A, "x", at(clock))
    assert memory.is_new(A, "y", at(clock))
    server.kill()
