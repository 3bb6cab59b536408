# SPDX-License-Identifier: Apache-2.0
"""What every store decides alike: which pointer comes next, and which changes are new."""

from collections.abc import Callable, Sequence
from secrets import token_hex

from matching.errors import ForeignTimelineError, GapError
from matching.ports import Change, ChunkRef, EntryId, Head, Pointer, Snapshot


def next_pointer(
    before: Pointer | None,
    snapshot: Snapshot,
    manifest: tuple[ChunkRef, ...],
    *,
    new_epoch: bool,
    wall_ms: Callable[[], int],
) -> Pointer:
    """Return the pointer to write; *before* itself where it is ahead of the snapshot.

    The epoch lives on in a pointer of the same timeline; everywhere else a life begins.
    """
    head = snapshot.head
    epoch, born_ms = token_hex(16), wall_ms()
    if before is not None and before.timeline == head.timeline and not new_epoch:
        if before.position > head.position:
            return before
        epoch, born_ms = before.epoch, before.born_ms
    return Pointer(head.timeline, epoch, born_ms, head.position, snapshot.totals, manifest)


def own(pointer: Pointer | None, timeline: str) -> Pointer:
    """Return the pointer if it is of this timeline.

    Raises:
        ForeignTimelineError: It is missing or of another: histories are never mixed.
    """
    if pointer is None or pointer.timeline != timeline:
        raise ForeignTimelineError
    return pointer


def new_changes(changes: Sequence[Change], end: EntryId) -> list[Change]:
    """Return the changes that a stream ending there does not hold.

    Raises:
        GapError: They do not continue it.
    """
    new = [change for change in changes if change.position > end.position]
    for expected, change in enumerate(new, end.position + 1):
        if change.position != expected:
            raise GapError(expected, change.position)
    return new


def beat_place(head: Head, end: EntryId) -> EntryId | None:
    """Return where in a stream ending there a beat goes; None if the stream has passed it.

    Raises:
        GapError: The stream has not reached that head.
    """
    if head.position > end.position:
        raise GapError(end.position + 1, head.position)
    return EntryId(end.position, end.beat + 1) if head.position == end.position else None
