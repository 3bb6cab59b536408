# SPDX-License-Identifier: Apache-2.0
"""The loop that keeps an engine true: stream first, else the truth itself.

Every worker and every replica runs it, in one thread. The stream in the shared copy is quick but
may vanish, stop, or be swapped for an older one; whatever looks odd there is settled by reading
the truth by position. What looks odd in the truth, or a digest that does not agree, means that
the engine is thrown away and loaded again. None of it ever makes an answer wrong: it only makes
`Freshness.complete` false until the engine is known to hold everything again.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from matching.engine import Engine
from matching.errors import (
    FeedUnavailableError,
    GapError,
    MatchingError,
    RebuildError,
    StoreUnavailableError,
    UnavailableError,
)
from matching.freshness import Clock, Evidence, Freshness, Why
from matching.ports import READ_LIMIT, Change, ChangeFeed, CodeStore, Entry, EntryId, Snapshot
from matching.search.table import State

T = TypeVar("T")
log = logging.getLogger(__name__)

SILENCE_SECONDS = 0.5  # without a word from the stream, the truth is read
UNEASY_SECONDS = 2.0  # evidence older than that is not left to the stream to renew
PAUSE_SECONDS = 0.1  # least time between two reads of the truth
CONTROLS_SECONDS = 60.0
LOAD_AGAIN_SECONDS = (0.0, 0.25, 1.0, 4.0, 15.0, 30.0)  # where loading does not help, ever later
FORGIVEN_SECONDS = 60.0  # after so long, the next trouble is a first one
BLOCK_MS = 250
PAGE = 1_000  # changes read from the truth at once
FAR = 100_000  # changes after which the shared copy is sooner loaded than they are followed


class Follower:
    """Keeps an engine at the head of the truth.

    Args:
        engine: loaded and changed by this loop alone.
        store: the shared copy.
        feed: the truth. Any exception of it counts as "away"; it should answer within seconds.
        clock: monotonic seconds.
        on_changes: told of changes after the engine applied them, in order.
        before_changes: told of them before. Who makes masks must know a label before any row
            carries it. What it is told may be told again.
        on_reload: told when everything is loaded anew, instead of each change: after the new
            rows were read and before they are searched. If a callback fails, everything is
            loaded anew, and it is told of that.
    """

    def __init__(
        self,
        engine: Engine,
        store: CodeStore,
        feed: ChangeFeed,
        clock: Clock = time.monotonic,
        on_changes: Callable[[Sequence[Change]], None] = lambda _changes: None,
        *,
        before_changes: Callable[[Sequence[Change]], None] = lambda _changes: None,
        on_reload: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine, self._store, self._feed, self._clock = engine, store, feed, clock
        self._on_changes, self._before_changes = on_changes, before_changes
        self._on_reload = on_reload
        self._evidence = Evidence(engine, clock)
        self._must_load, self._loads, self._load_at = True, 0, clock()
        self._troubled_at = clock() - FORGIVEN_SECONDS
        self._cursor, self._epoch, self._stream_answers = EntryId(0, 0), "", True
        # Whatever the stream shows next was written after that time; None: nobody knows.
        self._written_after: float | None = None
        self._must_ask, self._asked_at, self._heard_at = True, clock() - PAUSE_SECONDS, clock()
        self._checked_at = clock()
        self._waiting_base: State | None = None

    def freshness(self) -> Freshness:
        """Say what an answer given now may claim; any thread may ask."""
        return self._evidence.freshness()

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait until the engine holds a position; tell whether it does.

        Args:
            position: of a change.
            timeout: seconds.
        """
        return self._evidence.wait_for(position, timeout)

    def release(self) -> None:
        """Let nobody wait any more: the process is about to end."""
        self._evidence.release()

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop."""
        while not stop.is_set():
            self.step(BLOCK_MS)
            if self._must_load or not self._stream_answers:
                stop.wait(PAUSE_SECONDS)

    def step(self, block_ms: int) -> None:
        """Take one turn: load if need be, else read the stream, and the truth if need be.

        Waits up to *block_ms* for the stream. Never raises: trouble is told by `freshness`.
        """
        try:
            if not self._must_load:
                self._engine.check()
                self._read_stream(0 if self._may_ask_at_once() else block_ms)
                self._check_controls()
                self._read_truth()
                self._take_newer_base()
            elif self._clock() >= self._load_at:
                self._load()
        except UnavailableError as error:
            log.debug("unavailable: %s", type(error).__name__)
            self._load_at = self._clock() + LOAD_AGAIN_SECONDS[1]
        except (GapError, _ResyncError) as error:
            # What is held is right, only old; the evidence says how old.
            self._load_anew(error, None)
        except _ControlsError as error:
            self._load_anew(error, Why.CONTROLS)
        except Exception as error:  # noqa: BLE001  # whatever it was, the loop must go on
            self._load_anew(error, Why.REBUILDING)

    def _load_anew(self, error: Exception, why: Why | None) -> None:
        log.debug("to be loaded anew: %s", type(error).__name__)
        if why is not None:
            self._evidence.trouble(why)
        now = self._clock()
        forgiven = now - self._troubled_at >= FORGIVEN_SECONDS
        self._loads = 0 if forgiven else min(self._loads + 1, len(LOAD_AGAIN_SECONDS) - 1)
        self._must_load, self._load_at = True, now + LOAD_AGAIN_SECONDS[self._loads]
        self._troubled_at = now

    def _load(self) -> None:
        """Load everything: from this machine or the shared copy the first time, else the truth.

        Only the truth is sure to be no older than what is held already.
        """
        at_head = None
        if self._engine.timeline or not (self._begin_with_base() or self._load_checkpoint()):
            at_head = self._clock()
            self._take_over(_from_feed(self._feed.snapshot))
        if not self._engine.controls_ok():
            raise _ControlsError
        self._evidence.loaded(at_head)
        self._cursor, self._written_after = EntryId(self._engine.position, 0), None
        self._must_load, self._must_ask, self._checked_at = False, True, self._clock()

    def _begin_with_base(self) -> bool:
        """Begin with what this machine's processes have on their shelf."""
        base = self._engine.open()
        if base is None or not self._may_be_ours(base.timeline, base.position, reach=FAR):
            return False
        self._tell(self._on_reload)
        self._engine.begin(base)
        return self._engine.controls_ok()

    def _load_checkpoint(self) -> bool:
        try:
            pointer = self._store.pointer()
            if pointer is None or not self._may_be_ours(pointer.timeline, pointer.position):
                return False
            self._take_over(self._store.load(pointer))
        except (RebuildError, StoreUnavailableError):
            return False
        self._epoch = pointer.epoch
        return self._engine.controls_ok()

    def _take_over(self, snapshot: Snapshot) -> None:
        self._tell(self._on_reload)
        self._engine.load(snapshot)

    def _may_be_ours(self, timeline: str, position: int, reach: float = math.inf) -> bool:
        """Hold a checkpoint or base against the truth; without that it is better than nothing.

        Args:
            timeline: its history.
            position: where it stands.
            reach: changes by which it may be behind.
        """
        try:
            head = _from_feed(self._feed.head)
        except FeedUnavailableError:
            return True
        return timeline == head.timeline and 0 <= head.position - position <= reach

    def _read_stream(self, block_ms: int) -> None:
        asked_at = self._clock()
        try:
            entries = self._store.read(self._cursor, block_ms)
        except StoreUnavailableError:
            self._stream_answers, self._must_ask, self._written_after = False, True, None
            return
        self._stream_answers = True
        try:
            self._take(entries)
        except _UntoldError:
            raise
        except MatchingError:
            # The stream may be wrong; the truth decides whether the engine is.
            self._must_ask = True
        if len(entries) < READ_LIMIT:
            self._written_after = asked_at

    def _take(self, entries: Sequence[Entry]) -> None:
        changes: list[Change] = []
        head = None
        for entry in entries:
            self._cursor = entry.id
            if entry.timeline != self._engine.timeline:
                self._must_ask = True
                continue
            self._heard_at = self._clock()
            if entry.change is None:
                head = entry.id.position
                self._note_epoch(entry.epoch)
            elif entry.change.position == self._engine.position + len(changes) + 1:
                changes.append(entry.change)
            elif entry.change.position > self._engine.position:
                self._must_ask |= entry.change.position > self._engine.position + len(changes)
        self._apply(changes)
        if head is not None:
            self._evidence.head(head, self._written_after)
            self._must_ask |= head > self._engine.position

    def _note_epoch(self, epoch: str) -> None:
        if epoch != self._epoch:
            self._epoch, self._must_ask = epoch, True

    def _may_ask_at_once(self) -> bool:
        return self._must_ask and self._clock() - self._asked_at >= PAUSE_SECONDS

    def _read_truth(self) -> None:
        now = self._clock()
        self._must_ask |= now - self._heard_at >= SILENCE_SECONDS
        self._must_ask |= self._evidence.age >= UNEASY_SECONDS
        if not self._may_ask_at_once():
            return
        self._asked_at = now
        head = _from_feed(self._feed.head)
        if head.timeline != self._engine.timeline or head.position < self._engine.position:
            raise _OtherHistoryError
        while self._engine.position < head.position:
            changes = _from_feed(partial(self._feed.after, self._engine.position, PAGE))
            if not changes:
                raise GapError(self._engine.position + 1, head.position)
            self._apply(changes)
        self._evidence.head(head.position, now)
        self._must_ask, self._heard_at = False, self._clock()
        self._find_cursor()

    def _find_cursor(self) -> None:
        """Go on in the stream from the engine's position, wherever the stream itself stands."""
        position = EntryId(self._engine.position, 0)
        if not self._stream_answers:
            return
        try:
            last = self._store.last()
        except StoreUnavailableError:
            return
        if last is None or last < self._cursor:
            # An older stream than the one we knew, or a new one. Its beats may be of any age, but
            # they count for no later than what the truth has just said.
            self._cursor = position
        self._cursor = max(self._cursor, position)

    def _take_newer_base(self) -> None:
        """Go on from a base that another process has published: fewer rows by brute force."""
        base = self._engine.open()
        if base is not None:
            self._waiting_base = base
        if self._waiting_base is None or self._waiting_base.position > self._engine.position:
            return
        base, self._waiting_base = self._waiting_base, None
        self._engine.rebase(base)

    def _check_controls(self) -> None:
        if self._clock() - self._checked_at < CONTROLS_SECONDS:
            return
        self._checked_at = self._clock()
        if not self._engine.controls_ok():
            raise _ControlsError

    def _apply(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        if any(change.resync for change in changes):
            raise _ResyncError
        self._tell(lambda: self._before_changes(changes))
        self._engine.apply(changes)
        self._tell(lambda: self._on_changes(changes))
        self._evidence.arrived()

    def _tell(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            raise _UntoldError from error


def _from_feed(question: Callable[[], T]) -> T:
    try:
        return question()
    except Exception as error:
        raise FeedUnavailableError(type(error).__name__) from error


class _UntoldError(MatchingError):
    """A callback failed: whoever listens has missed something."""


class _ResyncError(RebuildError):
    """The feed asks for a full load."""


class _ControlsError(MatchingError):
    """A control came out wrong."""


class _OtherHistoryError(MatchingError):
    """The truth is of another timeline, or has gone back in its own."""
