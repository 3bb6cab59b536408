# SPDX-License-Identifier: Apache-2.0
"""The shared copy in this process's memory: for one process, for replicas, for tests."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matching.errors import CorruptIndexError
from matching.ports import (
    READ_LIMIT,
    Change,
    Chunk,
    ChunkRef,
    Entry,
    EntryId,
    Head,
    Pointer,
    Snapshot,
)
from matching.stores.layout import packed_chunk
from matching.stores.rules import beat_place, new_changes, next_pointer, own


@dataclass(eq=False)
class _Contents:
    pointer: Pointer | None = None
    chunks: dict[ChunkRef, Chunk] = field(default_factory=dict)
    stream: dict[EntryId, Entry] = field(default_factory=dict)
    last: EntryId | None = None


class MemoryStore:
    """A `CodeStore` that lives and dies with the process.

    Args:
        wall_ms: the time, for the birth of an epoch.
    """

    def __init__(self, wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._wall_ms = wall_ms
        self._contents = _Contents()
        self._changed = threading.Condition()

    def pointer(self) -> Pointer | None:
        """Return what the copy holds."""
        return self._contents.pointer

    def load(self, pointer: Pointer) -> Snapshot:
        """Return the checkpoint."""
        with self._changed:
            chunks = [self._contents.chunks.get(ref) for ref in pointer.manifest]
        whole = [chunk for chunk in chunks if chunk is not None]
        if len(whole) < len(chunks):
            raise CorruptIndexError("a chunk is missing")
        return Snapshot(Head(pointer.timeline, pointer.position), pointer.totals, whole)

    def ready(self) -> None:
        """Return: this process is there."""

    def renew(self, pointer: Pointer) -> bool:
        """Tell whether all chunks are there; here they stay."""
        return self._contents.chunks.keys() >= {*pointer.manifest}

    def write(self, snapshot: Snapshot, *, new_epoch: bool = False) -> Pointer:
        """Write a checkpoint, then swing the pointer to it."""
        chunks = {packed_chunk(chunk)[0]: chunk for chunk in snapshot.chunks}
        with self._changed:
            now = self._contents
            pointer = next_pointer(
                now.pointer, snapshot, tuple(chunks), new_epoch=new_epoch, wall_ms=self._wall_ms
            )
            kept = now.pointer is not None and now.pointer.epoch == pointer.epoch
            if pointer is not now.pointer:
                stream, last = (now.stream, now.last) if kept else ({}, None)
                self._contents = _Contents(pointer, chunks, stream, last)
            return pointer

    def append(self, changes: Sequence[Change], *, timeline: str) -> int:
        """Append changes in order; return how many were not there yet."""
        with self._changed:
            pointer = own(self._contents.pointer, timeline)
            new = new_changes(changes, self._end(pointer))
            for change in new:
                self._add(Entry(EntryId(change.position, 0), timeline, change))
            return len(new)

    def beat(self, head: Head) -> None:
        """Say that the truth's head was *head* a moment ago."""
        with self._changed:
            pointer = own(self._contents.pointer, head.timeline)
            end = self._end(pointer)
            place = beat_place(head, end)
            if place is None:
                return
            if end.beat:
                self._contents.stream.pop(end, None)
            self._add(Entry(place, head.timeline, None, pointer.epoch))

    def read(self, after: EntryId, block_ms: int) -> list[Entry]:
        """Return entries after a place, waiting for the first up to *block_ms*."""
        with self._changed:
            self._changed.wait_for(lambda: self._after(after), block_ms / 1000)
            return self._after(after)

    def last(self) -> EntryId | None:
        """Return the place of the last entry that ever was in this stream."""
        return self._contents.last

    def length(self) -> int:
        """Return how many entries the stream holds."""
        return len(self._contents.stream)

    def trim(self, position: int) -> None:
        """Drop entries up to and including *position*."""
        with self._changed:
            stream = self._contents.stream
            kept = {place: entry for place, entry in stream.items() if place.position > position}
            self._contents.stream = kept

    def _end(self, pointer: Pointer) -> EntryId:
        return self._contents.last or EntryId(pointer.position, 0)

    def _add(self, entry: Entry) -> None:
        self._contents.stream[entry.id] = entry
        self._contents.last = entry.id
        self._changed.notify_all()

    def _after(self, place: EntryId) -> list[Entry]:
        entries = (entry for entry in self._contents.stream.values() if entry.id > place)
        return [entry for _, entry in zip(range(READ_LIMIT), entries, strict=False)]
