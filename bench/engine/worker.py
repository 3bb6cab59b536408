# SPDX-License-Identifier: Apache-2.0
"""A process that holds an engine, as a worker of the hub does, and does what it is told."""

import multiprocessing
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from bench.engine import ours
from bench.engine.data import Words, random_words
from matching.engine import Engine
from matching.errors import FeedUnavailableError
from matching.following import Follower
from matching.ports import Change, Head, Snapshot
from matching.stores.redis import RedisStore, connect

INSTANCE = "bench"
PATIENCE = 30.0
"""Seconds that the shared copy may take for an answer."""
AT_ONCE = 1_000
PAUSE = 0.001
"""Seconds between two looks for a code."""


class Worker:
    """The process, from outside."""

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs,), daemon=True)
        self._process.start()
        # Its own memory, kernels compiled and all, before it holds anything.
        self.call("warm")
        self._empty = self._pss()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._line.close()
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.kill()

    def call(self, what: str, *told: object) -> Any:
        """Have it do something, and return what that gives.

        Raises:
            EOFError: It died of it.
        """
        self._line.send((what, told))
        return self._line.recv()

    @property
    def bytes(self) -> int:
        """The memory it has taken since it was empty: its share of what others map as well."""
        return self._pss() - self._empty

    def _pss(self) -> int:
        return int(psutil.Process(self._process.pid).memory_full_info().pss)


def work(line: Connection) -> None:
    """Do what is told until nobody is there to tell."""
    inside = Inside()
    while True:
        try:
            what, told = line.recv()
        except EOFError:
            return
        line.send(getattr(inside, what)(*told))


class Inside:
    """The process, from inside."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self._found_at: list[float] = []

    def warm(self) -> None:
        """Load the kernels and use them, with questions as many as will be asked at once."""
        codes = random_words(AT_ONCE, 1)
        ours.ask(ours.filled(lambda: [codes]), ours.question(codes), ours.everything())

    def open(self, folder: Path) -> float:
        """Open what is in a folder; returns the seconds until it answers."""
        began = time.perf_counter()
        self.engine = ours.opened(folder)
        return _since(began, self.engine)

    def boot(self, url: str) -> float:
        """Load the checkpoint in Redis; returns the seconds until it answers."""
        began = time.perf_counter()
        store = RedisStore(connect(url, wait_seconds=PATIENCE), INSTANCE)
        pointer = store.pointer()
        if pointer is None:
            raise LookupError("there is no checkpoint")
        self.engine = ours.empty()
        self.engine.load(store.load(pointer))
        return _since(began, self.engine)

    def seek(self, url: str, codes: Words) -> None:
        """Follow the stream in Redis, and look for each code in turn until it is found."""
        self.engine = ours.empty()
        store = RedisStore(connect(url, wait_seconds=PATIENCE), INSTANCE)
        follower = Follower(self.engine, store, Truth(self.engine))
        threading.Thread(target=follower.run, args=(threading.Event(),), daemon=True).start()
        while not follower.freshness().complete:
            time.sleep(PAUSE)
        self._seeking = threading.Thread(target=self._seek, args=(self.engine, codes), daemon=True)
        self._seeking.start()

    def found(self) -> list[float]:
        """Wait until all are found; returns when each was, by the machine's one steady clock."""
        self._seeking.join()
        return self._found_at

    def _seek(self, engine: Engine, codes: Words) -> None:
        for code in codes:
            asked = ours.question(code[None])
            while not len(ours.ask(engine, asked, ours.everything())):
                time.sleep(PAUSE)
            self._found_at.append(time.perf_counter())

    def ask(self, asked: Words) -> None:
        """Answer questions in batches, as a request brings them."""
        if self.engine is None:
            raise LookupError("nothing is held")
        for begin in range(0, len(asked), AT_ONCE):
            some = ours.question(asked[begin : begin + AT_ONCE])
            ours.ask(self.engine, some, ours.everything())


class Truth:
    """A truth that has nothing new to say: the stream alone must bring what is added."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def head(self) -> Head:
        """As far as the engine is."""
        return Head(ours.TIMELINE, max(ours.POSITION, self._engine.position))

    def after(self, position: int, limit: int) -> Sequence[Change]:
        """Nothing."""
        del position, limit
        return ()

    def snapshot(self) -> Snapshot:
        """Never given: the checkpoint in Redis is whole.

        Raises:
            FeedUnavailableError: Always.
        """
        raise FeedUnavailableError("Truth")


def _since(began: float, engine: Engine) -> float:
    _first_answer(engine)
    return time.perf_counter() - began


def _first_answer(engine: Engine) -> None:
    ours.ask(engine, ours.question(random_words(1, 2)), ours.everything())
