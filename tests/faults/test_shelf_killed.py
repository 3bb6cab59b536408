# SPDX-License-Identifier: Apache-2.0
"""Whoever builds is killed at any step, or has no room: it is the old base or the new one."""

import errno
import os
import resource
import signal
from itertools import count

import pytest

from matching import engine as engines
from matching.shelves.folder import FolderShelf
from tests.faults import shelves

MERGED, LAID_OVER = 80, 3
"""Changes with which a segment of 200 rows is merged, or gets an overlay."""


def load(feed, folder, step):
    shelves.engine_on(folder, step).load(feed.snapshot())


def fold(feed, folder, step):
    engine = shelves.engine_on(folder, step)
    engine.begin(engine.open())
    engine.apply(feed.after(engine.position, 1_000))
    engine.fold()


def grown(feed, changes):
    """More codes, and one code's label changed."""
    for number in range(1_000, 1_000 + changes):
        shelves.add(feed, number)
    shelves.relabel(feed, 1, 4)
    return feed


@pytest.mark.parametrize(
    ("work", "changes"),
    [(load, LAID_OVER), (fold, MERGED), (fold, LAID_OVER)],
    ids=["load", "merge", "overlay"],
)
def test_killed_at_any_step_it_is_the_old_base_or_the_new(tmp_path, work, changes):
    feed, folder = shelves.truth(), tmp_path / "index"
    load(feed, folder, lambda _step: None)
    old = len(feed.changes)
    grown(feed, changes)
    found = []

    for step in count(1):
        copy = shelves.copied(folder, step)
        killed = shelves.KilledAt(step)
        status = shelves.in_a_fork(lambda c=copy, k=killed: work(feed, c, k))
        assert status in (0, -signal.SIGKILL)
        base = FolderShelf(copy).latest()
        assert base is not None
        found.append(base.position)
        shelves.check_opens(copy, feed, base.position)
        # The next one to build takes away what the dead one left.
        shelves.add(feed, 5_000 + step)
        fold(feed, copy, lambda _step: None)
        shelves.check_opens(copy, feed, len(feed.changes))
        assert shelves.litter(copy) == ([], 0)
        del feed.changes[-1], feed.rows[5_000 + step]
        if status == 0:
            break

    new = len(feed.changes)
    assert found == sorted(found)
    assert set(found) == {old, new}
    assert len(found) > 12


def test_without_a_base_killed_at_any_step_there_is_none_or_the_new(tmp_path):
    feed = shelves.truth()
    for step in count(1):
        folder = tmp_path / str(step)
        killed = shelves.KilledAt(step)
        status = shelves.in_a_fork(lambda f=folder, k=killed: load(feed, f, k))
        base = FolderShelf(folder).latest()
        assert base is None or base.position == len(feed.changes)
        engine = shelves.engine_on(folder)
        shelves.follower_of(engine, feed).step(0)
        shelves.check(engine, feed)
        shelves.check_opens(folder, feed, len(feed.changes))
        if status == 0:
            break
    assert step > 12


class NoRoomAt:
    """Told of steps; the disk is full at the n-th, and at all after it until there is room."""

    def __init__(self, n):
        self.n, self.seen, self.room = n, 0, False

    def __call__(self, _step):
        self.seen += 1
        if self.seen >= self.n and not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("changes", [MERGED, LAID_OVER], ids=["merge", "overlay"])
def test_without_room_at_any_step_nothing_is_lost_and_it_is_tried_again(
    tmp_path, monkeypatch, changes
):
    monkeypatch.setattr(engines, "AGAIN", 0.0)
    feed, folder = shelves.truth(), tmp_path / "index"
    load(feed, folder, lambda _step: None)
    grown(feed, changes)
    for n in count(1):
        copy = shelves.copied(folder, n)
        before = set(copy.glob("*.overlay"))
        full = NoRoomAt(n)
        engine = shelves.engine_on(copy, full)
        engine.begin(engine.open())
        engine.apply(feed.after(engine.position, 1_000))

        engine.fold()

        shelves.check(engine, feed)
        if full.seen < n:
            break
        base = FolderShelf(copy).latest()
        assert base is not None
        assert engine.is_due == (base.position < engine.position)
        if engine.is_due:
            # Whoever tries again each minute would fill a full disk.
            assert set(copy.glob("*.overlay")) <= before
        full.room = True
        engine.fold()
        assert not engine.is_due
        shelves.check(engine, feed)
        shelves.check_opens(copy, feed, len(feed.changes))
        assert shelves.litter(copy) == ([], 0)
    assert n > 10


def test_a_file_that_may_not_grow_is_not_kept_and_the_base_before_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "AGAIN", 0.0)
    feed, folder = shelves.truth(), tmp_path / "index"
    load(feed, folder, lambda _step: None)
    old = len(feed.changes)
    grown(feed, MERGED)

    def work():
        engine = shelves.engine_on(folder)
        engine.begin(engine.open())
        engine.apply(feed.after(engine.position, 1_000))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
        engine.fold()
        shelves.check(engine, feed)
        base = FolderShelf(folder).latest()
        assert base is not None
        assert base.position == old
        assert shelves.litter(folder) == ([], 0)
        assert engine.is_due
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        engine.fold()
        shelves.check(engine, feed)

    assert shelves.in_a_fork(work) == 0
    shelves.check_opens(folder, feed, len(feed.changes))


def test_a_full_disk_is_not_tried_again_at_once(tmp_path):
    feed, full = shelves.truth(), NoRoomAt(1)
    engine = shelves.engine_on(tmp_path / "index", full)

    engine.load(feed.snapshot())

    shelves.check(engine, feed)
    assert not engine.is_due


def test_where_nothing_can_be_locked_or_read_an_engine_loads_all_the_same(tmp_path):
    feed, folder = shelves.truth(), tmp_path / "index"
    engine = shelves.engine_on(folder)
    (folder / "building").mkdir()
    (folder / "base").mkdir()
    follower = shelves.follower_of(engine, feed)

    follower.step(0)

    shelves.check(engine, feed)
    assert follower.freshness().complete
    assert not engine.fold()
