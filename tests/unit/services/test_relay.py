# SPDX-License-Identifier: Apache-2.0
"""Relays carry the truth into the shared copy; two of them do no harm."""

from dataclasses import replace

import pytest

from hub.services.relay import AGAIN_SECONDS, Relay
from matching.errors import StoreUnavailableError
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


class FrailStore(MemoryStore):
    """A store that may be full, be partly lost, and be set back."""

    full = lost = False

    def ready(self):
        if self.lost:
            raise StoreUnavailableError("lost")

    def write(self, snapshot, *, new_epoch=False):
        if self.full:
            raise StoreUnavailableError("full")
        return super().write(snapshot, new_epoch=new_epoch)

    def lose_a_chunk(self):
        self._contents.chunks.popitem()

    def copy(self):
        return replace(self._contents, stream=dict(self._contents.stream))

    def set_back(self, copy):
        self._contents = copy


class Snapshots(Interrupted):
    """A feed that counts how often everything was read."""

    snapshots = 0

    def snapshot(self):
        self.snapshots += 1
        return super().snapshot()


class Tended(Relay):
    """A relay whose time passes when told to."""

    now = 0.0


@pytest.fixture
def tended():
    """A relay, its store and its feed, with a checkpoint and a stream after it."""
    feed = Snapshots()
    relay = Tended(feed, FrailStore(), clock=lambda: relay.now)
    add(feed)
    relay.step(0.0)
    add(feed)
    relay.step(1.0)
    feed.snapshots = 0
    return relay


def test_a_whole_and_young_checkpoint_is_left_alone(tended):
    assert tended.tend()

    assert tended.feed.snapshots == 0


def test_a_checkpoint_that_misses_a_chunk_is_written_anew(tended):
    before = pointer(tended.store)
    tended.store.lose_a_chunk()

    assert tended.tend()

    now = pointer(tended.store)
    assert tended.store.renew(now)
    assert (now.epoch, now.position) == (before.epoch, 2)


def test_a_long_stream_is_due_for_a_checkpoint(tended, monkeypatch):
    monkeypatch.setattr("hub.services.relay.STREAM_LEAST", 1)

    tended.tend()

    assert pointer(tended.store).position == 2


def test_without_any_checkpoint_there_is_nothing_to_tend():
    feed = Snapshots()

    assert not Relay(feed, FrailStore()).tend()

    assert feed.snapshots == 0


def test_the_truth_is_not_read_for_a_checkpoint_that_cannot_be_written(tended):
    tended.store.lose_a_chunk()
    tended.store.lost = True

    for tended.now in range(100):
        with pytest.raises(StoreUnavailableError):
            tended.tend()
    assert tended.feed.snapshots == 0

    tended.store.lost = False
    assert tended.tend()
    assert tended.feed.snapshots == 1


def test_a_checkpoint_that_cannot_be_written_is_tried_ever_more_seldom(tended):
    tended.store.lose_a_chunk()
    tended.store.full = True

    for tended.now in range(100):
        with pytest.raises(StoreUnavailableError):
            tended.tend()
    assert tended.feed.snapshots <= 100 / AGAIN_SECONDS[-1] + len(AGAIN_SECONDS)

    tended.store.full = False
    tended.now += AGAIN_SECONDS[-1]
    assert tended.tend()
    tended.store.lose_a_chunk()
    assert tended.tend(), "it is forgiven"


def test_a_stream_that_was_set_back_is_another_life(tended):
    old, before = tended.store.copy(), pointer(tended.store)
    add(tended.feed)
    tended.step(2.0)
    tended.step(3.0)
    tended.store.set_back(old)

    tended.step(4.0)
    tended.step(5.0)

    now = pointer(tended.store)
    assert now.epoch != before.epoch
    assert now.position == 3


def test_another_relay_that_begins_a_new_life_sets_nothing_back(tended):
    other = Relay(tended.feed, tended.store)
    other.checkpoint(new_epoch=True)
    epoch = pointer(tended.store).epoch

    tended.step(2.0)
    tended.step(3.0)

    assert pointer(tended.store).epoch == epoch
