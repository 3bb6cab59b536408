# SPDX-License-Identifier: Apache-2.0
"""``serve`` and ``worker`` where database and Redis are given; on both kinds of database."""

import contextlib
import json
import signal
import subprocess
import sys

import psutil
import pytest

from hub.cli.exits import Exit
from hub.cli.welcome import contribution, question
from hub.demo.running import free_port
from tests.integration.processes.conftest import ROOT, Running
from tests.integration.processes.test_real_hub import is_hit, request, sent
from tests.support.processes import gone
from tests.support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path, database_url, valkey_url):
    """Where a hub's parts run: a data folder, a database with its schema, a Redis."""
    data = tmp_path / "data"
    data.mkdir()
    return Running(
        data,
        free_port(),
        {"BREAKWATER_DATABASE_URL": database_url, "REDIS_URL": valkey_url},
    )


@contextlib.contextmanager
def part(place, name):
    """One part of a hub, started as a container would start it."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "hub.cli", name],
        cwd=ROOT,
        env=place.settings(),
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_parts_that_are_started_alone_make_a_hub(place):
    made = json.loads(place.command("prepare", "--migrate", "--sandbox").stdout)
    giver, asker = (one["key"] for one in made["operators"])

    with part(place, "serve"), part(place, "worker"):
        eventually(place.answer)
        address = f"http://127.0.0.1:{place.port}"
        status, _ = sent(
            request(f"{address}/v1/indicators", giver, contribution(made["set"]), once="first")
        )
        assert status == 201
        asked = request(f"{address}/v1/match", asker, question())
        eventually(lambda: is_hit(asked))


def test_killed_server_leaves_none_of_its_processes(place):
    with part(place, "serve") as server:
        eventually(place.answer)
        below = psutil.Process(server.pid).children(recursive=True)

        server.kill()

        assert len(below) >= 2
        eventually(lambda: all(gone(process) for process in below))
        eventually(place.refuses)


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_part_that_is_asked_to_end_ends_well(place, name):
    with part(place, name) as process:
        if name == "serve":
            eventually(place.answer)
        else:
            # It has begun to work when it has a Redis connection and threads of its own.
            eventually(lambda: psutil.Process(process.pid).num_threads() > 3)

        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_part_without_a_redis_says_what_to_do(place, name):
    done = place.command(name, REDIS_URL="")

    assert "REDIS_URL" in done.stderr
    assert "breakwater up" in done.stderr
    assert done.returncode == Exit.SETTINGS


def test_database_without_a_schema_is_not_served(place, tmp_path):
    empty = {"BREAKWATER_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}"}

    refused = place.command("serve", **empty)
    checked = place.command("db", "check", "--json", **empty)
    upgraded = place.command("db", "upgrade", **empty)
    checked_again = place.command("db", "check", "--json", **empty)

    assert "db upgrade" in refused.stderr
    assert refused.returncode == Exit.UNAVAILABLE
    assert checked.returncode == Exit.FOUND
    assert json.loads(checked.stdout)["have"] is None
    assert upgraded.returncode == Exit.OK
    assert checked_again.returncode == Exit.OK
    assert json.loads(checked_again.stdout)["differences"] == []


def test_adopted_database_begins_a_new_timeline(place):
    place.command("prepare", "--migrate", "--sandbox")

    first = place.command("restore", "--adopt", "--json")
    second = place.command("restore", "--adopt", "--json")

    before, after = json.loads(first.stdout), json.loads(second.stdout)
    assert before["timeline"] != after["timeline"]
    assert after["position"] == before["position"] + 1


def test_second_preparation_makes_nobody(place):
    place.command("prepare", "--migrate", "--sandbox")

    again = place.command("prepare", "--migrate", "--sandbox")

    assert (again.stdout, again.returncode) == ("null\n", Exit.OK)
