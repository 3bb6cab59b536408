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
    open_redis,
    require_usable,
)
from hub.cli.exits import Exit
from hub.demo.running import free_port
from tests.integration.processes.conftest import ROOT, listens
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
    redis = open_redis(f"redis://127.0.0.1:{port}/0")

    with pytest.raises(RedisUnreachableError):
        require_usable(redis, patience=0.2)


def test_check_tells_the_version(valkey):
    with open_redis(valkey()) as redis:
        assert int(require_usable(redis).split(".")[0]) >= 7


def test_evicting_redis_is_an_error_of_its_own(valkey):
    with (
        open_redis(valkey("--maxmemory-policy", "allkeys-random")) as redis,
        pytest.raises(RedisUnusableError, match="allkeys-random"),
    ):
        require_usable(redis)
