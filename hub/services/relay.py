# SPDX-License-Identifier: Apache-2.0
"""The relay: SQL by position into the shared copy, a beat each second, checkpoints when due.

Its cursor is the stream's own last id, and what is not beyond it is not appended, so two relays do
no harm and a lost Redis costs a new checkpoint. It never makes a writer wait.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from matching.errors import ForeignTimelineError, GapError, StoreUnavailableError
from matching.ports import ChangeFeed, CodeStore, EntryId, Head, Pointer
from matching.signals import SIGNALS

START = EntryId(0, 0)
AT_ONCE = 500
STREAM_LEAST = 100_000
STREAM_SHARE = 0.05
BEAT_SECONDS = 1.0
AGAIN_SECONDS = (0.0, 1.0, 4.0, 15.0, 30.0)
"""Where writing a checkpoint fails, ever later: reading the truth for nothing is dear."""


@dataclass
class Relay:
    """One relay's memory: what it saw last, and when it beat."""

    feed: ChangeFeed
    store: CodeStore
    clock: Callable[[], float] = time.monotonic
    beaten: float = float("-inf")
    position: int = 0
    epoch: str = ""
    seen: EntryId = START
    """The last entry that was seen, and the life in which it was."""
    failures: int = 0
    again_at: float = float("-inf")

    def step(self, now: float) -> int:
        """Carry over what is new; returns how many changes.

        Args:
            now: monotonic seconds.

        Raises:
            FeedUnavailableError: SQL is away: no beat is sent, so everybody notices.
            StoreUnavailableError: Redis is away.
        """
        began = self.clock()
        pointer, last, head = self._read()
        if (
            pointer is None
            or pointer.timeline != head.timeline
            or pointer.position > head.position
            or self._was_set_back(pointer, last)
            # An older version's, which knew fewer signals: whoever loads it would lack their rows.
            or not SIGNALS.keys() <= pointer.totals.keys()
        ):
            self.checkpoint(new_epoch=pointer is not None)
            began = self.clock()
            pointer, last, head = self._read()
        if pointer is not None:
            self.epoch, self.seen = pointer.epoch, last or START
        carried = self._carry(head, pointer, last)
        if carried:
            self.seen = EntryId(self.position, 0)
        # A head that was read a while ago is no news: whoever believed it would claim too much.
        is_news = self.clock() - began < BEAT_SECONDS
        if is_news and (carried or now - self.beaten >= BEAT_SECONDS):
            self._beat(head, now)
        return carried

    def tend(self) -> bool:
        """Keep the checkpoint whole and young; tell whether there is a whole one now.

        Where there is none at all, `step` writes it. Raises as that does.
        """
        pointer = self.store.pointer()
        if pointer is None:
            return False
        if self.store.renew(pointer) and not self.is_due():
            return True
        if self.store.pointer() == pointer:
            self.checkpoint()
        return True

    def checkpoint(self, *, new_epoch: bool = False) -> Pointer:
        """Write everything at the head, swing the pointer, trim the stream behind it."""
        if self.clock() < self.again_at:
            raise StoreUnavailableError("a checkpoint could not be written a moment ago")
        self.store.ready()
        before = self.store.pointer()
        pause = AGAIN_SECONDS[min(self.failures, len(AGAIN_SECONDS) - 1)]
        self.again_at, self.failures = self.clock() + pause, self.failures + 1
        written = self.store.write(self.feed.snapshot(), new_epoch=new_epoch)
        self.again_at, self.failures = float("-inf"), 0
        if before is not None and before.epoch == written.epoch:
            # Up to the checkpoint before, so that whoever is loading it can still follow.
            self.store.trim(before.position)
        return written

    def is_due(self) -> bool:
        """Whether the stream has grown beyond what a new checkpoint costs."""
        pointer = self.store.pointer()
        if pointer is None:
            return True
        rows = sum(total.count for total in pointer.totals.values())
        return self.store.length() > max(STREAM_LEAST, STREAM_SHARE * rows)

    def _read(self) -> tuple[Pointer | None, EntryId | None, Head]:
        # The truth comes last: another relay may be ahead of us, but never of what SQL says then.
        pointer, last = self.store.pointer(), self.store.last()
        return pointer, last, self.feed.head()

    def _was_set_back(self, pointer: Pointer, last: EntryId | None) -> bool:
        """Whether the stream ends before what it held: an older copy is in its place.

        A replica that had not heard of everything may have become the master. What it holds is
        true, only old; but its life is another one.
        """
        if pointer.epoch != self.epoch or (last or START) >= self.seen:
            return False
        now = self.store.pointer()  # lest another relay has begun a new life between two looks
        return now is not None and now.epoch == pointer.epoch

    def _carry(self, head: Head, pointer: Pointer | None, last: EntryId | None) -> int:
        position = last.position if last is not None else pointer.position if pointer else 0
        if position > head.position:
            # The stream knows more than the truth: it is of another life, and is written anew.
            self.checkpoint(new_epoch=True)
            return 0
        carried = 0
        while position < head.position:
            changes = self.feed.after(position, AT_ONCE)
            if not changes:
                break
            try:
                carried += self.store.append(changes, timeline=head.timeline)
            except (ForeignTimelineError, GapError):
                self.checkpoint(new_epoch=True)
                return 0
            position = changes[-1].position
        self.position = position
        return carried

    def _beat(self, head: Head, now: float) -> None:
        try:
            self.store.beat(head)
        except (ForeignTimelineError, GapError):
            return  # the next step writes it anew
        self.beaten = now
