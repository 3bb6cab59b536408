# SPDX-License-Identifier: Apache-2.0
"""Who holds a key is found out without waiting for those who do not answer."""

import contextlib
import socket
import threading
from typing import Any

import pytest
from redis.connection import SSLConnection
from redis.exceptions import RedisError

from matching.errors import StoreUnavailableError
from matching.ports import EntryId
from matching.stores.redis import RedisStore, connect

NODES = 10


@pytest.fixture
def silent():
    """Servers that take every call and say nothing; the list tells who was called."""
    called: list[int] = []
    with contextlib.ExitStack() as stack:
        doors = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(NODES)]
        for number, door in enumerate(doors):
            threading.Thread(target=take_calls, args=(door, number, called), daemon=True).start()
        yield [door.getsockname()[1] for door in doors], called


def take_calls(door, number, called):
    kept = []
    with contextlib.suppress(OSError):
        while True:
            kept.append(door.accept()[0])
            called.append(number)


def test_silent_nodes_are_not_asked_one_after_another(silent):
    ports, called = silent
    nodes = ",".join(f"127.0.0.1:{port}" for port in ports)
    store = RedisStore(connect(f"redis+cluster://{nodes}"), "here")

    for calls in (1, 2, 3):
        with pytest.raises(StoreUnavailableError):
            store.read(EntryId(0, 0), 0)
        assert len(called) == calls

    # Each question went to another: one that answers is come to.
    assert len(set(called)) == 3


def test_silent_sentinels_are_asked_once_a_question(silent):
    ports, called = silent
    store = RedisStore(connect(f"redis+sentinel://127.0.0.1:{ports[0]}/lures"), "here")

    with pytest.raises(StoreUnavailableError):
        store.read(EntryId(0, 0), 0)

    assert len(called) == 1


@pytest.mark.parametrize(
    "url", ["redis+cluster://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/lures", "redis://h"]
)
def test_opening_sends_nothing(url):
    connect(url).close()


@pytest.mark.parametrize(
    "place", ["redis{}://me:hush@h/1", "redis{}+sentinel://me:hush@h/lures/1"]
)
@pytest.mark.parametrize(
    ("tls", "query"),
    [
        ("", ""),
        ("s", "?ssl_ca_certs=ca.pem&ssl_certfile=c&ssl_keyfile=k&ssl_check_hostname=no"),
        ("s", "?ssl_cert_reqs=none"),
    ],
)
def test_connections_take_all_that_an_address_may_say(place, tls, query):
    servers = connect(place.format(tls) + query)

    connection: Any = servers.holding("any").connection_pool.make_connection()

    assert (connection.username, connection.password, connection.db) == ("me", "hush", 1)
    assert isinstance(connection, SSLConnection) is bool(tls)


def test_a_server_that_is_no_cluster_is_none(valkey_url):
    servers = connect(valkey_url)
    assert servers.holding("any").ping()

    with pytest.raises(RedisError):
        connect("redis+cluster://127.0.0.1:1").holding("any")
