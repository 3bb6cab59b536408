# SPDX-License-Identifier: Apache-2.0
"""Eight writers and two relays on PostgreSQL: positions without a gap, each change carried once.

A reader that asks for what is beyond the last position it saw must miss nothing, whoever commits
when; and two relays that know nothing of one another must write one stream.
"""

import threading
import time

import pytest
import sqlalchemy as sa

from hub.services.relay import Relay
from hub.storage import tables
from hub.storage.feed import SqlFeed
from matching.errors import UnavailableError
from matching.ports import Change, EntryId
from matching.stores.redis import RedisStore, connect
from tests.faults.contributions import Pictures, contribution
from tests.faults.wholeness import flaws

WRITERS, TURNS = 8, 25
pytestmark = pytest.mark.services


@pytest.fixture
def databases(postgres_databases):
    return postgres_databases


class Crowd:
    """Threads that begin together, and tell what went wrong in any of them."""

    def __init__(self):
        self.failures = []
        self._threads = []

    def add(self, work, *args):
        self._threads.append(threading.Thread(target=self._run, args=(work, *args)))

    def run(self):
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        assert self.failures == []

    def _run(self, work, *args):
        try:
            work(*args)
        except Exception as error:  # noqa: BLE001  # told by run
            self.failures.append(repr(error))


def test_positions_are_dense_and_every_change_is_in_the_stream_once(house, valkey_url):
    # Given eight writers of four operators, two relays, and a reader that follows by position,
    shared = house.set("lures")
    callers = [house.admit(f"w{n}.example.com", sets=[shared]) for n in range(WRITERS)]
    first = house.hub.feed.head().position
    seen: list[Change] = []
    acknowledged: list[tuple[tuple[str, int], int]] = []
    writing = threading.Event()
    writing.set()
    instance = _instance(house)
    relays = [Relay(house.hub.feed, _store(valkey_url, instance)) for _ in range(2)]
    crowd, readers = Crowd(), Crowd()
    for number, caller in enumerate(callers):
        crowd.add(_write, caller, shared, number, acknowledged)
    for relay in relays:
        readers.add(_carry, relay, writing)
    readers.add(_follow, house.hub.feed, first, seen, writing)

    # when all of them work at the same time,
    background = threading.Thread(target=readers.run)
    background.start()
    try:
        crowd.run()
    finally:
        writing.clear()
        background.join()
    assert readers.failures == []

    # then the history is whole, dense, and holds what was acknowledged where it was said to be,
    with house.database.reader.connect() as connection, connection.begin():
        assert flaws(connection) == []
        kept = positions(connection)
    assert len(acknowledged) == WRITERS * TURNS * 2
    assert dict(acknowledged).items() <= kept.items()

    # the reader has seen every position once and in order,
    head = house.hub.feed.head().position
    assert [change.position for change in seen] == list(range(first + 1, head + 1))

    # and so does the stream hold them, each as the truth packs it.
    relays[0].step(time.monotonic())
    entries = _entries(_store(valkey_url, instance))
    carried = [entry.change for entry in entries if entry.change is not None]
    begin = carried[0].position
    assert begin <= first + 1
    assert [change.position for change in carried] == list(range(begin, head + 1))
    truth = house.hub.feed.after(begin - 1, 10_000)
    assert carried == list(truth)


def _write(caller, shared, number, acknowledged):
    pictures = Pictures(number)
    for _ in range(TURNS):
        answer = caller.post("/v1/indicators", contribution(pictures.code(), shared), settle=False)
        assert answer.status_code == 201, answer.json
        id_ = answer.json["id"]
        acknowledged.append(((id_, 1), answer.json["position"]))
        answer = caller.post(f"/v1/indicators/{id_}/withdraw", {}, settle=False)
        assert answer.status_code == 201, answer.json
        acknowledged.append(((id_, 2), answer.json["position"]))


def _carry(relay, writing):
    while writing.is_set():
        try:
            relay.step(time.monotonic())
        except UnavailableError:
            continue


def _follow(feed, position, seen, writing):
    while True:
        is_last = not writing.is_set()
        changes = SqlFeed.after(feed, position, 500)
        if changes:
            seen += changes
            position = changes[-1].position
        elif is_last:
            return


def _instance(house):
    with house.hub.begin.reading() as work:
        return work.history.instance()


def _store(url, instance):
    return RedisStore(connect(url, wait_seconds=1.0), instance)


def _entries(store):
    entries, after = [], EntryId(0, 0)
    while some := store.read(after, 1):
        entries += some
        after = some[-1].id
    return entries


def positions(connection):
    indicator, change = tables.indicator, tables.change
    rows = connection.execute(
        sa.select(indicator.c.id, change.c.n, change.c.position)
        .join(change, change.c.subject == indicator.c.key)
        .where(change.c.kind == "indicator")
    )
    return {(row.id, row.n): row.position for row in rows}
