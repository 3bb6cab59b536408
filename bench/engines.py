# SPDX-License-Identifier: Apache-2.0
"""The engine alone, on one core, beside the plainest exact search there is: NumPy."""

import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
from numpy.typing import NDArray

from bench.codes import random_codes
from bench.measures import Measure
from bench.stage import SEED, Stage
from matching.batches import Batch, Part
from matching.digests import rows_digest
from matching.engine import Engine
from matching.ports import Chunk, Head, Snapshot, Total
from matching.signals import INDEX, PDQ

SIZES = (100_000, 1_000_000)
LABEL = 2
BATCH, SINGLES, RIVALS = 256, 200, 8

Words = NDArray[np.uint64]


def measure(stage: Stage) -> Iterator[Measure]:
    """Search random codes at two sizes, single and in batches."""
    del stage
    allowed = np.ones(LABEL + 1, np.bool_)
    asked = words(random_codes(BATCH, SEED + 7))
    for size in SIZES:
        held = words(random_codes(size, SEED))
        engine = filled(held)
        batch = _median(lambda e=engine: e.search(question(asked), allowed), 3) / BATCH  # type: ignore[misc]  # bound at once
        single = median(
            _seconds(lambda e=engine, one=one: e.search(question(one), allowed))  # type: ignore[misc]  # bound at once
            for one in asked[:SINGLES, None]
        )
        rival = median(_seconds(lambda h=held, one=one: _plain(h, one)) for one in asked[:RIVALS])  # type: ignore[misc]  # bound at once
        yield Measure(f"engine, {size:,} PDQ, batch of {BATCH}", batch * 1e6, "us/query")
        yield Measure(f"engine, {size:,} PDQ, single", single * 1e6, "us/query")
        yield Measure(f"NumPy, {size:,} PDQ, single", rival * 1e6, "us/query")
        yield Measure(f"engine, {size:,} PDQ, single: times as fast as NumPy", rival / single, "x")


def words(codes: NDArray[np.uint8]) -> Words:
    """The codes as the engine holds them: uint64 ``(n, 4)``."""
    return np.packbits(codes, axis=1).view(">u8").astype(np.uint64)


def filled(codes: Words) -> Engine:
    """An engine that holds these codes, each of an indicator of its own."""
    engine = Engine([PDQ])
    count = len(codes)
    indicators = np.arange(1, count + 1, dtype=np.uint64)
    tags = np.full(count, LABEL, np.uint32)
    total = Total(count, rows_digest(INDEX[PDQ.name], indicators, tags, codes))
    chunks = [Chunk(PDQ.name, codes, indicators, tags)]
    engine.load(Snapshot(Head("bench", 1), {PDQ.name: total}, chunks))
    return engine


def question(codes: Words) -> Batch:
    """A request of plain codes, each an item."""
    items = np.arange(len(codes), dtype=np.uint32)
    return Batch((Part(PDQ, codes, items, np.zeros(len(codes), np.uint8)),), len(codes))


def _plain(held: Words, code: Words) -> NDArray[np.intp]:
    distances = np.bitwise_count(held ^ code).sum(axis=1, dtype=np.uint16)
    return np.flatnonzero(distances <= PDQ.near)


def _median(call: Callable[[], object], times: int) -> float:
    call()
    return median(_seconds(call) for _ in range(times))


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
