# SPDX-License-Identifier: Apache-2.0
"""Every store, in memory, in a real Valkey and in a cluster of three, behind one fixture."""

import pytest

from matching.stores.memory import MemoryStore
from matching.stores.redis import RedisStore, connect
from tests.simulators.valkey import Cluster, Valkey


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


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster_store(cluster):
    cluster.flush()
    client = connect(cluster.url, wait_seconds=1.0)
    yield RedisStore(client, "here", wall_ms=lambda: 1_234)
    client.close()


@pytest.fixture(params=["memory", "redis", pytest.param("cluster", marks=pytest.mark.services)])
def store(request):
    if request.param == "memory":
        return MemoryStore(wall_ms=lambda: 1_234)
    return request.getfixturevalue(f"{request.param}_store")
