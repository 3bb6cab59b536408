# SPDX-License-Identifier: Apache-2.0
"""A truth of a few hundred PDQ codes, engines on a folder, and what must be true of both."""

import os
import shutil
import signal
import time

import numpy as np

from matching.batches import Batch, Part, words_of
from matching.engine import Engine
from matching.following import Follower
from matching.search.exact import ExactSearch
from matching.shelves.folder import FolderShelf
from matching.signals import PDQ
from matching.stores.memory import MemoryStore
from tests.fakes.changes import FakeFeed, plain
from tests.fakes.rows import agree

EVERYTHING = np.ones(8, np.bool_)
KEPT = {".segment", ".overlay"}


def code(number):
    """A code unlike that of any other number."""
    return np.random.default_rng(number).bytes(PDQ.width)


def truth(*, rows=200):
    """A truth of so many codes, one change each."""
    feed = FakeFeed()
    feed.change(1, 2, (plain(PDQ.name, *map(code, range(rows))),))
    return feed


def add(feed, number):
    """Let there be one more code."""
    return feed.change(number, 3, (plain(PDQ.name, code(number)),))


def relabel(feed, number, label):
    return feed.change(number, label)


def engine_on(folder, step=lambda _step: None):
    """An engine whose segments lie in a folder; nothing is loaded."""
    return Engine([PDQ], shelf=FolderShelf(folder, step))


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now

    def pass_(self, seconds):
        self.now += seconds


def follower_of(engine, feed, clock=time.monotonic, **listeners):
    """A follower of the truth alone."""
    return Follower(engine, MemoryStore(), feed, clock, **listeners)


def copied(folder, number):
    """A copy of a folder beside it."""
    copy = folder.with_name(f"{folder.name}-{number}")
    shutil.copytree(folder, copy)
    return copy


def check(engine, feed):
    """The engine is at the head of the truth, and answers as brute force does."""
    assert engine.position == len(feed.changes)
    assert engine.totals[PDQ.name] == feed.totals()[PDQ.name]
    numbers = [*range(0, 200, 20), *range(1_000, 1_010)]
    codes = words_of(PDQ, b"".join(map(code, numbers)))
    items = np.arange(len(numbers), dtype=np.uint32)
    batch = Batch((Part(PDQ, codes, items, items.astype(np.uint8) * 0),), len(numbers))
    agree(engine, ExactSearch(feed.chunks()), batch, EVERYTHING)


def check_opens(folder, feed, position):
    """What lies in the folder is the truth's at that position, told by a new process."""
    base = FolderShelf(folder).latest()
    assert base is not None
    assert base.position == position
    late = Engine([PDQ])
    late.begin(base)
    late.apply(feed.after(base.position, 10_000))
    check(late, feed)


def litter(folder):
    """Files of segments and overlays that the base does not name, and drafts."""
    base = FolderShelf(folder).latest()
    assert base is not None
    pieces = [piece for table in base.tables.values() for piece in table.pieces]
    overlays = sum(1 for piece in pieces if len(piece.overlay))
    files = [file.name for file in folder.iterdir() if file.suffix in KEPT]
    named = {piece.segment.name for piece in pieces}
    unnamed = [name for name in files if name not in named]
    drafts = [file.name for file in folder.iterdir() if file.name.startswith(".")]
    return drafts, len(unnamed) - overlays


def in_a_fork(work):
    """Do it in a process of its own; tell how that ended: 0, or minus a signal."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


class KilledAt:
    """Told of steps; kills this process before the n-th."""

    def __init__(self, n):
        self._left = n

    def __call__(self, _step):
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
