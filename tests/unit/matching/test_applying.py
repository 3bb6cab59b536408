# SPDX-License-Identifier: Apache-2.0
"""Whatever is added, relabelled and removed, the engine holds what a plain dict holds."""

import threading
from dataclasses import replace
from secrets import token_hex

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matching import folding
from matching.batches import Batch, Part, words_of
from matching.digests import rows_digest
from matching.engine import Engine
from matching.errors import DigestError, GapError, MalformedBatchError
from matching.ports import LABEL_MASK, Change, Chunk, Head, Rows, Snapshot, Total
from matching.search import recent as recents
from matching.search.exact import ExactSearch
from matching.search.table import total_of
from matching.shelves.folder import FolderShelf
from matching.signals import INDEX, PDQ, SHA1
from tests.fakes.changes import FakeFeed, plain
from tests.fakes.rows import agree, chunk_of, engine_of

DIGEST = 15072961389570978437  # made once; databases and streams hold such sums
EVERYTHING = np.ones(8, np.bool_)
SMALL = st.integers(0, 3)


@st.composite
def row_sets(draw):
    """Rows of an indicator: tiny codes of two signals, plain or derived, perhaps none at all."""
    rows = []
    for signal in draw(st.sets(st.sampled_from([PDQ, SHA1]))):
        values = draw(st.lists(st.tuples(SMALL, st.sampled_from([0, 0, 7])), max_size=3))
        codes = b"".join(value.to_bytes(signal.width, "big") for value, _ in values)
        rows.append(Rows(signal.name, codes, bytes(derivation for _, derivation in values)))
    return tuple(rows)


steps = st.lists(
    st.tuples(
        st.integers(1, 4),  # indicator
        SMALL,  # label, 0 removes
        st.none() | row_sets(),
        st.sampled_from(["", "batch", "batch", "fold"]),  # what comes then
    ),
    max_size=25,
)


@pytest.fixture(params=[(0, 1, 1), (2, 2, 4), (1_024, 4_096, 4)], ids=str)
def sizes(request, monkeypatch):
    """Columns that grow and segments that wear out at every turn, and ones that do not."""
    slack, worn, ratio = request.param
    monkeypatch.setattr(recents, "SLACK", slack)
    monkeypatch.setattr(folding, "LEAST_CHANGED", worn)
    monkeypatch.setattr(folding, "RATIO", ratio)


@pytest.mark.usefixtures("sizes")
@pytest.mark.parametrize("kept", ["in memory", "in a folder"])
def test_any_sequence_of_changes_gives_what_the_model_holds(kept, tmp_path):
    @settings(max_examples=150 if kept == "in memory" else 20, deadline=None)
    @given(steps)
    def check(sequence):
        feed, pending = FakeFeed(), []
        shelf = None if kept == "in memory" else FolderShelf(tmp_path / token_hex(4))
        engine, follower = Engine(shelf=shelf), Engine()
        engine.load(feed.snapshot())
        follower.load(feed.snapshot())
        for indicator, label, rows, ends in sequence:
            pending.append(feed.change(indicator, label, rows))
            if ends == "batch":
                engine.apply(pending)
                follower.apply(pending)
                pending = []
                assert_equal(engine, feed)
            elif ends == "fold":
                # What is known is folded while further changes wait.
                engine.fold()
        engine.apply(pending)
        follower.apply(pending)
        assert_equal(engine, feed)
        engine.fold()
        assert_equal(engine, feed)
        if shelf is not None:
            # Another process takes that base over, and one that starts begins with it.
            another = FolderShelf(shelf.folder)
            base = another.latest()
            assert base is not None
            assert follower.rebase(base)
            assert_equal(follower, feed)
            late = Engine()
            late.begin(base)
            assert_equal(late, feed)

    check()


def assert_equal(engine, feed):
    assert engine.position == len(feed.changes)
    assert engine.totals == feed.totals()
    chunks = feed.chunks()
    parts = []
    for signal in (PDQ, SHA1):
        codes = words_of(signal, b"".join(v.to_bytes(signal.width, "big") for v in range(4)))
        parts.append(Part(signal, codes, np.arange(4, dtype=np.uint32), np.zeros(4, np.uint8)))
    agree(engine, ExactSearch(chunks), Batch(tuple(parts), 4), EVERYTHING, radius={"pdq": 1})


def code(number):
    return number.to_bytes(32, "big")


def asked(*numbers):
    return Batch.parse(PDQ, [code(number).hex() for number in numbers])


def found(engine, number):
    return engine.search(asked(number), EVERYTHING, radius={"pdq": 0}).indicator.tolist()


@pytest.fixture
def feed():
    feed = FakeFeed()
    for number in range(1, 6):
        feed.change(number, 2, (plain("pdq", code(number)),))
    return feed


@pytest.fixture
def engine(feed):
    engine = Engine()
    engine.load(feed.snapshot())
    return engine


def test_before_a_load_nothing_is_whole_and_nothing_is_found():
    engine = Engine()

    assert (engine.position, engine.timeline) == (0, "")
    assert not engine.whole("pdq")
    assert not engine.controls_ok()
    assert len(engine.search(asked(1), EVERYTHING)) == 0


def test_after_a_load_its_signals_are_whole_and_no_others(feed):
    engine = Engine([SHA1, PDQ])
    engine.load(feed.snapshot())

    assert engine.whole("pdq")
    assert engine.whole("sha1")
    assert not engine.whole("md5")
    assert engine.controls_ok()


def test_changes_of_signals_it_does_not_hold_are_passed_over(feed):
    engine = Engine([PDQ])
    engine.load(feed.snapshot())

    engine.apply([feed.change(9, 2, (plain("sha1", bytes(20)), plain("pdq", code(9))))])

    assert found(engine, 9) == [9]
    assert set(engine.totals) == {"pdq"}


@pytest.mark.parametrize("skipped", [-1, 1, 5])
def test_changes_that_do_not_continue_the_position_are_refused(engine, feed, skipped):
    change = replace(feed.change(9, 2, (plain("pdq", code(9)),)), position=6 + skipped)

    with pytest.raises(GapError) as caught:
        engine.apply([change])

    assert (caught.value.expected, caught.value.received) == (6, 6 + skipped)
    assert engine.position == 5
    assert found(engine, 9) == []


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_batch_is_applied_as_a_whole_or_not_at_all(engine, feed, at):
    before = feed.totals()
    changes = [
        feed.change(7, 2, (plain("pdq", code(7)),)),
        feed.change(1, 3),
        feed.change(2, 0),
    ]
    wrong = replace(changes[at], totals={"pdq": Total(1, 1)})

    with pytest.raises(DigestError) as caught:
        engine.apply([*changes[:at], wrong, *changes[at + 1 :]])

    assert (caught.value.signal, caught.value.position) == ("pdq", 6 + at)
    assert (engine.position, engine.totals) == (5, before)
    assert [found(engine, number) for number in (7, 1, 2)] == [[], [1], [2]]
    engine.apply(changes)
    assert [found(engine, number) for number in (7, 1, 2)] == [[7], [1], []]


@pytest.mark.parametrize("wrong", ["count", "digest"])
def test_count_and_digest_are_both_compared(engine, feed, wrong):
    change = feed.change(1, 3)
    right = change.totals["pdq"]
    lie = replace(right, **{wrong: getattr(right, wrong) ^ 1})

    with pytest.raises(DigestError):
        engine.apply([replace(change, totals={"pdq": lie})])


def test_rows_that_are_given_replace_those_of_every_signal(engine, feed):
    engine.apply([feed.change(3, 2, (plain("sha1", bytes(20)),))])

    assert found(engine, 3) == []
    assert engine.totals == feed.totals()


def test_no_rows_given_means_no_rows_left(engine, feed):
    engine.apply([feed.change(3, 2, ())])

    assert found(engine, 3) == []
    assert engine.totals == feed.totals()


def test_what_is_gone_comes_back_only_with_rows(engine, feed):
    engine.apply([feed.change(3, 0), feed.change(3, 2)])
    assert found(engine, 3) == []

    engine.apply([feed.change(3, 2, (plain("pdq", code(3)),))])
    assert found(engine, 3) == [3]
    assert engine.totals == feed.totals()


def test_a_change_that_touches_no_rows_moves_the_position(engine):
    engine.apply([Change(6, 0, 0, 0, None, {}, b"a key was revoked")])

    assert engine.position == 6


@pytest.mark.parametrize("label", [-1, LABEL_MASK + 1])
def test_a_label_beyond_24_bits_is_refused(engine, label):
    with pytest.raises(MalformedBatchError):
        engine.apply([Change(6, 0, 1, label, None, {}, b"")])


@pytest.mark.parametrize(
    "rows", [Rows("pdq", bytes(31), b"\0"), Rows("pdq", bytes(32), b""), Rows("pdq", b"", b"\0")]
)
def test_rows_that_contradict_themselves_are_refused(engine, rows):
    with pytest.raises(MalformedBatchError):
        engine.apply([Change(6, 0, 1, 2, (rows,), {}, b"")])


def test_the_largest_keys_and_labels_survive(engine):
    key = (1 << 64) - 1
    engine.apply([Change(6, 0, key, LABEL_MASK, (Rows("pdq", code(8), b"\xff"),), {}, b"")])
    allowed = np.zeros(LABEL_MASK + 1, np.bool_)
    allowed[LABEL_MASK] = True

    hits = engine.search(asked(8), allowed, radius={"pdq": 0})

    assert (hits.indicator.tolist(), hits.stored.tolist()) == ([key], [255])


def test_a_snapshot_that_is_not_what_it_says_is_refused_and_the_old_state_stays(engine, feed):
    snapshot = feed.snapshot()
    for chunks, totals in (
        (snapshot.chunks[:-1], snapshot.totals),
        (snapshot.chunks, {}),
        (snapshot.chunks, {**snapshot.totals, "md5": Total(2, 1)}),
    ):
        with pytest.raises(DigestError):
            engine.load(Snapshot(Head("t", 99), totals, chunks))

    assert engine.position == 5
    assert found(engine, 1) == [1]


@pytest.mark.parametrize("spoilt", ["codes", "indicators"])
def test_a_chunk_whose_arrays_do_not_fit_is_refused(spoilt):
    chunk = chunk_of(PDQ, np.zeros((3, 4), np.uint64))
    spoilt_chunk = replace(chunk, **{spoilt: getattr(chunk, spoilt)[:2]})

    with pytest.raises(MalformedBatchError):
        Engine().load(Snapshot(Head("t", 1), {}, [spoilt_chunk]))


def test_dead_rows_of_a_snapshot_are_left_out():
    tags = np.array([1, 7 << 24, 2], np.uint32)
    engine = engine_of([chunk_of(PDQ, np.zeros((3, 4), np.uint64), tags=tags)])

    assert engine.totals["pdq"].count == 2
    assert found(engine, 0) == [1, 3]


def test_a_search_sees_one_state_and_says_which(engine, feed):
    hits = engine.search(asked(1), EVERYTHING)

    engine.apply([feed.change(1, 0)])

    assert (hits.timeline, hits.position) == ("t", 5)
    assert sorted(hits.indicator.tolist()) == [1, 2, 3, 4, 5]
    assert engine.search(asked(1), EVERYTHING).position == 6


def test_a_state_taken_before_is_what_is_searched(engine, feed):
    state = engine.state
    engine.apply([feed.change(1, 3)])

    hits = engine.search(asked(1), np.arange(8) == 2, radius={"pdq": 0}, state=state)

    assert (hits.position, hits.indicator.tolist()) == (5, [1])
    assert found(engine, 1) == [1]


def test_a_state_held_by_a_reader_never_changes(engine):
    state = engine.state
    before = contents(state)

    for number in range(6, 3_000):
        engine.apply([feed_free(number)])
        if number % 700 == 0:
            engine.fold()
    for number in range(1, 2_900):
        engine.apply([Change(engine.position + 1, 0, number, number % 3, None, {}, b"")])

    assert contents(state) == before
    assert state.position == 5


def test_readers_beside_a_writer_always_see_rows_and_position_together(engine):
    """Change p switches all rows to label 2 + p % 2: a reader that mixes states would see it."""
    engine.apply([Change(6, 0, 50, 2, (plain("pdq", *[code(99)] * 50),), {}, b"")])
    torn, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            for label in (2, 3):
                mask = np.arange(4) == label
                hits = engine.search(asked(99), mask, radius={"pdq": 0})
                here = hits.indicator.tolist() == [50]
                if here != (2 + hits.position % 2 == label):
                    torn.append(hits.position)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for position in range(7, 800):
        engine.apply([Change(position, 0, 50, 2 + position % 2, None, {}, b"")])
        if position % 50 == 0:
            engine.fold()
    stop.set()
    for reader in readers:
        reader.join()

    assert torn == []


def test_what_changed_while_a_base_was_made_is_kept(engine, feed):
    base = engine.state
    engine.apply([feed.change(1, 0), feed.change(9, 2, (plain("pdq", code(9)),))])

    assert engine.rebase(base)

    assert engine.position == len(feed.changes) > base.position
    assert [found(engine, number) for number in (1, 2, 9)] == [[], [2], [9]]
    assert engine.totals == feed.totals()


def test_rows_that_died_are_folded_away(monkeypatch):
    monkeypatch.setattr(folding, "LEAST_CHANGED", 10)
    feed, engine = FakeFeed(), Engine()
    engine.load(feed.snapshot())
    engine.apply([feed.change(n, 2, (plain("pdq", code(n)),)) for n in range(1, 101)])
    engine.fold()

    engine.apply([feed.change(n, 0) for n in range(1, 61)])
    engine.fold()

    table = engine.state.tables["pdq"]
    assert table.rows == table.total.count == 42
    assert found(engine, 60) == []
    assert found(engine, 61) == [61]


def test_the_digest_is_the_sum_over_rows_whatever_their_order():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 1 << 64, (100, 4), np.uint64)
    keys = rng.integers(0, 1 << 64, 100, np.uint64)
    tags = rng.integers(0, 1 << 32, 100, np.uint32)
    whole = rows_digest(0, keys, tags, codes)

    order = rng.permutation(100)
    # One by one, few by few (Python's integers) and many at once (arrays) must agree.
    for size in (1, 7, 16, 17, 50):
        parts = [order[i : i + size] for i in range(0, 100, size)]
        digests = [rows_digest(0, keys[part], tags[part], codes[part]) for part in parts]
        assert sum(digests) % (1 << 64) == whole


@pytest.mark.parametrize("signal", [PDQ, SHA1])
def test_the_compiled_digest_is_the_same(signal):
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 1 << 64, (300, signal.words), np.uint64)
    keys = rng.integers(0, 1 << 64, 300, np.uint64)
    tags = rng.integers(1, 1 << 32, 300, np.uint32)

    total = total_of(signal, [Chunk(signal.name, codes, keys, tags)])

    assert total == Total(300, rows_digest(INDEX[signal.name], keys, tags, codes))


@pytest.mark.parametrize("rows", [1, 40])
def test_every_part_of_a_row_is_in_its_digest(rows):
    codes = np.zeros((rows, 4), np.uint64)
    keys, tags = np.zeros(rows, np.uint64), np.zeros(rows, np.uint32)
    digests = {rows_digest(0, keys, tags, codes), rows_digest(1, keys, tags, codes)}
    for array in (keys, tags, *codes.T):
        array[0] ^= array.dtype.type(1 << 23)
        digests.add(rows_digest(0, keys, tags, codes))

    assert len(digests) == 2 + 2 + 4
    assert rows_digest(0, keys[:0], tags[:0], codes[:0]) == 0


def test_the_digest_never_changes_for_it_is_stored():
    codes = np.arange(8, dtype=np.uint64).reshape(2, 4)
    keys, tags = np.array([1, 1 << 63], np.uint64), np.array([1, 7 << 24 | 5], np.uint32)

    assert rows_digest(INDEX["pdq"], keys, tags, codes) == DIGEST
    many = np.tile(keys, 20), np.tile(tags, 20), np.tile(codes, (20, 1))
    assert rows_digest(INDEX["pdq"], *many) == 20 * DIGEST % (1 << 64)


def contents(state):
    """Everything a reader of this state sees."""
    return [
        [chunk.codes.tolist(), chunk.indicators.tolist(), chunk.tags.tolist()]
        for table in state.tables.values()
        for chunk in (*(piece.live() for piece in table.pieces), table.young())
    ]


def feed_free(position):
    """Add an indicator without anybody's totals."""
    return Change(position, 0, position, 2, (plain("pdq", code(position)),), {}, b"")
