# SPDX-License-Identifier: Apache-2.0
"""A worker that gets its codes from Redis: how soon it answers, and how soon it finds a new code.

At the level of the engine, with a real Valkey between two processes: this one appends to the
stream what a relay would, and the other follows it and looks for each code until it is found.
What SQL and HTTP add is in ``make bench-to-match``.
"""

import time
from collections.abc import Iterator
from statistics import median

from bench.engine import ours
from bench.engine.data import Held, random_words
from bench.engine.valkey import running_valkey
from bench.engine.worker import INSTANCE, PATIENCE, Worker
from bench.measures import Measure, at_most, percentile
from bench.stage import SEED, Stage
from matching.stores.redis import RedisStore, connect

SIZE, BOOTS = 1_000_000, 3
BOOT_SECONDS, MATCH_MS = 3, 250
ADDED, PER_SECOND = 750, 50


def measure(stage: Stage) -> Iterator[Measure]:
    """Write a checkpoint, boot workers from it, then give one of them something to follow."""
    held = Held(SIZE, SEED)
    with running_valkey(stage.folder / "shared-copy") as url:
        stage.tell(f"redis: a checkpoint of {SIZE:,} codes")
        store = RedisStore(connect(url, wait_seconds=PATIENCE), INSTANCE)
        store.write(ours.snapshot(held.portions, controls=True))
        yield Measure("boot from Redis, 1,000,000 codes", _booted(url), "s", at_most(BOOT_SECONDS))
        stage.tell(f"time to match: {ADDED} codes, {PER_SECOND} a second")
        found = _raced(url, store, held)
    yield Measure("time to match p99", percentile(found, 0.99), "ms", at_most(MATCH_MS))
    yield Measure("time to match p50", percentile(found, 0.5), "ms")


def _booted(url: str) -> float:
    """The median of workers that have nothing but the address."""
    took: list[float] = []
    for _ in range(BOOTS):
        with Worker() as worker:
            took.append(worker.call("boot", url))
    return median(took)


def _raced(url: str, store: RedisStore, held: Held) -> list[float]:
    """Milliseconds from just before a code is appended until it is found."""
    codes = random_words(ADDED, SEED + 5)
    total = ours.snapshot(held.portions, controls=True).totals[ours.SIGNAL]
    changes = list(ours.additions(codes, total, ours.POSITION + 1, SIZE))
    with Worker() as worker:
        worker.call("seek", url, codes)
        given = []
        began = time.perf_counter()
        for number, change in enumerate(changes):
            time.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            given.append(time.perf_counter())
            store.append([change], timeline=ours.TIMELINE)
        found = worker.call("found")
    return [1_000 * (b - a) for a, b in zip(given, found, strict=True)]
