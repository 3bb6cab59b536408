# SPDX-License-Identifier: Apache-2.0
"""``kill -9`` of all of PostgreSQL under writing load: nothing acknowledged is lost.

A commit whose outcome nobody saw is not a failure to repair: the member repeats its request under
the same name and is told what became of it.
"""

import itertools
import os
import threading
from collections import Counter

import pytest

from tests.faults.contributions import Pictures, contribution
from tests.faults.test_many_writers import Crowd, positions
from tests.faults.wholeness import flaws
from tests.support.databases import PostgresDatabases
from tests.support.postgres import NoPostgresError, Postgres
from tests.support.waiting import eventually

KILLS = int(os.environ.get("BREAKWATER_TEST_PG_KILLS", "5"))
WRITERS = 4
ACKS_BETWEEN = 12
# As in earnest, where it matters to a process that is killed: a commit waits until its log is
# written. That it is synced too shows only when the power fails, and costs seconds at each start.
OPTIONS = ("synchronous_commit=on", "fsync=off", "full_page_writes=on", "max_connections=100")
pytestmark = pytest.mark.services


@pytest.fixture
def server():
    try:
        server = Postgres(None, OPTIONS)
    except NoPostgresError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture
def database_url(server, tmp_path):
    return PostgresDatabases(server).fresh(tmp_path)


class Writer:
    """A member that repeats each request under its name until it is acknowledged."""

    def __init__(self, caller, shared, stop):
        self.caller, self.shared, self.stop = caller, shared, stop
        self.acknowledged: dict[tuple[str, int], int] = {}
        self.statuses: Counter[int] = Counter()

    def run(self):
        pictures = Pictures(self.caller.operator)
        for turn in itertools.count():
            body, once = contribution(pictures.code(), self.shared), f"turn-{turn}"
            while not self.stop.is_set():
                answer = self.caller.post("/v1/indicators", body, once=once, settle=False)
                self.statuses[answer.status_code] += 1
                if answer.status_code == 201:
                    self.acknowledged[answer.json["id"], 1] = answer.json["position"]
                    break
                self.stop.wait(0.02)
            if self.stop.is_set():
                return


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_all_of_postgresql_is_killed(house, server):
    # Given members that write without pause,
    shared, stop, crowd = house.set("lures"), threading.Event(), Crowd()
    writers = [
        Writer(house.admit(f"w{n}.example.com", sets=[shared]), shared, stop)
        for n in range(WRITERS)
    ]
    for writer in writers:
        crowd.add(writer.run)
    writing = threading.Thread(target=crowd.run)
    writing.start()

    # when the whole database server is killed and started again, time after time,
    try:
        for _ in range(KILLS):
            _await_acks(writers)
            server.kill()
            server.start_again()
        _await_acks(writers)
    finally:
        stop.set()
        writing.join()
    assert crowd.failures == []

    # then members met nothing worse than "try again",
    statuses = sum((writer.statuses for writer in writers), Counter())
    assert statuses.keys() <= {201, 409, 503}, statuses

    # and what was acknowledged is there, at its position, and nothing is half there.
    with house.database.reader.connect() as connection, connection.begin():
        assert flaws(connection) == []
        kept = positions(connection)
    for writer in writers:
        assert writer.acknowledged.items() <= kept.items()


def _await_acks(writers):
    """Wait for some more acknowledgements: what is killed must be at work."""
    wanted = sum(len(writer.acknowledged) for writer in writers) + ACKS_BETWEEN
    eventually(
        lambda: sum(len(writer.acknowledged) for writer in writers) >= wanted,
        lambda: f"no acknowledgements come: {[writer.statuses for writer in writers]}",
    )
