# SPDX-License-Identifier: Apache-2.0
"""Lookups in flight while a merge runs, beside the same lookups while none does.

Single lookups after one another in one thread, the merge in another of the same process.
"""

import threading
from collections.abc import Iterator

from bench.engine import ours
from bench.engine.data import Held, Words, mixed, random_words
from bench.engine.timing import seconds
from bench.measures import Measure, at_most, percentile
from bench.stage import SEED, Stage
from matching.engine import Engine

SIZE, RECENT = 1_000_000, 20_000
ROUNDS, ASKED = 3, 2_000
REACH = 2
NAME = "lookups p99 while a merge runs / without"


def measure(stage: Stage) -> Iterator[Measure]:
    """Add codes, ask while they lie beside the segments, then ask while they are merged in."""
    if not ours.FOLDS:
        yield Measure(NAME, float("nan"), "", at_most(REACH))
        return
    held = Held(SIZE, SEED)
    engine = ours.filled(held.portions, stage.folder / "merging")
    asked = mixed(held.first(), ASKED, SEED)
    still: list[float] = []
    busy: list[float] = []
    for number in range(ROUNDS):
        stage.tell(f"merging: round {number + 1} of {ROUNDS}")
        ours.add(engine, random_words(RECENT, SEED + 100 + number))
        still += [_lookup(engine, code) for code in asked]
        busy += _while_merging(engine, asked)
    yield Measure(NAME, percentile(busy, 0.99) / percentile(still, 0.99), "", at_most(REACH))
    yield Measure("lookups p99, no merge", 1e6 * percentile(still, 0.99), "us")
    yield Measure("lookups p99, merging", 1e6 * percentile(busy, 0.99), "us")
    yield Measure("lookups while merging", len(busy), "")


def _while_merging(engine: Engine, asked: Words) -> list[float]:
    merge = threading.Thread(target=ours.fold, args=(engine,))
    merge.start()
    taken: list[float] = []
    while merge.is_alive():
        taken.append(_lookup(engine, asked[len(taken) % len(asked)]))
    merge.join()
    return taken


def _lookup(engine: Engine, code: Words) -> float:
    asked = ours.question(code[None])
    return seconds(lambda: ours.ask(engine, asked, ours.everything()))
