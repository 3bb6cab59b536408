# SPDX-License-Identifier: Apache-2.0
"""Whether those who wait for changes slow those who ask: 64 long polls beside lookups."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench.calls import Line
from bench.codes import mixed_questions
from bench.lookups import single_load
from bench.measures import Measure, at_most
from bench.stage import SEED, Loaded, Stage

FOLLOWERS = 64
ROUNDS, SECONDS = 3, 4
REACH = 2


def measure(stage: Stage) -> Iterator[Measure]:
    """Look up with and without followers, in turns."""
    loaded = stage.loaded
    load = single_load(stage, mixed_questions(loaded.codes, 1_000, SEED + 5))
    load.run(loaded.hub.port, seconds=1)
    shares: list[float] = []
    with_them: list[float] = []
    for _ in range(ROUNDS):
        alone = load.run(loaded.hub.port, seconds=SECONDS)
        with following(loaded):
            beside = load.run(loaded.hub.port, seconds=SECONDS)
        with_them.append(beside.p99_ms)
        shares.append(beside.p99_ms / alone.p99_ms)
    yield Measure("lookup p99: with 64 followers / without", median(shares), "", at_most(REACH))
    yield Measure("lookup p99 with 64 followers", median(with_them), "ms")


@contextmanager
def following(loaded: Loaded) -> Iterator[None]:
    """Sixty-four followers, each on its connection, each as patient as it is asked to be."""
    stop = threading.Event()
    started = threading.Barrier(FOLLOWERS + 1)
    threads = [
        threading.Thread(target=_follow, args=(loaded, number, started, stop), daemon=True)
        for number in range(FOLLOWERS)
    ]
    for thread in threads:
        thread.start()
    started.wait()
    yield
    stop.set()
    for thread in threads:
        thread.join()


def _follow(
    loaded: Loaded, number: int, started: threading.Barrier, stop: threading.Event
) -> None:
    keys = loaded.members.keys
    with Line(loaded.hub.port, keys[number % len(keys)]) as line:
        cursor = line.call("GET", "/v1/changes")["cursor"]
        started.wait()
        while not stop.is_set():
            began = time.monotonic()
            # It is a long poll of 25 s in earnest; here it must end with the measure.
            cursor = line.call("GET", f"/v1/changes?wait=3&cursor={cursor}")["cursor"]
            if time.monotonic() - began < 1.0:
                stop.wait(1.0)  # there was no place to wait: Retry-After says 1
