# SPDX-License-Identifier: Apache-2.0
"""Every store, in memory and in a real Valkey, behind one fixture."""

import pytest

from matching.stores.memory import MemoryStore
from matching.stores.redis import RedisStore, connect
from tests.simulators.valkey import Valkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory):
    server = Valkey(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_store(valkey):
    valkey.client.flushall()
    client = connect(valkey.url, wait_seconds=1.0)
    yield RedisStore(client, "here", wall_ms=lambda: 1_234)
    client.close()


@pytest.fixture(params=["memory", "redis"])
def store(request):
    if request.param == "memory":
        return MemoryStore(wall_ms=lambda: 1_234)
    return request.getfixturevalue("redis_store")
