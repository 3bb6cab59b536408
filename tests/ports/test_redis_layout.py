# SPDX-License-Identifier: Apache-2.0
"""What lies in Redis: its keys, its bytes, and that nothing damaged is ever believed."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from redis import Redis

from matching.engine import Engine
from matching.errors import (
    CorruptIndexError,
    ForeignTimelineError,
    GapError,
    StoreUnavailableError,
)
from matching.ports import ChunkRef, Entry, EntryId, Head
from matching.signals import PDQ
from matching.stores import layout, rules
from matching.stores.redis import LEASE_SECONDS, OLD_CHUNKS_SECONDS, RedisStore, connect
from matching.stores.servers import OneServer
from tests.fakes.changes import FakeFeed, plain
from tests.fakes.rows import chunk_of, snapshot_of

START = EntryId(0, 0)


@pytest.fixture
def feed():
    feed = FakeFeed()
    for number in range(1, 4):
        feed.change(number, 2, (plain("pdq", bytes([number] * 32)),))
    return feed


@pytest.fixture
def raw(valkey):
    return valkey.client


def chunk_keys(raw):
    return sorted(raw.scan_iter("bw:here:chunk:*"))


def key_of(ref):
    return layout.chunk_key("here", ref.sha256).encode()


def test_pointer_and_stream_share_a_slot_and_chunks_are_spread(redis_store, raw, feed):
    redis_store.write(feed.snapshot())
    redis_store.beat(Head("t", 3))

    keys = {key.decode() for key in raw.scan_iter()}

    chunks = {key.decode() for key in chunk_keys(raw)}
    assert keys - chunks == {"{bw:here}:head", "{bw:here}:stream"}
    assert all(len(key.rsplit(":", 1)[1]) == 64 and "{" not in key for key in chunks)


def test_two_hubs_share_a_redis_without_meeting(redis_store, valkey, feed):
    redis_store.write(feed.snapshot())
    other = RedisStore(OneServer(valkey.client), "there")

    assert other.pointer() is None
    other.write(FakeFeed("u").snapshot())

    assert redis_store.pointer().timeline == "t"


def test_entries_are_small(redis_store, raw, feed):
    redis_store.write(FakeFeed().snapshot())
    redis_store.append(feed.changes, timeline="t")

    (_place, words) = raw.xrange("{bw:here}:stream")[0]

    assert sum(len(name) + len(value) for name, value in words.items()) < 250


@pytest.mark.parametrize("place", ["first", "middle", "last", "cut", "empty", "longer", "gone"])
def test_a_damaged_chunk_is_never_loaded(redis_store, raw, feed, place):
    pointer = redis_store.write(feed.snapshot())
    key = chunk_keys(raw)[0]
    data = raw.get(key)
    at = {"first": 0, "middle": len(data) // 2, "last": len(data) - 1}.get(place, 0)
    flipped = bytes([*data[:at], data[at] ^ 1, *data[at + 1 :]])
    others = {"cut": data[:-1], "empty": b"", "longer": data + b"\0"}
    raw.set(key, others.get(place, flipped))
    if place == "gone":
        raw.delete(key)
    engine = Engine()

    with pytest.raises(CorruptIndexError):
        engine.load(redis_store.load(pointer))

    assert not engine.whole("pdq")


def test_every_single_bit_of_the_pointer_counts(redis_store, raw, feed):
    redis_store.write(feed.snapshot())
    data = raw.get("{bw:here}:head")
    step = max(1, len(data) // 40)

    for place in [*range(0, len(data), step), len(data) - 1]:
        spoilt = bytearray(data)
        spoilt[place] ^= 1
        raw.set("{bw:here}:head", bytes(spoilt))
        assert redis_store.pointer() is None
    for other in (b"", b"{}", data[:-1], data[16:]):
        raw.set("{bw:here}:head", other)
        assert redis_store.pointer() is None
    with pytest.raises(ForeignTimelineError):
        redis_store.append([], timeline="t")


def test_a_pointer_of_another_layout_is_no_pointer(redis_store, feed, monkeypatch):
    monkeypatch.setattr(layout, "VERSION", 2)
    redis_store.write(feed.snapshot())
    monkeypatch.undo()

    assert redis_store.pointer() is None


def test_a_chunk_of_another_layout_is_never_loaded():
    _, data = layout.packed_chunk(chunk_of(PDQ, np.ones((1, 4), np.uint64)))
    other = b"bwc2" + data[4:]
    ref = ChunkRef("pdq", 1, sha256(other).hexdigest())

    with pytest.raises(CorruptIndexError):
        layout.unpacked_chunk(ref, other)


def test_a_damaged_entry_comes_back_without_a_timeline(redis_store, raw, feed):
    redis_store.write(FakeFeed().snapshot())
    data = layout.packed_change(feed.changes[0])
    spoilt = []
    for place in range(len(data)):
        data = layout.packed_change(replace(feed.changes[0], position=place + 1))
        spoilt.append(bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]]))
    spoilt += [b"", data[:5], data[:-1], data + b"\0", layout.packed_change(feed.changes[0])]
    for position, words in enumerate(spoilt, 1):
        raw.xadd("{bw:here}:stream", {b"c": words, b"t": b"t"}, id=f"{position}-0")
    raw.xadd("{bw:here}:stream", {b"x": b"y"}, id=f"{len(spoilt) + 1}-0")

    entries: list[Entry] = []
    while page := redis_store.read(entries[-1].id if entries else START, 0):
        entries += page

    assert len(entries) == len(spoilt) + 1
    assert {(entry.timeline, entry.change) for entry in entries} == {("", None)}


def test_chunks_that_no_pointer_names_vanish_soon_and_the_others_live_on_their_lease(
    redis_store, raw, feed
):
    redis_store.write(feed.snapshot())
    before = set(chunk_keys(raw))
    feed.change(1, 3)
    pointer = redis_store.write(feed.snapshot())
    after = {key_of(ref) for ref in pointer.manifest}

    assert before - after
    for key in before | after:
        lease = range(OLD_CHUNKS_SECONDS + 1, LEASE_SECONDS + 1)
        assert raw.ttl(key) in (lease if key in after else range(1, OLD_CHUNKS_SECONDS + 1))


@pytest.mark.parametrize("seconds", [OLD_CHUNKS_SECONDS, None])
def test_a_lease_that_runs_out_is_renewed(redis_store, raw, feed, seconds):
    pointer = redis_store.write(feed.snapshot())
    for key in chunk_keys(raw):
        raw.persist(key)
        if seconds:
            raw.expire(key, seconds)

    assert redis_store.renew(pointer)

    assert all(raw.ttl(key) > LEASE_SECONDS // 2 for key in chunk_keys(raw))


def test_a_checkpoint_with_a_chunk_missing_is_not_whole(redis_store, raw, feed):
    pointer = redis_store.write(feed.snapshot())
    raw.delete(chunk_keys(raw)[0])

    assert not redis_store.renew(pointer)


def test_a_checkpoint_that_breaks_off_leaves_the_old_one_and_no_litter(redis_store, raw, feed):
    pointer = redis_store.write(feed.snapshot())
    old = set(chunk_keys(raw))

    def broken():
        yield chunk_of(PDQ, np.ones((1, 4), np.uint64))
        raise ZeroDivisionError

    snapshot = snapshot_of([], 9)
    with pytest.raises(ZeroDivisionError):
        redis_store.write(type(snapshot)(snapshot.head, {}, broken()))

    assert redis_store.pointer() == pointer
    new = set(chunk_keys(raw)) - old
    assert len(new) == 1
    assert all(0 < raw.ttl(key) <= LEASE_SECONDS for key in new)


def test_a_writer_that_was_overtaken_between_reading_and_writing_decides_again(
    redis_store, valkey, feed, monkeypatch
):
    old = feed.snapshot()
    feed.change(9, 2, (plain("pdq", bytes(32)),))
    quicker = RedisStore(OneServer(valkey.client), "here")
    true = layout.unpacked_pointer
    overtaken: list[bool] = []
    redis_store.write(FakeFeed().snapshot())

    def read_slowly(data):
        pointer = true(data)
        if not overtaken:
            overtaken.append(True)
            quicker.write(feed.snapshot())
        return pointer

    monkeypatch.setattr(layout, "unpacked_pointer", read_slowly)

    assert redis_store.write(old).position == 4
    assert redis_store.pointer().position == 4


def test_a_full_redis_takes_all_of_a_batch_or_nothing(redis_store, raw, feed):
    redis_store.write(FakeFeed().snapshot())
    limit = raw.config_get("maxmemory")
    raw.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailableError):
            redis_store.append(feed.changes, timeline="t")
        assert redis_store.length() == 0
    finally:
        raw.config_set("maxmemory", limit["maxmemory"])

    assert redis_store.append(feed.changes, timeline="t") == 3


def test_a_key_of_another_type_is_an_unavailable_store(redis_store, raw, feed):
    redis_store.write(feed.snapshot())
    raw.set("{bw:here}:stream", b"not a stream")

    with pytest.raises(StoreUnavailableError):
        redis_store.read(START, 0)


@pytest.mark.parametrize(
    ("decides", "write"),
    [
        ("new_changes", lambda store, feed: store.append(feed.changes[1:], timeline="t")),
        ("beat_place", lambda store, _feed: store.beat(Head("t", 1))),
    ],
)
def test_nothing_is_written_by_what_was_seen_before_another_wrote(
    redis_store, raw, feed, decides, write, monkeypatch
):
    redis_store.write(FakeFeed().snapshot())
    redis_store.append(feed.changes[:1], timeline="t")
    true = getattr(rules, decides)
    meanwhile = [lambda: raw.delete("{bw:here}:stream")]

    def decide_slowly(*seen):
        decided = true(*seen)
        if meanwhile:
            meanwhile.pop()()
        return decided

    monkeypatch.setattr(f"matching.stores.redis.{decides}", decide_slowly)

    with pytest.raises(GapError):
        write(redis_store, feed)
    assert redis_store.length() == 0


def test_a_server_that_is_not_there_is_an_unavailable_store(tmp_path):
    store = RedisStore(connect(f"unix://{tmp_path}/nobody.sock"), "here")

    for ask in (store.pointer, store.last, store.length, lambda: store.read(START, 10)):
        with pytest.raises(StoreUnavailableError):
            ask()


@pytest.mark.parametrize("protocol", [2, 3])
def test_both_protocols_of_redis_are_understood(valkey, feed, protocol):
    valkey.client.flushall()
    client = Redis(unix_socket_path=str(valkey.socket), protocol=protocol)
    store = RedisStore(OneServer(client), "here")
    store.write(FakeFeed().snapshot())
    store.append(feed.changes, timeline="t")
    store.beat(Head("t", 3))

    assert [entry.id for entry in store.read(START, 0)] == [(1, 0), (2, 0), (3, 0), (3, 1)]
    assert store.last() == (3, 1)
    assert store.read(EntryId(3, 1), 10) == []
