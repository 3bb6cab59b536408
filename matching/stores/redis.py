# SPDX-License-Identifier: Apache-2.0
"""The shared copy in Redis or Valkey, 7.0 or newer, alone or as a cluster; no modules, no scripts.

Nothing in it is believed for being there: the pointer and each chunk carry a checksum, each entry
its timeline. Redis itself refuses an entry whose id is not above all before it, so two writers of
one history do no harm: what is refused is there already.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

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

ANSWER_SECONDS = (
    0.25  # how long Redis may take on the reading path, beyond what it is told to wait
)
OLD_CHUNKS_SECONDS = 3_600  # how long chunks stay that no pointer names any more
AT_ONCE = 256  # entries appended in one transaction

Client = Redis | RedisCluster


def connect(url: str, *, wait_seconds: float = 0.0, cluster: bool = False) -> Client:
    """Open a client as the reading path wants it: short timeouts, no second try.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        wait_seconds: longest wait that will be asked of `RedisStore.read`; a writer of large
            checkpoints gives the seconds it can spare.
        cluster: whether the URL names a node of a cluster.
    """
    kind: Any = RedisCluster if cluster else Redis
    client: Client = kind.from_url(
        url,
        socket_timeout=ANSWER_SECONDS + wait_seconds,
        socket_connect_timeout=ANSWER_SECONDS + wait_seconds,
        retry=Retry(NoBackoff(), 0),
    )
    return client


class RedisStore:
    """A `CodeStore` in Redis.

    Args:
        client: without ``decode_responses``; its socket timeout must exceed what `read` waits.
        instance: name of the hub, so that several may share one Redis.
        wall_ms: the time, for the birth of an epoch.
    """

    def __init__(
        self,
        client: Client,
        instance: str,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._client: Any = client
        self._instance = instance
        self._wall_ms = wall_ms
        self._head, self._stream = layout.head_key(instance), layout.stream_key(instance)

    def pointer(self) -> Pointer | None:
        """Return what the copy holds; None where there is none or it is unreadable."""
        with _translated():
            return _pointer_in(self._client.get(self._head))

    def load(self, pointer: Pointer) -> Snapshot:
        """Return the checkpoint; its chunks are fetched and verified while they are read."""
        chunks = (self._chunk(ref) for ref in pointer.manifest)
        return Snapshot(Head(pointer.timeline, pointer.position), pointer.totals, chunks)

    def write(self, snapshot: Snapshot, *, new_epoch: bool = False) -> Pointer:
        """Write a checkpoint, then swing the pointer to it."""
        with _translated():
            manifest = tuple(self._put(chunk) for chunk in snapshot.chunks)
            # Until here they would vanish by themselves: a writer that dies leaves no litter.
            for ref in manifest:
                self._client.persist(self._key(ref))

            def swing(pipeline: Any) -> tuple[Pointer | None, Pointer]:
                return self._swing(pipeline, snapshot, manifest, new_epoch=new_epoch)

            # redis-py calls it again when another writer was quicker.
            before, pointer = self._client.transaction(swing, self._head, value_from_callable=True)
            for ref in {*manifest, *(before.manifest if before else ())} - {*pointer.manifest}:
                self._client.expire(self._key(ref), OLD_CHUNKS_SECONDS)
            return cast("Pointer", pointer)

    def append(self, changes: Sequence[Change], *, timeline: str) -> int:
        """Append changes in order; return how many were not there yet."""
        with _translated():
            new = new_changes(changes, self._end(own(self.pointer(), timeline)))
            portions = (new[i : i + AT_ONCE] for i in range(0, len(new), AT_ONCE))
            return sum(self._append(portion, timeline) for portion in portions)

    def beat(self, head: Head) -> None:
        """Say that the truth's head was *head* a moment ago."""
        with _translated():
            pointer = own(self.pointer(), head.timeline)
            end = self._end(pointer)
            place = beat_place(head, end)
            if place is None:
                return
            words = {layout.BEAT: pointer.epoch, layout.TIMELINE: head.timeline}
            self._add([(place, words)])
            if end.beat:
                # One beat a position is enough: a quiet night must not fill the stream.
                self._client.xdel(self._stream, _id_out(end))

    def read(self, after: EntryId, block_ms: int) -> list[Entry]:
        """Return entries after a place, waiting for the first up to *block_ms*."""
        with _translated():
            # To Redis, BLOCK 0 means for ever.
            answer = self._client.xread(
                {self._stream: _id_out(after)}, count=READ_LIMIT, block=block_ms or None
            )
            return [_entry_in(place, words) for place, words in _entries(answer)]

    def last(self) -> EntryId | None:
        """Return the place of the last entry that ever was in this stream."""
        with _translated():
            if not self._client.exists(self._stream):
                return None
            return _id_in(self._client.xinfo_stream(self._stream)["last-generated-id"])

    def length(self) -> int:
        """Return how many entries the stream holds."""
        with _translated():
            return int(self._client.xlen(self._stream))

    def trim(self, position: int) -> None:
        """Drop entries up to and including *position*."""
        with _translated():
            minimum = _id_out(EntryId(position + 1, 0))
            self._client.xtrim(self._stream, minid=minimum, approximate=False)

    def forget(self, old: Pointer) -> None:
        """Delete now what an old checkpoint alone held; else it would go by itself in an hour.

        Whoever is loading it loads again.
        """
        with _translated():
            now = self.pointer()
            kept = now.manifest if now is not None else ()
            for ref in {*old.manifest} - {*kept}:
                self._client.delete(self._key(ref))

    def _chunk(self, ref: ChunkRef) -> Chunk:
        with _translated():
            data = self._client.get(self._key(ref))
        return layout.unpacked_chunk(ref, data)

    def _put(self, chunk: Chunk) -> ChunkRef:
        ref, data = layout.packed_chunk(chunk)
        self._client.set(self._key(ref), data, ex=OLD_CHUNKS_SECONDS)
        return ref

    def _key(self, ref: ChunkRef) -> str:
        return layout.chunk_key(self._instance, ref.sha256)

    def _swing(
        self,
        pipeline: Any,
        snapshot: Snapshot,
        manifest: tuple[ChunkRef, ...],
        *,
        new_epoch: bool,
    ) -> tuple[Pointer | None, Pointer]:
        before = _pointer_in(pipeline.get(self._head))
        pointer = next_pointer(
            before, snapshot, manifest, new_epoch=new_epoch, wall_ms=self._wall_ms
        )
        pipeline.multi()
        if pointer is not before:
            pipeline.set(self._head, layout.packed_pointer(pointer))
        if before is None or before.epoch != pointer.epoch:
            pipeline.delete(self._stream)
        return before, pointer

    def _end(self, pointer: Pointer) -> EntryId:
        return self.last() or EntryId(pointer.position, 0)

    def _append(self, changes: Sequence[Change], timeline: str) -> int:
        return self._add(
            [
                (
                    EntryId(change.position, 0),
                    {layout.CHANGE: layout.packed_change(change), layout.TIMELINE: timeline},
                )
                for change in changes
            ]
        )

    def _add(self, entries: Sequence[tuple[EntryId, dict[bytes, Any]]]) -> int:
        # A transaction, lest one that fails for want of memory leaves a gap before the next.
        with self._client.pipeline(transaction=True) as pipeline:
            for place, words in entries:
                pipeline.xadd(self._stream, words, id=_id_out(place))
            answers = pipeline.execute(raise_on_error=False)
        refused = [answer for answer in answers if isinstance(answer, Exception)]
        for error in refused:
            if "equal or smaller" not in str(error):
                raise error
        return len(answers) - len(refused)


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


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreUnavailableError(type(error).__name__) from error
