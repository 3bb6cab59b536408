# SPDX-License-Identifier: Apache-2.0
"""What every `CodeStore` promises, asked of each."""

import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from matching.engine import Engine
from matching.errors import CorruptIndexError, ForeignTimelineError, GapError
from matching.ports import READ_LIMIT, Change, EntryId, Head, Rows, Snapshot, Total
from matching.signals import PDQ, SHA1
from tests.fakes.rows import chunk_of, random_codes, snapshot_of

START = EntryId(0, 0)


def snapshot(position=0, timeline="t", rows=3):
    rng = np.random.default_rng(position)
    chunks = [chunk_of(s, random_codes(rng, s, rows), rng) for s in (PDQ, SHA1)]
    return snapshot_of(chunks, position, timeline)


def changes(first, last):
    return [
        Change(
            position=position,
            at_ms=1_700_000_000_000 + position,
            indicator=(1 << 63) + position,
            label=(1 << 24) - 1,
            rows=(Rows("pdq", bytes(range(64)), b"\x00\x07"), Rows("sha1", b"\xff" * 20, b"\x00")),
            totals={"pdq": Total(2, (1 << 64) - 1), "sha1": Total(1, 0)},
            note=b'{"kind": "test \xc3\xa9"}',
        )
        for position in range(first, last + 1)
    ]


def test_an_empty_store_holds_nothing(store):
    assert store.pointer() is None
    assert store.last() is None
    assert store.length() == 0
    assert store.read(START, 0) == []


def test_a_checkpoint_comes_back_row_for_row(store):
    written = snapshot(7)

    pointer = store.write(written)
    loaded = store.load(store.pointer())

    assert store.pointer() == pointer
    assert (pointer.timeline, pointer.position, pointer.born_ms) == ("t", 7, 1_234)
    assert (loaded.head, loaded.totals) == (written.head, written.totals)
    for left, right in zip(loaded.chunks, written.chunks, strict=True):
        assert left.signal == right.signal
        for name in ("codes", "indicators", "tags"):
            assert getattr(left, name).tolist() == getattr(right, name).tolist()
    Engine().load(store.load(pointer))


def test_a_checkpoint_that_is_no_longer_there_is_never_half_loaded(store):
    old = store.write(snapshot(7))
    store.write(snapshot(9), new_epoch=True)
    missing = replace(old, manifest=(old.manifest[0]._replace(sha256="0" * 64), *old.manifest[1:]))
    engine = Engine()

    with pytest.raises(CorruptIndexError):
        engine.load(store.load(missing))

    assert not engine.whole("pdq")


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_tiny_checkpoints_come_back(store, rows):
    pointer = store.write(snapshot(1, rows=rows))

    assert [len(chunk.tags) for chunk in store.load(pointer).chunks] == [rows, rows]


def test_a_checkpoint_without_rows_at_position_0_can_be_followed(store):
    store.write(Snapshot(Head("t", 0), {}, []))

    store.beat(Head("t", 0))
    store.append(changes(1, 1), timeline="t")

    assert [entry.id for entry in store.read(START, 0)] == [(0, 1), (1, 0)]


def test_changes_come_back_as_they_were_given(store):
    store.write(snapshot())
    given = [
        *changes(1, 1),
        replace(changes(2, 2)[0], rows=None, note=b""),
        replace(changes(3, 3)[0], rows=(), indicator=0, label=0, totals={}, resync=True),
    ]

    assert store.append(given, timeline="t") == 3

    entries = store.read(START, 0)
    assert [entry.change for entry in entries] == given
    assert {entry.timeline for entry in entries} == {"t"}
    assert store.last() == (3, 0)
    assert store.length() == 3


def test_repeated_changes_are_there_already(store):
    store.write(snapshot())

    assert store.append(changes(1, 5), timeline="t") == 5
    assert store.append(changes(2, 7), timeline="t") == 2
    assert store.append(changes(1, 7), timeline="t") == 0
    assert store.append([], timeline="t") == 0

    assert [entry.id for entry in store.read(START, 0)] == [(p, 0) for p in range(1, 8)]


def test_two_writers_at_once_append_each_change_once(store):
    store.write(snapshot())
    added: list[int] = []

    def write():
        added.extend(store.append(changes(1, last), timeline="t") for last in range(10, 201, 10))

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert sum(added) == 200
    assert [entry.id.position for entry in store.read(START, 0)] == list(range(1, 201))


@pytest.mark.parametrize("first", [2, 5])
def test_a_gap_is_refused_and_nothing_is_kept_of_it(store, first):
    store.write(snapshot())

    with pytest.raises(GapError) as caught:
        store.append(changes(first, 6), timeline="t")

    assert (caught.value.expected, caught.value.received) == (1, first)
    assert store.length() == 0


def test_the_stream_goes_on_after_the_checkpoint(store):
    store.write(snapshot(40))

    assert store.append(changes(38, 42), timeline="t") == 2
    assert [entry.id for entry in store.read(START, 0)] == [(41, 0), (42, 0)]


@pytest.mark.parametrize("there", ["nothing", "another"])
def test_histories_are_never_mixed(store, there):
    if there == "another":
        store.write(snapshot(3, "before"))

    with pytest.raises(ForeignTimelineError):
        store.append(changes(4, 4), timeline="t")
    with pytest.raises(ForeignTimelineError):
        store.beat(Head("t", 3))

    assert store.length() == 0


def test_a_checkpoint_of_another_timeline_begins_a_new_life(store):
    old = store.write(snapshot(90, "before"))
    store.append(changes(91, 95), timeline="before")

    new = store.write(snapshot(10, "t"))

    assert new.epoch != old.epoch
    assert store.pointer() == new
    assert store.last() is None
    assert store.append(changes(11, 12), timeline="t") == 2


def test_a_later_checkpoint_of_one_history_keeps_epoch_and_stream(store):
    old = store.write(snapshot(0))
    store.append(changes(1, 5), timeline="t")

    new = store.write(snapshot(4))

    assert (new.epoch, new.born_ms, new.position) == (old.epoch, old.born_ms, 4)
    assert store.length() == 5


def test_a_slower_writer_does_not_set_the_pointer_back(store):
    ahead = store.write(snapshot(9))

    assert store.write(snapshot(4)) == ahead
    assert store.pointer() == ahead
    Engine().load(store.load(ahead))


def test_a_new_epoch_can_be_asked_for(store):
    old = store.write(snapshot(9))
    store.append(changes(10, 12), timeline="t")

    new = store.write(snapshot(9), new_epoch=True)

    assert new.epoch != old.epoch
    assert store.last() is None


def test_beats_follow_the_change_at_the_head_and_replace_one_another(store):
    pointer = store.write(snapshot())
    store.append(changes(1, 2), timeline="t")

    for _ in range(3):
        store.beat(Head("t", 2))
    seen = store.read(EntryId(2, 0), 0)

    assert [(entry.id, entry.change, entry.epoch) for entry in seen] == [
        ((2, 3), None, pointer.epoch)
    ]
    store.append(changes(3, 3), timeline="t")
    store.beat(Head("t", 3))
    assert [e.id for e in store.read(EntryId(2, 3), 0)] == [(3, 0), (3, 1)]


def test_a_beat_ahead_of_the_stream_is_refused_lest_its_changes_be(store):
    store.write(snapshot())
    store.append(changes(1, 2), timeline="t")

    with pytest.raises(GapError):
        store.beat(Head("t", 3))

    assert store.append(changes(3, 3), timeline="t") == 1


def test_a_beat_that_the_stream_has_passed_is_not_sent(store):
    store.write(snapshot())
    store.append(changes(1, 2), timeline="t")

    store.beat(Head("t", 1))

    assert store.length() == 2


def test_reading_pages_through_a_long_stream(store):
    store.write(snapshot())
    store.append(changes(1, READ_LIMIT + 10), timeline="t")

    first = store.read(START, 0)
    second = store.read(first[-1].id, 0)

    assert [len(first), len(second)] == [READ_LIMIT, 10]
    positions = [entry.id.position for entry in first + second]
    assert all(after == before + 1 for before, after in pairwise(positions))


def test_a_waiting_reader_is_woken_by_a_change(store):
    store.write(snapshot())
    writer = threading.Timer(0.05, lambda: store.append(changes(1, 1), timeline="t"))
    writer.start()

    entries = store.read(START, 1_000)
    writer.join()

    assert [entry.id for entry in entries] == [(1, 0)]


def test_a_reader_that_waits_in_vain_gets_nothing(store):
    store.write(snapshot())

    assert store.read(START, 20) == []


def test_trimming_drops_what_a_checkpoint_holds_and_the_end_is_still_known(store):
    store.write(snapshot())
    store.append(changes(1, 6), timeline="t")
    store.beat(Head("t", 6))

    store.trim(4)
    assert [entry.id for entry in store.read(START, 0)] == [(5, 0), (6, 0), (6, 1)]

    store.trim(6)
    assert (store.length(), store.last()) == (0, (6, 1))
    store.beat(Head("t", 6))
    assert store.append(changes(5, 7), timeline="t") == 1
    assert [entry.id for entry in store.read(START, 0)] == [(6, 2), (7, 0)]
