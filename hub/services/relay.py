# SPDX-License-Identifier: Apache-2.0
"""The relay: SQL by position into the shared copy, a beat each second, checkpoints when due.

Its cursor is the stream's own last id, and Redis refuses what is not beyond it, so two relays
do no harm and a lost Redis costs a new checkpoint. It never makes a writer wait.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from matching.errors import ForeignTimelineError, GapError
from matching.ports import ChangeFeed, CodeStore, EntryId, Head, Pointer

AT_ONCE = 500
STREAM_LEAST = 100_000
STREAM_SHARE = 0.05
BEAT_SECONDS = 1.0


@dataclass
class Relay:
    """One relay's memory: what it saw last, and when it beat."""

    feed: ChangeFeed
    store: CodeStore
    clock: Callable[[], float] = time.monotonic
    beaten: float = float("-inf")
    position: int = 0
    rows: int = 0

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
        ):
            self.checkpoint(new_epoch=pointer is not None)
            began = self.clock()
            pointer, last, head = self._read()
        carried = self._carry(head, pointer, last)
        # A head that was read a while ago is no news: whoever believed it would claim too much.
        is_news = self.clock() - began < BEAT_SECONDS
        if is_news and (carried or now - self.beaten >= BEAT_SECONDS):
            self._beat(head, now)
        return carried

    def checkpoint(self, *, new_epoch: bool = False) -> Pointer:
        """Write everything at the head, swing the pointer, trim the stream behind it."""
        before = self.store.pointer()
        written = self.store.write(self.feed.snapshot(), new_epoch=new_epoch)
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
                return carried
            position = changes[-1].position
        self.position = position
        return carried

    def _beat(self, head: Head, now: float) -> None:
        try:
            self.store.beat(head)
        except (ForeignTimelineError, GapError):
            return  # the next step writes it anew
        self.beaten = now
