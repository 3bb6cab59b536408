# SPDX-License-Identifier: Apache-2.0
"""Lookups in flight while a merge runs, beside the same lookups while none does.

Single lookups after one another in one thread; the merge in another of the same process, which
gives way as the hub's does. Every merge is of the longest kind: so many labels have changed that
all rows are written anew.
"""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.engine import ours
from bench.engine.data import Held, Words, mixed, random_words
from bench.engine.timing import seconds
from bench.measures import Measure, at_most, percentile
from bench.stage import SEED, Stage
from matching.engine import Engine

SIZE, YOUNG, CHANGED = 1_000_000, 5_000, 65_000
ROUNDS, ASKED = 3, 2_000
REACH, NICE = 2, 19


@dataclass
class Merge:
    """A merge in a thread of its own."""

    engine: Engine
    took: float = float("nan")
    """Seconds from begin to end."""
    worked: float = float("nan")
    """Seconds of a processor."""
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        began, worked = time.perf_counter(), time.thread_time()
        self.engine.fold()
        self.took, self.worked = time.perf_counter() - began, time.thread_time() - worked


def measure(stage: Stage) -> Iterator[Measure]:
    """Change much, ask while it lies beside the segments, then ask while it is merged in."""
    held = Held(SIZE, SEED)
    engine = ours.filled(held.portions, stage.folder / "merging")
    asked = mixed(held.first(), ASKED, SEED)
    still: list[float] = []
    busy: list[float] = []
    merges: list[Merge] = []
    for number in range(ROUNDS):
        stage.tell(f"merging: round {number + 1} of {ROUNDS}")
        ours.add(engine, random_words(YOUNG, SEED + 100 + number))
        ours.relabel(engine, range(number + 1, SIZE, SIZE // CHANGED))
        still += [_lookup(engine, code) for code in asked]
        merges.append(Merge(engine))
        busy += _until_merged(engine, asked, merges[-1])
    yield from _told(still, busy, merges)


def _until_merged(engine: Engine, asked: Words, merge: Merge) -> list[float]:
    taken: list[float] = []
    while merge.thread.is_alive():
        taken.append(_lookup(engine, asked[len(taken) % len(asked)]))
    merge.thread.join()
    return taken


def _lookup(engine: Engine, code: Words) -> float:
    asked = ours.question(code[None])
    return seconds(lambda: ours.ask(engine, asked, ours.everything()))


def _told(still: list[float], busy: list[float], merges: list[Merge]) -> Iterator[Measure]:
    share = percentile(busy, 0.99) / percentile(still, 0.99)
    yield Measure("lookups p99 while a merge runs / without", share, "", at_most(REACH))
    yield Measure("lookups p99, no merge", 1e6 * percentile(still, 0.99), "us")
    yield Measure("lookups p99, merging", 1e6 * percentile(busy, 0.99), "us")
    yield Measure("lookups p50, no merge", 1e6 * median(still), "us")
    yield Measure("lookups p50, merging", 1e6 * median(busy), "us")
    yield Measure("lookups while merging", len(busy), "")
    yield Measure("a merge that writes all anew", median(one.took for one in merges), "s")
    worked = median(one.worked / one.took for one in merges)
    yield Measure("share of that in which it has a processor", 100 * worked, "%")
