# SPDX-License-Identifier: Apache-2.0
"""The shared copy in Redis or Valkey, 7.0 or newer, however it is run; no modules, no scripts.

Nothing in it is believed for being there: the pointer and each chunk carry a checksum, each entry
its timeline. What is appended is decided upon and written in one transaction on one connection:
two writers of one history do no harm, and where another server takes over between the look and the
write, with an older stream perhaps, nothing is written beyond its end.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

from redis.exceptions import RedisError

from matching.errors import CorruptIndexError, StoreUnavailableError
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
from matching.stores import layout
from matching.stores.rules import beat_place, new_changes, next_pointer, own
from matching.stores.servers import Servers, connect

OLD_CHUNKS_SECONDS = 3_600  # how long chunks stay that no pointer names any more
LEASE_SECONDS = 86_400  # how long chunks stay that nobody has renewed
AT_ONCE = 256  # entries appended in one transaction
_GONE = -2  # what Redis says of the lifetime of a key that is not there

T = TypeVar("T")
__all__ = ["RedisStore", "connect"]


class RedisStore:
    """A `CodeStore` in Redis.

    Args:
        servers: opened by `connect`; they must wait longer than `read` does.
        instance: name of the hub, so that several may share one Redis.
        wall_ms: the time, for the birth of an epoch.
    """

    def __init__(
        self,
        servers: Servers,
        instance: str,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._servers = servers
        self._instance = instance
        self._wall_ms = wall_ms
        self._head, self._stream = layout.head_key(instance), layout.stream_key(instance)

    def pointer(self) -> Pointer | None:
        """Return what the copy holds; None where there is none or it is unreadable."""
        with self._asking():
            return self._pointer_by(self._main())

    def load(self, pointer: Pointer) -> Snapshot:
        """Return the checkpoint; its chunks are fetched and verified while they are read."""
        chunks = (self._chunk(ref) for ref in pointer.manifest)
        return Snapshot(Head(pointer.timeline, pointer.position), pointer.totals, chunks)

    def ready(self) -> None:
        """Raise unless every server answers that holds a part of the copy."""
        with self._asking():
            for master in self._servers.masters():
                master.ping()

    def write(self, snapshot: Snapshot, *, new_epoch: bool = False) -> Pointer:
        """Write a checkpoint, then swing the pointer to it."""
        with self._asking():
            # Chunks vanish unless they are renewed: a writer that dies leaves no litter.
            manifest = tuple(self._put(chunk) for chunk in snapshot.chunks)

            def swing(pipeline: Any) -> tuple[Pointer | None, Pointer]:
                return self._swing(pipeline, snapshot, manifest, new_epoch=new_epoch)

            before, pointer = self._decided(swing)
        for ref in {*manifest, *(before.manifest if before else ())} - {*pointer.manifest}:
            # One that cannot be told now goes when its lease ends.
            with suppress(StoreUnavailableError), self._asking():
                self._of(ref).expire(self._key(ref), OLD_CHUNKS_SECONDS)
        return pointer

    def renew(self, pointer: Pointer) -> bool:
        """Keep a checkpoint from vanishing; tell whether all of it is there."""
        held: dict[Any, list[str]] = {}
        with self._asking():
            for ref in pointer.manifest:
                held.setdefault(self._of(ref), []).append(self._key(ref))
            renewed = [_renewed(server, keys) for server, keys in held.items()]
        return all(renewed)

    def append(self, changes: Sequence[Change], *, timeline: str) -> int:
        """Append changes in order; return how many were not there yet."""
        starts = range(0, max(1, len(changes)), AT_ONCE)
        return sum(self._append(changes[i : i + AT_ONCE], timeline) for i in starts)

    def beat(self, head: Head) -> None:
        """Say that the truth's head was *head* a moment ago."""

        def beaten(pipeline: Any) -> None:
            pointer = own(self._pointer_by(pipeline), head.timeline)
            end = self._end(pipeline, pointer)
            place = beat_place(head, end)
            pipeline.multi()
            if place is None:
                return
            words = {layout.BEAT: pointer.epoch, layout.TIMELINE: head.timeline}
            pipeline.xadd(self._stream, words, id=_id_out(place))
            if end.beat:
                # One beat a position is enough: a quiet night must not fill the stream.
                pipeline.xdel(self._stream, _id_out(end))

        with self._asking():
            self._decided(beaten)

    def read(self, after: EntryId, block_ms: int) -> list[Entry]:
        """Return entries after a place, waiting for the first up to *block_ms*."""
        with self._asking():
            # To Redis, BLOCK 0 means for ever.
            answer = self._main().xread(
                {self._stream: _id_out(after)}, count=READ_LIMIT, block=block_ms or None
            )
            return [_entry_in(place, words) for place, words in _entries(answer)]

    def last(self) -> EntryId | None:
        """Return the place of the last entry that ever was in this stream."""
        with self._asking():
            return self._last_by(self._main())

    def length(self) -> int:
        """Return how many entries the stream holds."""
        with self._asking():
            return int(self._main().xlen(self._stream))

    def trim(self, position: int) -> None:
        """Drop entries up to and including *position*."""
        with self._asking():
            minimum = _id_out(EntryId(position + 1, 0))
            self._main().xtrim(self._stream, minid=minimum, approximate=False)

    def forget(self, old: Pointer) -> None:
        """Delete now what an old checkpoint alone held; else it would go by itself in an hour.

        Whoever is loading it loads again.
        """
        now = self.pointer()
        kept = now.manifest if now is not None else ()
        for ref in {*old.manifest} - {*kept}:
            with self._asking():
                self._of(ref).delete(self._key(ref))

    def _main(self) -> Any:
        """A client of the server that holds the pointer and the stream."""
        return self._servers.holding(self._head)

    def _of(self, ref: ChunkRef) -> Any:
        return self._servers.holding(self._key(ref))

    def _key(self, ref: ChunkRef) -> str:
        return layout.chunk_key(self._instance, ref.sha256)

    def _chunk(self, ref: ChunkRef) -> Chunk:
        with self._asking():
            data = self._of(ref).get(self._key(ref))
        return layout.unpacked_chunk(ref, data)

    def _put(self, chunk: Chunk) -> ChunkRef:
        ref, data = layout.packed_chunk(chunk)
        self._of(ref).set(self._key(ref), data, ex=LEASE_SECONDS)
        return ref

    def _decided(self, decide: Callable[[Any], T]) -> T:
        """Look at pointer and stream, then write, with nothing between and on one connection.

        redis-py calls *decide* again where another writer was quicker, or where the connection
        broke and another server answers now.
        """
        decided = self._main().transaction(
            decide, self._head, self._stream, value_from_callable=True
        )
        return cast("T", decided)

    def _swing(
        self,
        pipeline: Any,
        snapshot: Snapshot,
        manifest: tuple[ChunkRef, ...],
        *,
        new_epoch: bool,
    ) -> tuple[Pointer | None, Pointer]:
        before = self._pointer_by(pipeline)
        pointer = next_pointer(
            before, snapshot, manifest, new_epoch=new_epoch, wall_ms=self._wall_ms
        )
        pipeline.multi()
        if pointer is not before:
            pipeline.set(self._head, layout.packed_pointer(pointer))
        if before is None or before.epoch != pointer.epoch:
            pipeline.delete(self._stream)
        return before, pointer

    def _append(self, changes: Sequence[Change], timeline: str) -> int:
        def appended(pipeline: Any) -> int:
            end = self._end(pipeline, own(self._pointer_by(pipeline), timeline))
            new = new_changes(changes, end)
            pipeline.multi()
            for change in new:
                words = {layout.CHANGE: layout.packed_change(change), layout.TIMELINE: timeline}
                pipeline.xadd(self._stream, words, id=_id_out(EntryId(change.position, 0)))
            return len(new)

        with self._asking():
            return self._decided(appended)

    def _pointer_by(self, client: Any) -> Pointer | None:
        return _pointer_in(client.get(self._head))

    def _end(self, client: Any, pointer: Pointer) -> EntryId:
        return self._last_by(client) or EntryId(pointer.position, 0)

    def _last_by(self, client: Any) -> EntryId | None:
        if not client.exists(self._stream):
            return None
        return _id_in(client.xinfo_stream(self._stream)["last-generated-id"])

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            self._servers.doubt()
            raise StoreUnavailableError(type(error).__name__) from error


def _renewed(server: Any, keys: Sequence[str]) -> bool:
    """Lengthen the lives of keys on one server; tell whether all are there."""
    with server.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.ttl(key)
        lives = pipeline.execute()
        for key, seconds in zip(keys, lives, strict=True):
            if seconds < LEASE_SECONDS // 2:
                pipeline.expire(key, LEASE_SECONDS)
        pipeline.execute()
    return _GONE not in lives


def _pointer_in(data: bytes | None) -> Pointer | None:
    try:
        return None if data is None else layout.unpacked_pointer(data)
    except CorruptIndexError:
        return None


def _entry_in(place: bytes, words: dict[bytes, bytes]) -> Entry:
    """Read an entry; one that is damaged has no timeline, so that nobody takes it for theirs."""
    at = _id_in(place)
    timeline = words.get(layout.TIMELINE, b"").decode(errors="replace")
    if layout.CHANGE not in words:
        return Entry(at, timeline, None, words.get(layout.BEAT, b"").decode(errors="replace"))
    try:
        return Entry(at, timeline, layout.unpacked_change(at.position, words[layout.CHANGE]))
    except CorruptIndexError:
        return Entry(at, "", None)


def _entries(answer: Any) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Walk the entries of an XREAD of one stream: RESP3 answers with a dict, RESP2 a list."""
    for _stream, portions in answer.items() if isinstance(answer, dict) else answer or ():
        for portion in portions:
            # RESP3 wraps the entries once more.
            yield from portion if isinstance(portion, list) else [portion]


def _id_in(place: bytes) -> EntryId:
    position, beat = place.split(b"-")
    return EntryId(int(position), int(beat))


def _id_out(place: EntryId) -> str:
    return f"{place.position}-{place.beat}"
