# SPDX-License-Identifier: Apache-2.0
"""A follower is never wrong, never stuck, and tells the truth about what it knows."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from matching.batches import Batch
from matching.engine import Engine
from matching.errors import StoreUnavailableError
from matching.following import Follower
from matching.freshness import FRESH_SECONDS, Why
from matching.ports import EntryId, Head, Snapshot, Total
from matching.signals import PDQ
from matching.stores.memory import MemoryStore
from tests.fakes.changes import FakeFeed, plain
from tests.simulators.relay import Relay


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


class FrailStore(MemoryStore):
    """A store that can be away, be set back, and whose stream can be tampered with."""

    away = False
    while_reading = staticmethod(lambda: None)

    def read(self, after, block_ms):
        self._answer()
        entries = super().read(after, block_ms)
        self.while_reading()
        return entries

    def pointer(self):
        self._answer()
        return super().pointer()

    def last(self):
        self._answer()
        return super().last()

    def lose(self, position):
        """Lose the change at a position from the stream."""
        del self._contents.stream[EntryId(position, 0)]

    def damage(self, position):
        """Make an entry unreadable."""
        self._put(position, timeline="", change=None)

    def falsify(self, position, wrong):
        """Replace fields of the change at a position."""
        change = self._contents.stream[EntryId(position, 0)].change
        assert change is not None
        self._put(position, change=replace(change, **wrong))

    def flush(self):
        self._contents = type(self._contents)()

    def copy(self):
        """Return what is held now, for `set_back`."""
        return replace(self._contents, stream=dict(self._contents.stream))

    def set_back(self, copy):
        self._contents = copy

    def _put(self, position, **fields):
        stream, place = self._contents.stream, EntryId(position, 0)
        stream[place] = replace(stream[place], **fields)

    def _answer(self):
        if self.away:
            raise StoreUnavailableError("away")


class Sight:
    """How the follower sees the truth: it may be away for it alone; questions are counted."""

    def __init__(self, feed):
        self.feed, self.away, self.asked = feed, False, 0

    def head(self):
        return self._seen().head()

    def after(self, position, limit):
        return self._seen().after(position, limit)

    def snapshot(self):
        return self._seen().snapshot()

    def _seen(self):
        self.asked += 1
        if self.away:
            raise OSError
        return self.feed


class World:
    """A truth, a store, a relay, an engine that follows, and a clock."""

    def __init__(self):
        self.clock, self.feed, self.store = Clock(), FakeFeed(), FrailStore()
        self.relay, self.sight, self.engine = (
            Relay(self.feed, self.store),
            Sight(self.feed),
            Engine(),
        )
        self.told, self.reloads, self.listener = [], 0, lambda _changes: None
        self.warned: list[tuple[int, int]] = []
        self.follower = Follower(
            self.engine,
            self.store,
            self.sight,
            self.clock,
            self.tell,
            before_changes=self.warn,
            on_reload=self.reloaded,
        )

    def warn(self, changes):
        self.warned += [(change.position, self.engine.position) for change in changes]

    def tell(self, changes):
        self.listener(changes)
        self.told += [change.position for change in changes]

    def reloaded(self):
        self.listener(None)
        self.reloads += 1

    def restore(self, feed):
        """Put another truth in place of the present one."""
        self.feed = self.sight.feed = feed
        self.relay = Relay(feed, self.store)

    def add(self, count=1):
        """Commit as many new indicators and return the last one's code."""
        code = b""
        for _ in range(count):
            position = len(self.feed.changes) + 1
            code = position.to_bytes(32, "little")
            self.feed.change(position, 2, (plain("pdq", code),))
        return code

    def forget(self, count):
        """Let the truth lose its last changes."""
        for change in self.feed.changes[-count:]:
            del self.feed.rows[change.indicator]
        del self.feed.changes[-count:]

    def step(self, times=1, seconds=0.0):
        for _ in range(times):
            self.clock.now += seconds
            self.follower.step(0)

    @property
    def fresh(self):
        return self.follower.freshness()

    def finds(self, code):
        batch = Batch.parse(PDQ, [code.hex()])
        return self.engine.search(
            batch, np.ones(9, np.bool_), radius={"pdq": 0}
        ).indicator.tolist()

    def is_right(self):
        """Whether the engine holds just what the truth holds now, and says so."""
        fresh = self.fresh
        at_head = fresh.position == fresh.head == len(self.feed.changes)
        return at_head and fresh.complete and self.engine.totals == self.feed.totals()


@pytest.fixture
def world():
    return World()


@pytest.fixture
def followed(world):
    """A world with five changes, a relay that carried them, and a follower that is up to date."""
    world.add(5)
    world.relay.turn()
    world.step(2, 0.2)
    assert world.is_right()
    return world


def test_nothing_is_complete_before_the_first_load(world):
    world.sight.away = True
    world.step()

    assert (world.fresh.complete, world.fresh.why) == (False, Why.LOADING)
    assert world.fresh.lag_ms is None


def test_an_empty_truth_is_complete_knowledge_of_nothing(world):
    world.step()

    assert world.fresh.complete
    assert (world.fresh.position, world.fresh.head) == (0, 0)


def test_without_a_store_the_truth_is_enough(world):
    world.store.away = True
    code = world.add(3)

    world.step()

    assert world.is_right()
    assert world.finds(code) == [3]
    assert world.reloads == 1


def test_the_first_load_takes_the_checkpoint_and_the_stream_after_it(world):
    world.add(3)
    world.relay.turn()
    world.add(4)
    world.relay.turn()
    world.feed.snapshot = None  # it would fail if it were asked for

    world.step(2, 0.2)
    del world.feed.snapshot

    assert world.is_right()
    assert world.told == [4, 5, 6, 7]


def test_a_checkpoint_is_not_claimed_complete_before_the_truth_was_seen(world):
    world.add(3)
    world.relay.turn()
    world.sight.away = True

    world.step(5, 0.2)

    assert world.engine.position == 3
    assert (world.fresh.complete, world.fresh.why) == (False, Why.STALE)


def test_beats_alone_keep_it_complete_while_the_truth_is_out_of_our_sight(followed):
    for _ in range(20):
        followed.relay.turn()
        followed.sight.away = True
        followed.step(2, 0.5)
        followed.sight.away = False

    assert followed.fresh.complete
    assert followed.fresh.lag_ms < 2_000


def test_an_old_timelines_checkpoint_is_never_loaded_while_the_truth_says_otherwise(world):
    world.add(5)
    world.relay.turn()
    world.restore(FakeFeed("restored"))
    world.add(2)

    world.step()

    assert world.engine.timeline == "restored"
    assert world.is_right()


def test_a_checkpoint_ahead_of_the_truth_is_never_loaded(world):
    world.add(5)
    world.relay.turn()
    world.forget(2)

    world.step()

    assert world.engine.position == 3
    assert world.is_right()


def test_changes_arrive_through_the_stream_without_asking_the_truth(followed):
    code = followed.add()
    followed.relay.turn()
    asked = followed.sight.asked

    followed.step()

    assert followed.finds(code) == [6]
    assert followed.sight.asked == asked
    assert followed.told[-1] == 6


def test_after_half_a_second_of_silence_the_truth_is_read(followed):
    code = followed.add()
    followed.step(1, 0.4)
    assert followed.finds(code) == []

    followed.step(1, 0.2)

    assert followed.finds(code) == [6]
    assert followed.is_right()


def test_a_gap_sends_it_to_the_truth_at_once(followed):
    followed.add(3)
    followed.relay.turn(beat=False)
    followed.store.lose(7)

    followed.step(1, 0.15)

    assert followed.engine.position == 8
    assert followed.is_right()


def test_a_beat_beyond_us_sends_it_to_the_truth_at_once(followed):
    followed.add(3)
    followed.relay.turn()
    for position in (6, 7, 8):
        followed.store.lose(position)

    followed.step(1, 0.15)

    assert followed.engine.position == 8
    assert followed.is_right()


def test_a_beat_beyond_us_is_no_evidence_but_shows_how_far_we_are_behind(followed):
    followed.sight.away = True
    for _ in range(12):
        position = len(followed.feed.changes) + 1
        followed.add()
        followed.relay.turn()
        followed.store.lose(position)
        followed.step(1, 0.5)

    fresh = followed.fresh
    assert (fresh.complete, fresh.why) == (False, Why.STALE)
    assert (fresh.position, fresh.head) == (5, 17)


def test_a_stream_that_never_mentions_the_head_is_not_relied_on_for_long(followed):
    for _ in range(30):
        followed.add()
        followed.relay.turn(beat=False)
        followed.step(1, 0.3)
        assert followed.fresh.complete

    assert followed.sight.asked < 15


def test_a_stream_trimmed_past_us_is_a_gap(followed):
    followed.add(10)
    followed.relay.turn()
    followed.store.trim(12)

    followed.step(1, 0.15)

    assert followed.engine.position == 15
    assert followed.is_right()


def test_a_damaged_entry_is_read_from_the_truth(followed):
    followed.add(2)
    followed.relay.turn()
    followed.store.damage(6)

    followed.step(1, 0.15)

    assert followed.engine.position == 7
    assert followed.is_right()


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": 5},
        {"indicator": 99},
        {"rows": (plain("pdq", bytes(32)),)},
        {"rows": ()},
        {"totals": {"pdq": Total(0, 0)}},
        {"rows": (replace(plain("pdq", bytes(32)), derivations=b""),)},
    ],
    ids=str,
)
def test_a_wrong_change_in_the_stream_is_taken_from_the_truth_instead(followed, wrong):
    followed.add(2)
    followed.relay.turn()
    followed.store.falsify(6, wrong)

    followed.step(1, 0.15)

    assert followed.is_right()
    assert followed.reloads == 1


def test_an_engine_that_differs_from_the_truth_is_thrown_away(followed):
    rotten(followed.engine.state.tables["pdq"].pieces[0].segment.tags)
    followed.feed.change(5, 4)  # touches the rotten row

    followed.step(1, 0.6)
    assert not followed.fresh.complete
    followed.step()

    assert followed.is_right()
    assert followed.reloads == 2


def test_a_feed_whose_totals_lie_never_makes_it_complete_and_never_spins(followed):
    followed.feed.totals = lambda: {"pdq": Total(1, 1)}
    followed.add()

    loads = followed.sight.asked
    followed.step(50, 0.1)

    assert (followed.fresh.complete, followed.fresh.why) == (False, Why.REBUILDING)
    assert followed.sight.asked - loads < 15


def test_redis_away_for_a_minute_costs_nothing(followed):
    followed.store.away = True
    for _ in range(60):
        code = followed.add()
        followed.step(5, 0.2)
        assert followed.is_right()
        assert followed.finds(code)
    followed.store.away = False
    followed.relay.turn()
    asked = followed.sight.asked
    code = followed.add()
    followed.relay.turn()
    followed.step(1, 0.05)

    assert followed.finds(code)
    assert followed.sight.asked == asked
    assert followed.reloads == 1


def test_the_truth_away_shows_after_five_seconds_and_heals(followed):
    followed.sight.away = True
    followed.step(10, (FRESH_SECONDS - 1) / 10)
    assert followed.fresh.complete

    followed.step(10, 0.2)
    assert (followed.fresh.complete, followed.fresh.why) == (False, Why.STALE)
    assert followed.engine.position == 5

    followed.sight.away = False
    code = followed.add()
    followed.step(1, 0.2)
    assert followed.is_right()
    assert followed.finds(code)


def test_evidence_ages_even_if_nobody_steps(followed):
    followed.clock.now += FRESH_SECONDS

    assert (followed.fresh.complete, followed.fresh.why) == (False, Why.STALE)


def test_beats_of_a_relay_that_lost_the_truth_do_not_come(followed):
    followed.sight.away = True
    for _ in range(12):
        followed.step(1, 0.5)

    assert followed.fresh.lag_ms >= FRESH_SECONDS * 1000


def test_an_old_beat_read_late_is_no_evidence_of_now(followed):
    followed.relay.turn()
    followed.sight.away = True
    # The process is stopped for a minute, while a change is committed that nobody relays.
    followed.clock.now += 60
    followed.add()

    followed.step()

    assert not followed.fresh.complete


def test_an_old_beat_behind_a_long_backlog_is_no_evidence_of_now(followed, monkeypatch):
    for module in ("following", "stores.memory"):
        monkeypatch.setattr(f"matching.{module}.READ_LIMIT", 4)
    followed.add(6)
    followed.relay.turn()
    followed.sight.away = True
    followed.clock.now += 60

    followed.step(3, 0.1)

    assert (followed.fresh.position, followed.fresh.head) == (11, 11)
    assert not followed.fresh.complete


def test_a_beat_counts_from_before_the_reader_looked_for_it(followed):
    def tarry():
        followed.clock.now += 3

    followed.store.while_reading = tarry
    followed.sight.away = True
    followed.step(1, 0.1)
    del followed.store.while_reading
    followed.relay.turn()

    followed.step()

    assert followed.fresh.lag_ms == 3_000


def test_beats_of_a_backlog_are_no_evidence_after_a_load(world):
    world.add(3)
    world.relay.turn()
    world.sight.away = True

    world.step(1, 600)
    world.step(1, 0.1)

    assert world.engine.position == 3
    assert not world.fresh.complete


def test_a_flushed_store_is_noticed_and_followed_again(followed):
    followed.store.flush()
    code = followed.add()
    followed.step(1, 0.6)
    assert followed.is_right()
    assert followed.finds(code)

    followed.relay.turn()
    followed.step(1, 0.1)
    asked = followed.sight.asked
    code = followed.add()
    followed.relay.turn()
    followed.step(1, 0.05)

    assert followed.finds(code)
    assert followed.sight.asked - asked <= 1  # the new epoch may cost one question


def test_a_store_set_back_to_an_older_copy_never_sets_us_back(followed):
    old = followed.store.copy()
    for _ in range(5):
        followed.add(2)
        followed.relay.turn()
        followed.step(1, 0.2)
    followed.store.set_back(old)

    followed.step(1, 0.6)
    assert (followed.engine.position, followed.is_right()) == (15, True)

    followed.relay.turn()
    followed.step(1, 0.2)
    code = followed.add()
    followed.relay.turn()
    asked = followed.sight.asked
    followed.step(1, 0.05)
    assert followed.finds(code)
    assert followed.sight.asked == asked
    assert followed.is_right()


def test_beats_are_heard_again_in_a_store_that_was_set_back(followed):
    old = followed.store.copy()
    for _ in range(30):
        followed.relay.turn()
        followed.step(1, 0.2)
    followed.store.set_back(old)
    followed.step(3, 0.3)
    asked = followed.sight.asked

    for _ in range(10):
        followed.store.beat(Head("t", 5))
        followed.step(1, 0.4)

    assert followed.fresh.complete
    assert followed.sight.asked - asked <= 3


def test_a_new_epoch_is_settled_with_the_truth(followed):
    for epochs in (0, 1):
        followed.relay.turn()
        followed.step(1, 0.2)
        asked = followed.sight.asked
        followed.store.write(followed.feed.snapshot(), new_epoch=bool(epochs))
        followed.add()
        followed.relay.turn()

        followed.step(1, 0.2)

        assert followed.sight.asked - asked == epochs
        assert followed.is_right()


def test_a_foreign_stream_is_never_applied(followed):
    other = FakeFeed("other")
    for number in range(1, 9):
        other.change(number, 2, (plain("pdq", bytes([number] * 32)),))
    followed.store.write(other.snapshot())
    other.change(9, 2, (plain("pdq", b"\x09" * 32),))
    Relay(other, followed.store).turn()

    followed.step(6, 0.2)
    assert (followed.engine.timeline, followed.engine.position) == ("t", 5)
    assert followed.is_right()
    assert followed.finds(b"\x09" * 32) == []

    code = followed.add()
    followed.relay.turn()
    followed.step(4, 0.2)
    assert followed.finds(code) == [6]
    assert followed.is_right()


@pytest.mark.parametrize("length", [2, 5, 9])
def test_a_restored_truth_is_another_timeline_and_is_loaded(followed, length):
    followed.restore(FakeFeed("restored"))
    code = followed.add(length)

    followed.step(2, 0.6)

    assert (followed.engine.timeline, followed.engine.position) == ("restored", length)
    assert followed.is_right()
    assert followed.finds(code)
    followed.relay.turn()
    code = followed.add()
    followed.relay.turn()
    followed.step(2, 0.2)
    assert followed.finds(code)


def test_a_truth_that_went_back_in_its_own_timeline_is_loaded_again(followed):
    followed.forget(2)

    followed.step(2, 0.6)

    assert (followed.fresh.position, followed.fresh.head) == (3, 3)
    assert followed.is_right()


def test_a_change_that_cannot_be_packed_any_more_means_a_full_load(followed):
    followed.add(2)
    followed.feed.changes[5] = replace(followed.feed.changes[5], rows=None, totals={}, resync=True)
    followed.relay.turn()

    followed.step(1, 0.2)
    assert followed.fresh.complete  # old, but known to be right a moment ago
    followed.step(1, 0.2)

    assert followed.engine.position == 7
    assert followed.reloads == 2
    assert followed.is_right()


def test_changes_that_the_truth_no_longer_has_mean_a_full_load(followed):
    followed.add(10)
    followed.feed.kept_from = 12

    followed.step(3, 0.6)

    assert followed.engine.position == 15
    assert followed.reloads == 2
    assert followed.is_right()


def test_a_truth_that_keeps_its_changes_back_is_not_waited_for(followed):
    followed.add(3)
    followed.feed.after = lambda _position, _limit: []

    followed.step(2, 0.6)

    assert followed.reloads == 2
    assert followed.is_right()


def test_a_store_that_goes_away_between_two_questions_does_no_harm(followed):
    def away():
        raise StoreUnavailableError("away")

    followed.store.last = away
    followed.add()

    followed.step(1, 0.6)

    assert followed.is_right()


def test_a_failing_control_means_a_full_load(followed):
    rotten(followed.engine.state.tables["sha256"].pieces[0].segment.codes[0])

    followed.store.beat(Head("t", 5))
    followed.step(1, 61)
    assert (followed.fresh.complete, followed.fresh.why) == (False, Why.CONTROLS)
    followed.step(1, 0.1)

    assert followed.reloads == 2
    assert followed.is_right()


def test_a_truth_without_controls_is_never_complete(world):
    world.restore(FakeFeed(controls=False))
    world.add(2)

    world.step(20, 0.2)

    assert not world.fresh.complete


def test_a_listener_that_fails_is_told_to_load_anew(followed):
    def fail(changes):
        if changes:
            raise ZeroDivisionError

    followed.listener = fail
    followed.add()
    followed.relay.turn()

    followed.step(1, 0.1)
    assert not followed.fresh.complete
    followed.step(1, 0.1)

    assert followed.reloads == 2
    assert followed.is_right()


def test_a_listener_that_cannot_load_keeps_us_incomplete(world):
    def fail(_changes):
        raise ZeroDivisionError

    world.listener = fail
    world.step(10, 0.5)

    assert not world.fresh.complete


def test_a_listener_hears_of_changes_after_the_engine_holds_them(followed):
    seen = []
    followed.listener = lambda changes: seen.append(
        (changes[-1].position, followed.engine.position)
    )
    followed.add(3)
    followed.relay.turn()
    followed.step(1, 0.1)

    assert seen == [(8, 8)]


def test_whoever_makes_masks_hears_of_changes_before_the_engine_holds_them(followed):
    followed.add(3)
    followed.relay.turn()
    followed.step(1, 0.1)
    followed.add(2)
    followed.step(1, 0.6)

    assert followed.warned == [(6, 5), (7, 5), (8, 5), (9, 8), (10, 8)]


def test_whoever_makes_masks_hears_of_a_reload_before_the_new_rows_are_searched(followed):
    heard = []
    followed.listener = lambda changes: heard.append((changes, followed.engine.timeline))
    followed.restore(FakeFeed("restored"))

    followed.step(2, 0.6)

    assert heard == [(None, "t")]
    assert followed.engine.timeline == "restored"


def test_a_follower_far_behind_is_not_complete_until_it_arrives(followed, monkeypatch):
    monkeypatch.setattr("matching.following.PAGE", 7)
    positions = []
    followed.listener = lambda _changes: positions.append(
        (followed.engine.position, followed.fresh.lag_ms)
    )
    followed.add(40)

    followed.step(1, 4.5)

    assert [position for position, _ in positions] == [12, 19, 26, 33, 40, 45]
    assert {lag for _, lag in positions} == {positions[0][1]}
    assert positions[0][1] >= 4_500
    assert followed.is_right()


def test_a_head_is_as_old_as_the_question_not_as_the_answer(followed):
    def late(position, limit):
        followed.clock.now += 3
        return followed.feed.changes[position : position + limit]

    followed.add()
    followed.sight.after = late

    followed.step(1, 0.6)

    assert followed.fresh.lag_ms == 3_000


def test_waiting_for_a_position_ends_when_it_arrives(followed):
    followed.add()
    followed.relay.turn()
    answers = []
    waiter = threading.Thread(target=lambda: answers.append(followed.follower.wait_for(6, 30)))
    waiter.start()

    followed.step(1, 0.1)
    waiter.join(30)

    assert answers == [True]
    assert not followed.follower.wait_for(7, 0.01)


@pytest.mark.parametrize("away", [False, True])
def test_run_follows_until_it_is_stopped(away):
    feed, store, engine = FakeFeed(), FrailStore(), Engine()
    store.away = away
    follower = Follower(engine, store, feed)
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    feed.change(1, 2, (plain("pdq", bytes(32)),))

    arrived = follower.wait_for(1, 30)
    stop.set()
    thread.join(30)

    assert arrived
    assert not thread.is_alive()
    assert follower.freshness().complete


def test_a_snapshot_that_breaks_off_leaves_what_was_there(followed):
    def broken():
        yield from followed.feed.chunks()[:3]
        raise OSError

    snapshot = followed.feed.snapshot
    followed.feed.snapshot = lambda: Snapshot(snapshot().head, {}, broken())
    followed.feed.kept_from = 12
    followed.add(10)
    followed.step(5, 0.3)
    assert followed.engine.position == 5
    assert not followed.fresh.complete

    followed.feed.snapshot = snapshot
    followed.step(5, 10)
    assert followed.is_right()


def rotten(held):
    """Turn a bit of what an engine holds and never writes to."""
    held.flags.writeable = True
    held[-1] ^= held.dtype.type(1)
