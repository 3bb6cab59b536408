# SPDX-License-Identifier: Apache-2.0
"""One size after another: built once, then timed, then held by two workers."""

from collections.abc import Iterator

from bench.engine import memory, speed
from bench.engine.building import build
from bench.engine.data import Held
from bench.measures import Measure
from bench.stage import SEED, Stage


def measure(stage: Stage) -> Iterator[Measure]:
    """Build, time and memory at each size."""
    for size in stage.sizes:
        yield from _sized(stage, Held(size, SEED))


def _sized(stage: Stage, held: Held) -> Iterator[Measure]:
    folder = stage.folder / f"codes-{held.size}"
    engine, told = build(stage, held, folder)
    yield from told
    yield from speed.measure(stage, held, engine)
    # Workers are to share the pages with each other, not with us.
    del engine
    yield from memory.measure(stage, held, folder)
