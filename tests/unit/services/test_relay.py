# SPDX-License-Identifier: Apache-2.0
"""Relays carry the truth into the shared copy; two of them do no harm."""

import pytest

from hub.services.relay import Relay
from matching.ports import EntryId
from matching.stores.memory import MemoryStore
from tests.fakes.changes import FakeFeed, plain


class Interrupted(FakeFeed):
    """A feed that lets something happen right after its head was read."""

    def __init__(self):
        super().__init__()
        self.then = lambda: None

    def head(self):
        head = super().head()
        then, self.then = self.then, lambda: None
        then()
        return head


@pytest.fixture
def feed():
    return Interrupted()


def add(feed):
    number = len(feed.changes) + 1
    feed.change(number, 2, (plain("pdq", bytes([number] * 32)),))


def pointer(store):
    there = store.pointer()
    assert there is not None
    return there


def test_a_relay_that_another_overtakes_begins_no_new_life(feed):
    store = MemoryStore()
    slow, quick = Relay(feed, store), Relay(feed, store)
    add(feed)
    slow.step(0.0)
    epoch = pointer(store).epoch

    def overtake():
        add(feed)
        quick.step(1.0)

    for now in (2.0, 3.0, 4.0):
        feed.then = overtake
        slow.step(now)

    assert pointer(store).epoch == epoch
    changes = [entry.id for entry in store.read(EntryId(0, 0), 0) if entry.change]
    assert changes == [(position, 0) for position in (2, 3, 4)]


def test_a_stream_that_knows_more_than_the_truth_is_written_anew(feed):
    store = MemoryStore()
    relay = Relay(feed, store)
    for _ in range(5):
        add(feed)
    relay.step(0.0)
    add(feed)
    relay.step(1.0)
    epoch = pointer(store).epoch
    for change in feed.changes[3:]:
        del feed.rows[change.indicator]
    del feed.changes[3:]

    relay.step(2.0)
    relay.step(3.0)

    assert pointer(store).epoch != epoch
    assert pointer(store).position == 3
    assert [entry.id.position for entry in store.read(EntryId(0, 0), 0)] == [3]
