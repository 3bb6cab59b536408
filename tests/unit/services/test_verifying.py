# SPDX-License-Identifier: Apache-2.0
"""What verification finds, and that it finds nothing where nothing is wrong."""

import hashlib
import random
from contextlib import contextmanager
from dataclasses import replace

import pytest

from hub.services.verifying import HERE, REDIS, verify
from matching.engine import Engine
from matching.ports import Head, Total
from matching.search.table import State
from matching.shelves.folder import FolderShelf
from matching.stores.memory import MemoryStore
from tests.fakes.changes import FakeFeed, plain
from tests.simulators.relay import Relay

SAMPLES = 12


def code_of(number):
    return hashlib.sha256(number.to_bytes(2, "big")).digest()


class World:
    """A truth of some PDQ codes and digests, with a shared copy and a base a few changes old."""

    def __init__(self, folder):
        self.feed, self.store = FakeFeed(), MemoryStore()
        self.relay = Relay(self.feed, self.store)
        for number in range(1, 40):
            code = code_of(number)
            self.feed.change(number, 2, (plain("pdq", code), plain("sha256", code)))
        self.relay.turn()
        self.folder = folder
        self.engine = Engine(shelf=FolderShelf(folder))
        self.engine.load(self.feed.snapshot())
        self.feed.change(3, 0)
        self.feed.change(50, 3, (plain("pdq", bytes(range(32))),))
        self.relay.turn()
        self.shown: list[tuple[str, int | None, int]] = []

    @contextmanager
    def progress(self, what, total):
        done = [0]

        def advance(more):
            done[0] += more

        yield advance
        self.shown.append((what, total, done[0]))

    def verified(self, snapshot=None):
        return verify(
            snapshot or self.feed.snapshot(),
            self.feed,
            self.store,
            FolderShelf(self.folder),
            samples=SAMPLES,
            chance=random.Random(1),  # noqa: S311 - no secret
            progress=self.progress,
        )


@pytest.fixture
def world(tmp_path):
    return World(tmp_path / "index")


def test_where_all_is_well_both_copies_are_compared_and_progress_is_told(world):
    report = world.verified()

    assert report.differences == []
    assert report.compared == [REDIS, HERE]
    assert report.position == len(world.feed.changes)
    assert report.rows["pdq"] == world.feed.totals()["pdq"].count
    assert [(total, done) for _, total, done in world.shown] == [(SAMPLES, SAMPLES)] * 3


def test_without_a_base_the_shared_copy_alone_is_compared(world):
    FolderShelf(world.folder).clear(Head("t", 1))

    report = world.verified()

    assert (report.differences, report.compared) == ([], [REDIS])


def test_rows_of_sql_that_are_not_its_own_totals_are_told_before_anything_else(world):
    snapshot = world.feed.snapshot()
    totals = {**snapshot.totals, "pdq": Total(1, 1)}

    report = world.verified(replace(snapshot, totals=totals))

    [difference] = report.differences
    assert difference.startswith("SQL")


def test_a_damaged_base_is_told(world):
    path = max(world.folder.glob("*.segment"), key=lambda one: one.stat().st_size)
    path.write_bytes(path.read_bytes()[:-1])

    report = world.verified()

    assert report.differences == [f"{HERE}: the base is damaged."]
    assert report.compared == [REDIS]


def test_a_base_whose_rows_are_others_than_it_counts_is_told(world):
    # Given a base of other rows, which counts those of the truth,
    other, shelf = FakeFeed(), FolderShelf(world.folder)
    for number in range(1, 41):
        other.change(number, 2, (plain("pdq", code_of(number + 100)),))
    engine = Engine(shelf=shelf)
    engine.load(other.snapshot())
    table = engine.state.tables["pdq"]
    total = world.feed.totals()["pdq"]
    told = replace(table, pieces=(replace(table.pieces[0], total=total),), total=total)
    tables = {**engine.state.tables, "pdq": told}
    shelf.publish(State("t", len(world.feed.changes), tables))

    # when it is verified,
    report = world.verified()

    # then the rows themselves tell.
    assert report.compared == [REDIS, HERE]
    assert any(one.startswith(f"{HERE}: pdq: ") for one in report.differences)
    assert any("brute force" in one for one in report.differences)


def test_a_shared_copy_of_another_history_or_none_is_told(world):
    world.store = MemoryStore()

    report = world.verified()

    [difference] = report.differences
    assert difference.startswith(f"{REDIS}: it holds no checkpoint")


def test_a_shared_copy_that_ends_before_sql_is_told(world):
    world.feed.change(60, 2, (plain("pdq", bytes(32)),))

    report = world.verified()

    [difference] = report.differences
    assert "ends at position" in difference
    assert report.compared == [HERE]


def test_a_base_from_before_an_erasure_is_told(world):
    first = world.feed.changes[39]
    world.feed.changes[39] = replace(first, resync=True)

    report = world.verified()

    assert any(one.startswith(f"{HERE}: the base is from before") for one in report.differences)


def test_a_base_of_another_history_is_nobodys_and_left_alone(world):
    state = world.engine.state
    FolderShelf(world.folder).publish(State("another", state.position, state.tables))

    report = world.verified()

    assert (report.differences, report.compared) == ([], [REDIS])
