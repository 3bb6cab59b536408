# SPDX-License-Identifier: Apache-2.0
"""Builders, readers and searches at once; and what was erased is on the shelf no more."""

import threading

import numpy as np
import pytest

from matching import engine as engines, folding
from matching.batches import Batch, Part, words_of
from matching.ports import Head
from matching.shelves.folder import FolderShelf
from matching.signals import PDQ
from tests.fakes.changes import plain
from tests.faults import shelves

ROUNDS = 300


def test_of_two_that_build_at_once_one_keeps_it_to_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "PATIENCE", 0.0)
    feed = shelves.truth()
    first, second = shelves.engine_on(tmp_path), shelves.engine_on(tmp_path)

    with FolderShelf(tmp_path).building(0.0) as alone:
        assert alone
        first.load(feed.snapshot())
        assert not first.fold()
    second.load(feed.snapshot())

    shelves.check(first, feed)
    shelves.check_opens(tmp_path, feed, 1)
    assert len(list(tmp_path.glob("*.segment"))) == 1
    base = first.open()
    assert base is not None
    assert first.rebase(base)
    shelves.check(first, feed)


def test_whoever_waited_takes_what_the_other_one_built(tmp_path):
    feed, steps = shelves.truth(), list[str]()
    shelves.engine_on(tmp_path).load(feed.snapshot())
    snapshot = feed.snapshot()
    mine = {name: total for name, total in snapshot.totals.items() if name == PDQ.name}
    second = shelves.engine_on(tmp_path, steps.append)

    second.load(type(snapshot)(snapshot.head, mine, snapshot.chunks))

    assert not steps
    shelves.check(second, feed)


def test_whoever_opens_while_others_publish_sees_a_whole_base_each_time(tmp_path, monkeypatch):
    # Given a truth that changes, and what it counted at each position,
    monkeypatch.setattr(folding, "LEAST_CHANGED", 3)
    feed = shelves.truth()
    shelves.engine_on(tmp_path).load(feed.snapshot())
    counted = [feed.totals(), feed.totals()]
    for number in range(1_000, 1_000 + ROUNDS):
        shelves.add(feed, number) if number % 3 else shelves.relabel(feed, number - 1, number % 2)
        counted.append(feed.totals())

    # when another process publishes a base after each change,
    def publish():
        engine = shelves.engine_on(tmp_path)
        engine.begin(engine.open())
        for position in range(1, ROUNDS + 1):
            engine.apply(feed.after(position, 1))
            engine.fold()

    builder = threading.Thread(target=lambda: built.append(shelves.in_a_fork(publish)))
    built = list[int]()
    builder.start()
    seen, shelf = [1], FolderShelf(tmp_path)
    while builder.is_alive() or not built:
        base = shelf.latest()
        if base is not None:
            # then whatever is opened is what the truth was at its position, never going back.
            [total] = [table.total for table in base.tables.values()]
            assert total == counted[base.position][PDQ.name]
            live = [piece.live() for piece in base.tables[PDQ.name].pieces]
            assert sum(len(chunk.tags) for chunk in live) == total.count
            seen.append(base.position)
    builder.join()
    assert built == [0]
    assert seen == sorted(seen)
    assert len(seen) > 10
    shelves.check_opens(tmp_path, feed, ROUNDS + 1)


class Asking:
    """A thread that asks for all codes, again and again, and holds answers to the truth's."""

    def __init__(self, engine, numbers, wanted):
        self.engine, self.wanted = engine, wanted
        codes = words_of(PDQ, b"".join(map(shelves.code, numbers)))
        items = np.arange(len(codes), dtype=np.uint32)
        self.batch = Batch((Part(PDQ, codes, items, np.zeros(len(codes), np.uint8)),), len(codes))
        self.asked, self.wrong, self.last = 0, list[int](), 0

    def __call__(self, done):
        while not done.is_set():
            self.once()

    def once(self):
        hits = self.engine.search(self.batch, shelves.EVERYTHING, capped=False)
        found = set(hits.indicator.tolist())
        if found != self.wanted[hits.position] or hits.position < self.last:
            self.wrong.append(hits.position)
        self.last = hits.position
        self.asked += 1


def test_searches_during_merges_are_right_at_the_position_they_tell(tmp_path, monkeypatch):
    # Given what must be found at each position of a truth,
    monkeypatch.setattr(folding, "LEAST_CHANGED", 5)
    feed, rounds = shelves.truth(rows=50), 200
    engine = shelves.engine_on(tmp_path)
    engine.load(feed.snapshot())
    wanted = [set[int](), set(feed.rows)]
    for number in range(1_000, 1_000 + rounds):
        shelves.add(feed, number) if number % 4 else shelves.relabel(feed, number - 2, number % 8)
        wanted.append(set(feed.rows))
    numbers = [*range(50), *range(1_000, 1_000 + rounds)]
    asking = [Asking(engine, numbers, wanted) for _ in range(2)]
    done = threading.Event()

    def fold():
        while not done.is_set():
            engine.fold()

    # when it is searched while changes come and segments are merged,
    threads = [threading.Thread(target=one, args=(done,)) for one in asking]
    threads.append(threading.Thread(target=fold))
    for thread in threads:
        thread.start()
    for position in range(1, rounds + 1):
        engine.apply(feed.after(position, 1))
    while min(one.asked for one in asking) < 20:
        done.wait(0.01)
    done.set()
    for thread in threads:
        thread.join()

    # then no answer was torn.
    assert [one.wrong for one in asking] == [[], []]
    engine.fold()
    assert engine.position == rounds + 1
    shelves.check_opens(tmp_path, feed, rounds + 1)


# -- erased --------------------------------------------------------------------------------------


@pytest.fixture
def feed():
    feed = shelves.truth()
    feed.change(2, 3, (plain(PDQ.name, shelves.code(700)),))
    return feed


def holders(folder, number=700):
    """Files in which the code's words stand."""
    words = words_of(PDQ, shelves.code(number)).tobytes()
    return [path.name for path in folder.iterdir() if words in path.read_bytes()]


def test_what_was_erased_is_in_no_file_after_the_next_fold(tmp_path, feed):
    engine = shelves.engine_on(tmp_path)
    engine.load(feed.snapshot())
    assert holders(tmp_path)
    shelves.relabel(feed, 2, 0)
    engine.apply(feed.after(engine.position, 1))

    engine.forget(feed.head())

    assert not holders(tmp_path)
    assert engine.is_due
    assert engine.fold()
    assert not holders(tmp_path)
    assert not engine.is_due
    shelves.check(engine, feed)
    shelves.check_opens(tmp_path, feed, len(feed.changes))


def test_whoever_has_not_heard_of_it_yet_puts_nothing_back(tmp_path, feed):
    late, fresh = shelves.engine_on(tmp_path), shelves.engine_on(tmp_path)
    late.load(feed.snapshot())
    old = feed.snapshot()
    shelves.relabel(feed, 2, 0)
    fresh.forget(feed.head())

    assert late.is_due
    assert not late.fold()
    fresh.load(old)

    assert not holders(tmp_path)
    assert not FolderShelf(tmp_path).published()
    late.apply(feed.after(late.position, 1))
    assert late.fold()
    assert not holders(tmp_path)
    shelves.check_opens(tmp_path, feed, len(feed.changes))


@pytest.mark.parametrize("when", ["codes", "rename", "base", "swing", "folder"])
def test_who_is_building_when_it_is_erased_puts_nothing_back(tmp_path, feed, when):
    head = Head("t", len(feed.changes) + 1)

    def erase(step):
        if step == when:
            FolderShelf(tmp_path).clear(head)

    engine = shelves.engine_on(tmp_path, erase)

    engine.load(feed.snapshot())

    assert not FolderShelf(tmp_path).published()
    assert not holders(tmp_path)
    shelves.check(engine, feed)


def test_clearing_again_for_what_is_cleared_already_takes_nothing_away(tmp_path, feed):
    engine = shelves.engine_on(tmp_path)
    engine.load(feed.snapshot())
    engine.forget(feed.head())
    engine.fold()

    engine.forget(feed.head())
    engine.forget(Head("t", 1))

    assert FolderShelf(tmp_path).published()


def test_another_history_is_not_held_to_what_one_has_erased(tmp_path, feed):
    engine = shelves.engine_on(tmp_path)
    FolderShelf(tmp_path).clear(Head("before the restore", 1_000))

    engine.load(feed.snapshot())

    shelves.check_opens(tmp_path, feed, len(feed.changes))
