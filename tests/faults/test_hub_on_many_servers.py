# SPDX-License-Identifier: Apache-2.0
"""A whole hub on a cluster, and on what a Sentinel watches: a server is lost under it.

What is known stays known, what is contributed meanwhile is found, nobody is turned away, every
answer is complete, and the copy is as the database says in the end, by nobody's hand.
"""

import contextlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import uuid

import pytest

from matching.stores import layout
from tests.faults.contributions import Pictures, contribution, question
from tests.faults.up import NUMBA, ROOT, Up
from tests.simulators.valkey import Cluster, Watched
from tests.support.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.slow, pytest.mark.services]
LOOKUPS = 40
CALLS = 30


class Lost:
    """A cluster of which a node is lost, and comes back empty."""

    def __init__(self, folder):
        self.servers = Cluster(folder, "--cluster-require-full-coverage", "no")
        self.node = self.servers.nodes[0]

    def lose(self, instance):
        self.node = self.servers.holder(layout.head_key(instance))
        self.node.kill()

    def mend(self):
        self.node.empty()
        self.node.start()


class FailedOver:
    """A master of which a replica takes the place."""

    def __init__(self, folder):
        self.servers = Watched(folder)

    def lose(self, _instance):
        self.servers.fail_over()

    def mend(self):
        """Do nothing: the replica serves."""


class Town:
    """A member that contributes, another that asks, and what is right to answer."""

    def __init__(self, hub):
        self.hub = hub
        self.pictures = Pictures(7)
        self.known: dict[str, int] = {}
        self.unknown = [self.pictures.code() for _ in range(3)]
        self.ids = []

    def contribute(self):
        """Contribute a new picture; it is acknowledged at once."""
        code = self.pictures.code()
        status, answer = self.hub.call(
            "POST",
            "/v1/indicators",
            contribution(code, self.hub.set),
            key=self.hub.keys[0],
            once=uuid.uuid4().hex,
        )
        assert status == 201, (status, answer)
        told = json.loads(answer)
        self.known[code] = told["position"]
        self.ids.append(told["id"])

    def ask(self):
        """Ask about everything; whether everything known was found. No answer is wrong."""
        codes = [*self.known, *self.unknown]
        status, answer = self.hub.call("POST", "/v1/match", question(*codes), key=self.hub.keys[1])
        assert status == 200, (status, answer)
        told = json.loads(answer)
        assert told["complete"] is True
        found = [one["answer"] for one in told["answers"]]
        for code, said in zip(codes, found, strict=True):
            position = self.known.get(code)
            if position is None or position > told["index"]["position"]:
                assert said == "none"
            else:
                assert said == "hit"
        return found.count("hit") == len(self.known)

    def lives(self):
        """Contribute and ask; all that was contributed is found in the end."""
        for number in range(LOOKUPS):
            if number % 10 == 0:
                self.contribute()
            self.ask()
        eventually(self.ask)


@pytest.fixture(params=[Lost, FailedOver])
def redis(request, tmp_path):
    made = request.param(tmp_path)
    with made.servers:
        yield made


def test_a_server_is_lost_under_a_whole_hub(redis, tmp_path):
    url = redis.servers.url
    with Up(tmp_path, REDIS_URL=url) as hub:
        # Given a hub that answers, all of which is in Redis,
        hub.start()
        eventually(lambda: all_ready(hub), hub.last_words)
        town = Town(hub)
        town.lives()
        eventually(lambda: agrees(hub))
        assert hub.named("valkey") == []

        # when a server is lost,
        redis.lose(instance(hub))

        # then it goes on, also when it is started anew,
        town.lives()
        for process in hub.named("answering"):
            hub.kill(process)
        eventually(lambda: all_ready(hub), hub.last_words)
        town.lives()

        # and in the end Redis holds what the database says.
        redis.mend()
        town.lives()
        eventually(lambda: agrees(hub))
        assert command(hub, "erase", town.ids[0], "--yes").returncode == 0
        del town.known[next(iter(town.known))]
        eventually(town.ask)
        assert command(hub, "index", "rebuild").returncode == 0
        eventually(lambda: agrees(hub))
        assert doctor(hub)["redis"] in {"ok", "warning"}
        assert doctor(hub)["clock"] == "ok"


def all_ready(hub):
    """Whether both processes that answer are in step: each call comes to one of them."""
    return len(hub.named("answering")) == 2 and all(in_step(hub) for _ in range(CALLS))


def in_step(hub):
    """Whether whoever answers has loaded, and has asked the truth since."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        status, answer = hub.call("GET", "/v1/status", key=hub.keys[1])
        return status == 200 and json.loads(answer)["complete"]
    return False


def agrees(hub):
    return command(hub, "index", "verify", "--samples", "5").returncode == 0


def doctor(hub):
    told = json.loads(command(hub, "doctor", "--json").stdout)
    return {one["check"]: one["verdict"] for one in told}


def instance(hub):
    """The name of this hub's keys in Redis."""
    with sqlite3.connect(hub.database) as connection:
        return connection.execute("SELECT instance FROM head").fetchone()[0]


def command(hub, *words):
    return subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", "hub.cli", *words],
        cwd=ROOT,
        env={
            **os.environ,
            "BREAKWATER_DATA": str(hub.data),
            "NUMBA_CACHE_DIR": str(NUMBA),
            "REDIS_URL": hub.own["REDIS_URL"],
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
