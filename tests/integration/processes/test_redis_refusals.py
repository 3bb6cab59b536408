# SPDX-License-Identifier: Apache-2.0
"""A Redis that cannot be relied upon is refused at the start, with a sentence that says why."""

import contextlib
import socketserver
import subprocess
import sys
import threading

import pytest

from hub.adapters.embedded import find_server
from hub.adapters.redis import (
    RedisUnreachableError,
    RedisUnusableError,
    require_usable,
)
from hub.cli.exits import Exit
from hub.demo.running import free_port
from tests.integration.processes.conftest import ROOT, listens
from tests.simulators.valkey import Cluster, Watched
from tests.support.waiting import PATIENCE, eventually

OLD = {
    "server": b"# Server\r\nredis_version:6.2.14\r\n",
    "memory": b"# Memory\r\nmaxmemory_policy:noeviction\r\n",
}


class OldRedis(socketserver.StreamRequestHandler):
    """Says of itself what a Redis 6.2 says; no such binary can be had everywhere."""

    knows_hello = True

    def handle(self):
        while line := self.rfile.readline():
            words = [self._word() for _ in range(int(line[1:]))]
            self.wfile.write(self._answer(words[0].upper(), words[1:]))

    def _word(self):
        size = int(self.rfile.readline()[1:])
        return self.rfile.read(size + 2)[:-2]

    def _answer(self, command, words):
        if command == b"INFO":
            text = OLD[words[0].decode()]
            return b"$%d\r\n%s\r\n" % (len(text), text)
        if command == b"HELLO":
            known = b"%%1\r\n$5\r\nproto\r\n:%s\r\n" % words[0]
            return known if self.knows_hello else b"-ERR unknown command `HELLO`\r\n"
        return b"+OK\r\n"


class AncientRedis(OldRedis):
    """Like a Redis 5, which does not even know the greeting."""

    knows_hello = False


@contextlib.contextmanager
def answering(kind):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever).start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        server.shutdown()


@pytest.fixture
def valkey(tmp_path):
    """Start a real Valkey with options; returns its address."""
    running = []

    def start(*options):
        port = free_port()
        command = [find_server(None), "--port", str(port), "--dir", str(tmp_path), *options]
        running.append(
            subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - the wheel's server
        )
        eventually(lambda: listens(port))
        return f"redis://127.0.0.1:{port}/0"

    yield start
    for process in running:
        process.terminate()
        process.wait(PATIENCE)


def prepare(hub, url):
    """Run what ``up`` runs before it starts the rest; its sentence and its status."""
    hub.environment["REDIS_URL"] = url
    hub.data.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", "prepare", "--migrate"],
        cwd=ROOT,
        env=hub.settings(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stderr, done.returncode


def refused(hub, url):
    sentence, status = prepare(hub, url)
    assert sentence.startswith("breakwater: ")
    assert sentence.count("\n") == 1
    assert "Traceback" not in sentence
    assert not (hub.data / "hub.db").exists()
    return sentence, status


def test_old_redis_is_refused(hub):
    with answering(OldRedis) as url:
        sentence, status = refused(hub, url)

    assert "6.2.14" in sentence
    assert "7.0" in sentence
    assert status == Exit.SETTINGS


def test_ancient_redis_is_refused(hub):
    with answering(AncientRedis) as url:
        sentence, status = refused(hub, url)

    assert "7.0" in sentence
    assert status == Exit.SETTINGS


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_evicting_redis_is_refused(hub, valkey, policy):
    url = valkey("--maxmemory", "100mb", "--maxmemory-policy", policy)

    sentence, status = refused(hub, url)

    assert policy in sentence
    assert "noeviction" in sentence
    assert status == Exit.SETTINGS


def test_unreachable_redis_is_refused(hub):
    sentence, status = refused(hub, f"redis://:hush@127.0.0.1:{free_port()}/0")

    assert "REDIS_URL" in sentence
    assert "hush" not in sentence
    assert status == Exit.UNAVAILABLE


def test_redis_with_another_password_is_refused(hub, valkey):
    url = valkey("--requirepass", "hush").replace("redis://", "redis://:wrong@")

    sentence, status = refused(hub, url)

    assert "credentials" in sentence
    assert "hush" not in sentence
    assert "wrong" not in sentence
    assert status == Exit.SETTINGS


def test_address_that_is_none_is_refused(hub):
    sentence, status = refused(hub, "localhost:6379")

    assert "redis://" in sentence
    assert status == Exit.SETTINGS


def test_fit_redis_is_taken(hub, valkey):
    errors, status = prepare(hub, valkey())

    assert (errors, status) == ("", Exit.OK)
    assert (hub.data / "hub.db").exists()


def test_up_with_a_redis_of_ones_own_starts_no_other(hub, valkey):
    hub.environment["REDIS_URL"] = valkey()

    hub.start()

    assert hub.named("valkey") == []
    assert hub.answer()


def test_redis_that_starts_a_little_later_is_waited_for():
    port = free_port()

    with pytest.raises(RedisUnreachableError):
        require_usable(f"redis://127.0.0.1:{port}/0", patience=0.2)


def test_check_tells_the_version(valkey):
    found = require_usable(valkey())

    assert int(found.version.split(".")[0]) >= 7
    assert (found.answering, found.known) == (1, 1)


def test_evicting_redis_is_an_error_of_its_own(valkey):
    with pytest.raises(RedisUnusableError, match="allkeys-random"):
        require_usable(valkey("--maxmemory-policy", "allkeys-random"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    with Watched(tmp_path_factory.mktemp("watched")) as watched:
        yield watched


@pytest.mark.services
@pytest.mark.parametrize(("kind", "servers"), [("cluster", 3), ("watched", 2)])
def test_every_server_is_looked_at(kind, servers, request):
    found = require_usable(request.getfixturevalue(kind).url, patience=5)

    assert (found.answering, found.known) == (servers, servers)
    assert f"{servers} of {servers}" in str(found)


@pytest.mark.services
@pytest.mark.parametrize("number", [0, 2])
def test_one_evicting_node_of_a_cluster_is_refused(cluster, number):
    client = cluster.nodes[number].client
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(RedisUnusableError, match=r"allkeys-lru.*every server"):
            require_usable(cluster.url)
    finally:
        client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.services
def test_an_evicting_replica_is_refused_before_it_is_the_master(watched):
    watched.replica.client.config_set("maxmemory-policy", "volatile-ttl")
    try:
        with pytest.raises(RedisUnusableError, match="volatile-ttl"):
            require_usable(watched.url)
    finally:
        watched.replica.client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.services
def test_a_part_that_is_lost_keeps_no_hub_from_starting(cluster):
    cluster.nodes[1].kill()
    try:
        found = require_usable(cluster.url)
    finally:
        cluster.nodes[1].start()

    assert (found.answering, found.known) == (2, 3)


@pytest.mark.services
def test_an_address_that_says_another_kind_is_refused(hub, cluster, watched, valkey):
    node = f"127.0.0.1:{cluster.ports[0]}"
    sentinel = watched.url.partition("1,")[2].partition("/")[0]
    single = valkey().removeprefix("redis://").removesuffix("/0")

    for url, word in (
        (f"redis://{node}", r"redis\+cluster://"),
        (f"redis://{sentinel}", r"redis\+sentinel://"),
        (f"redis+cluster://{single}", "redis://"),
        (f"redis+sentinel://{single}/lures", "redis://"),
        (f"redis+sentinel://{sentinel}/others", "service's name"),
    ):
        with pytest.raises(RedisUnusableError, match=word):
            require_usable(url)
    sentence, status = refused(hub, f"redis://{node}")
    assert "cluster" in sentence
    assert status == Exit.SETTINGS


@pytest.mark.services
@pytest.mark.parametrize("kind", ["redis+sentinel://:hush@{}/lures", "redis+cluster://:hush@{}"])
def test_unreachable_ones_are_refused_without_their_password(hub, kind):
    sentence, status = refused(hub, kind.format(f"127.0.0.1:{free_port()}"))

    assert "REDIS_URL" in sentence
    assert "hush" not in sentence
    assert status == Exit.UNAVAILABLE


@pytest.mark.services
def test_nodes_want_their_password(tmp_path):
    with Cluster(tmp_path) as cluster:
        for node in cluster.nodes:
            node.client.config_set("requirepass", "hush")

        assert require_usable(cluster.url.replace("://", "://:hush@")).answering == 3
        with pytest.raises(RedisUnusableError, match="credentials"):
            require_usable(cluster.url.replace("://", "://:wrong@"))
