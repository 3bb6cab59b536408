# SPDX-License-Identifier: Apache-2.0
"""Breakwater's engine as the benchmarks use it: all they know of its interface is in this file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.engine.data import RADIUS, Words
from matching.batches import Batch, Hits, Part, bytes_of
from matching.controls import control_chunks
from matching.digests import MASK, rows_digest
from matching.engine import Engine
from matching.ports import Change, Chunk, Head, Rows, Snapshot, Total
from matching.search.planning import planned
from matching.shelves.folder import FolderShelf
from matching.signals import INDEX, PDQ

LABELS = 8
LABEL = 2
"""The first label that indicators may have; those below are the engine's own."""
SIGNAL = PDQ.name
TIMELINE, POSITION = "bench", 1
"""Of the checkpoint."""
CHUNK = 65_536
"""Rows of a chunk of a checkpoint."""

Mask = NDArray[np.bool_]
Portions = Callable[[], Iterable[Words]]


@dataclass(frozen=True)
class Found:
    """What was found, in columns: which question, which row held, how far."""

    query: NDArray[np.uint32]
    row: NDArray[np.uint64]
    distance: NDArray[np.uint16]


def everything() -> Mask:
    """The mask of who may see all."""
    return np.ones(LABEL + LABELS, np.bool_)


def labels_of(first: int, count: int) -> NDArray[np.uint32]:
    """The labels of some rows, as `snapshot` gives them."""
    spread = np.arange(first, first + count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (spread >> np.uint64(61)).astype(np.uint32) + np.uint32(LABEL)


def snapshot(portions: Portions, *, controls: bool = False) -> Snapshot:
    """Codes as a checkpoint, row i of indicator i + 1; with the engine's controls or without."""
    count = digest = 0
    for chunk in _chunks(portions, controls=controls):
        count += len(chunk.tags)
        digest += rows_digest(INDEX[SIGNAL], chunk.indicators, chunk.tags, chunk.codes)
    total, chunks = Total(count, digest & MASK), _chunks(portions, controls=controls)
    return Snapshot(Head(TIMELINE, POSITION), {SIGNAL: total}, chunks)


def empty(folder: Path | None = None, memory: int | None = None) -> Engine:
    """An engine that holds nothing yet; its segments in memory, or in a folder.

    Args:
        folder: where they are to lie.
        memory: bytes that the largest may take, as `BREAKWATER_INDEX_MEMORY` bounds a hub's.
    """
    shelf = None if folder is None else FolderShelf(folder)
    return Engine([PDQ], shelf=shelf, planner=partial(planned, memory=memory))


def filled(portions: Portions, folder: Path | None = None) -> Engine:
    """An engine that holds these codes; in memory, or in a folder."""
    engine = empty(folder)
    engine.load(snapshot(portions))
    return engine


def opened(folder: Path) -> Engine:
    """An engine that holds what another process has published in a folder.

    Raises:
        LookupError: Nothing was.
    """
    engine = empty(folder)
    base = engine.open()
    if base is None:
        raise LookupError("no base was published")
    engine.begin(base)
    return engine


def question(codes: Words) -> Batch:
    """A request of plain codes, each an item."""
    items = np.arange(len(codes), dtype=np.uint32)
    return Batch((Part(PDQ, codes, items, np.zeros(len(codes), np.uint8)),), len(codes))


def ask(engine: Engine, batch: Batch, allowed: Mask, *, capped: bool = True) -> Hits:
    """Search."""
    return engine.search(batch, allowed, capped=capped, radius={SIGNAL: RADIUS})


def found(hits: Hits) -> Found:
    """What a search found, by rows."""
    return Found(hits.item, hits.indicator - np.uint64(1), hits.distance)


def additions(codes: Words, after: Total, position: int, first: int) -> Iterator[Change]:
    """Changes that add a code each.

    Args:
        codes: to be added.
        after: count and digest before the first.
        position: of the first change.
        first: how many rows are held before it.
    """
    count, digest = after.count, after.digest
    for place, code in enumerate(codes):
        indicator, label = first + place + 1, int(labels_of(first + place, 1)[0])
        row = (np.array([indicator], np.uint64), np.array([label], np.uint32), code[None])
        count, digest = count + 1, digest + rows_digest(INDEX[SIGNAL], *row) & MASK
        rows = (Rows(SIGNAL, bytes_of(PDQ, code[None]), b"\0"),)
        total = {SIGNAL: Total(count, digest)}
        yield Change(position + place, 0, indicator, label, rows, total, b"")


def total(engine: Engine) -> Total:
    """Count and digest of what an engine holds."""
    return engine.totals[SIGNAL]


def add(engine: Engine, codes: Words) -> None:
    """Add codes, a change each."""
    before = total(engine)
    engine.apply(list(additions(codes, before, engine.position + 1, before.count)))


def relabel(engine: Engine, indicators: Iterable[int]) -> None:
    """Give indicators another label, a change each."""
    changes = enumerate(indicators, engine.position + 1)
    label = LABEL + LABELS - 1
    engine.apply([Change(at, 0, one, label, None, {}, b"") for at, one in changes])


def _chunks(portions: Portions, *, controls: bool) -> Iterator[Chunk]:
    if controls:
        yield from control_chunks([PDQ])
    begin = 0
    for portion in portions():
        for start in range(0, len(portion), CHUNK):
            codes = portion[start : start + CHUNK]
            indicators = np.arange(begin + 1, begin + len(codes) + 1, dtype=np.uint64)
            yield Chunk(SIGNAL, codes, indicators, labels_of(begin, len(codes)))
            begin += len(codes)
