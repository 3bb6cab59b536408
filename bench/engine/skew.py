# SPDX-License-Identifier: Apache-2.0
"""Hard data: a cluster of near-duplicates, a bucket that holds half of all codes, long equal runs.

Two questions: what does it cost those who look for something else; and what does it cost to look
into a cluster, where a hundred thousand codes are within the radius.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from bench.engine import ours, rivals
from bench.engine.data import (
    CLUSTER,
    CLUSTER_BITS,
    LAYOUTS,
    PART,
    RUN,
    Words,
    anywhere,
    as_bytes,
    clustered,
    mixed,
    random_words,
    turned,
)
from bench.engine.timing import Work, in_turns, ratios
from bench.measures import Measure, at_most
from bench.stage import SEED, Stage
from matching.engine import Engine
from matching.ports import Total
from matching.search.recent import Recent
from matching.search.table import State, Table
from matching.signals import PDQ

SIZE, ROUNDS, AT_ONCE = 1_000_000, 5, 1_000
INSIDE = 20
"""Questions into a cluster: each has as many answers as the cluster has codes."""
BESIDE_BITS = 2 * CLUSTER_BITS + 34
"""From a lure: out of reach of every variant, and still in many of their buckets."""
FEW = 100
REACH, REACH_INSIDE = 5, 3


@dataclass(frozen=True)
class Hard:
    """Codes of one layout, and questions of which each has few answers."""

    name: str
    engine: Engine
    asked: Mapping[str, Words]


def measure(stage: Stage) -> Iterator[Measure]:
    """Ask each layout and random data the same kind of questions, in turns."""
    codes = random_words(SIZE, SEED)
    plain = ours.filled(lambda: [codes])
    for name in LAYOUTS:
        if name != "random":
            stage.tell(f"skew: {name}")
            yield from _few_hits(_hard(name, codes), Hard("random", plain, _elsewhere(codes)))
    del plain
    stage.tell("skew: inside a cluster")
    yield from _inside(clustered(codes, SEED))


def _few_hits(hard: Hard, plain: Hard) -> Iterator[Measure]:
    named = {"random": plain.asked["elsewhere"], **hard.asked}
    works: dict[str, Work] = {
        name: partial(_ask, plain.engine if name == "random" else hard.engine, asked)
        for name, asked in named.items()
    }
    taken = in_turns(works, ROUNDS)
    each = {name: [s / len(named[name]) for s in of] for name, of in taken.items()}
    for where in hard.asked:
        share = median(ratios(each[where], each["random"]))
        yield Measure(f"{hard.name}, {where} / random data", share, "", at_most(REACH))


def _hard(name: str, codes: Words) -> Hard:
    held = LAYOUTS[name](codes, SEED)
    engine = ours.filled(lambda: [held])
    asked = {**_elsewhere(codes), "beside it": _beside(name, held)}
    return Hard(name, engine, {w: _with_few_hits(engine, some) for w, some in asked.items()})


def _elsewhere(codes: Words) -> dict[str, Words]:
    """Questions about codes that are the same in every layout."""
    return {"elsewhere": mixed(codes[SIZE // 2 :], AT_ONCE, SEED + 1)}


def _beside(name: str, held: Words) -> Words:
    """Questions whose buckets are full, although hardly anything there is near."""
    rng = np.random.default_rng(SEED + 2)
    if name == "bucket of half":
        asked = random_words(AT_ONCE, SEED + 3)
        asked[:, 0] = asked[:, 0] & ~PART | held[0, 0] & PART
        return asked
    hubs = held[:1] if name == "cluster" else held[: SIZE // 10 : RUN]
    chosen = hubs[rng.integers(0, len(hubs), AT_ONCE)]
    return turned(chosen, anywhere(AT_ONCE, rng), BESIDE_BITS)


def _inside(held: Words) -> Iterator[Measure]:
    engine = ours.filled(lambda: [held])
    rng = np.random.default_rng(SEED + 4)
    asked = turned(held[rng.integers(0, CLUSTER, INSIDE)], anywhere(INSIDE, rng), 2)
    everywhere, nearest = rivals.scans(held[:CLUSTER], FEW)
    whole = as_bytes(asked)
    works: dict[str, Work] = {
        "ours": partial(_ask, engine, asked),
        "kernel": partial(_ask, _scanned(held[:CLUSTER]), asked),
        "all": lambda _number: everywhere(whole),
        "nearest": lambda _number: nearest(whole),
    }
    taken = in_turns(works, ROUNDS)
    scan = [min(pair) for pair in zip(taken["all"], taken["nearest"], strict=True)]
    share = median(ratios(taken["ours"], scan))
    yield Measure("inside a cluster / scan of just it", share, "", at_most(REACH_INSIDE))
    own = median(ratios(taken["ours"], taken["kernel"]))
    yield Measure("inside a cluster / our own scan of just it", own, "")
    yield Measure("inside a cluster", 1e6 * median(taken["ours"]) / INSIDE, "us/query")


def _scanned(codes: Words) -> Engine:
    """An engine that compares all with all."""
    engine = ours.empty()
    table = Recent.of(PDQ, list(ours.snapshot(lambda: [codes]).chunks))
    total = Total(len(codes), 0)
    engine.begin(State(ours.TIMELINE, ours.POSITION, {PDQ.name: Table(PDQ, (), table, total)}))
    return engine


def _ask(engine: Engine, asked: Words, _number: int) -> None:
    ours.ask(engine, ours.question(asked), ours.everything())


def _with_few_hits(engine: Engine, asked: Words) -> Words:
    hits = ours.ask(engine, ours.question(asked), ours.everything())
    return asked[np.bincount(hits.item, minlength=len(asked)) < FEW]
