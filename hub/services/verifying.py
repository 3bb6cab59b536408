# SPDX-License-Identifier: Apache-2.0
"""Hold the shared copy and the engine against the truth, by means of their own.

The rows are read from SQL and from Redis, each loaded into an engine of its own, and compared by
count and digest at one position. Then samples are searched in both and by brute force.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from matching.batches import Batch, Hits, Part
from matching.engine import Engine
from matching.errors import MatchingError
from matching.ports import LABEL_MASK, ChangeFeed, Chunk, CodeStore, EntryId, Head
from matching.search.exact import ExactSearch
from matching.signals import PDQ, SIGNALS, Signal

LARGEST_FLIP = 40
"""Bits by which a sample may be changed: beyond the radius too, so that misses are checked."""

Told = Callable[[int, int], None]
"""Called with how many samples were held against each other, and of how many."""


@dataclass
class Report:
    """What a verification found; no difference means that everything agrees."""

    position: int
    rows: dict[str, int]
    samples: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.differences


def verify(
    feed: ChangeFeed, store: CodeStore, *, samples: int, chance: random.Random, told: Told
) -> Report:
    """Compare the shared copy with the truth.

    Raises:
        UnavailableError: SQL or Redis does not answer.
    """
    snapshot = feed.snapshot()
    chunks = list(snapshot.chunks)
    truth = Engine()
    report = Report(snapshot.head.position, {})
    try:
        truth.load(type(snapshot)(snapshot.head, snapshot.totals, chunks))
    except MatchingError as error:
        report.differences.append(f"SQL against its own totals: {error}")
        return report
    report.rows = {name: total.count for name, total in truth.totals.items()}
    copy = _copied(store, snapshot.head, report)
    if copy is not None:
        _compare_totals(truth, copy, report)
    _compare_samples(
        truth, copy or truth, chunks, report, samples=samples, chance=chance, told=told
    )
    return report


def _copied(store: CodeStore, head: Head, report: Report) -> Engine | None:
    """The shared copy, brought to exactly the truth's position."""
    pointer = store.pointer()
    if pointer is None:
        report.differences.append("Redis holds no checkpoint; the relay writes one when it runs.")
        return None
    if pointer.position > head.position:
        report.differences.append("A checkpoint was written meanwhile; run it again.")
        return None
    if pointer.timeline != head.timeline:
        report.differences.append("Redis holds a checkpoint of another timeline.")
        return None
    copy = Engine()
    try:
        copy.load(store.load(pointer))
        _follow(copy, store, head.position)
    except MatchingError as error:
        report.differences.append(f"Redis: {error}")
        return None
    if copy.position < head.position:
        report.differences.append(
            f"Redis ends at position {copy.position}, SQL at {head.position}: does the hub run?"
        )
        return None
    return copy


def _follow(copy: Engine, store: CodeStore, position: int) -> None:
    cursor = EntryId(copy.position, 0)
    while copy.position < position:
        entries = store.read(cursor, 0)
        if not entries:
            return
        cursor = entries[-1].id
        wanted = [
            entry.change
            for entry in entries
            if entry.change is not None and copy.position < entry.change.position <= position
        ]
        copy.apply(wanted)


def _compare_totals(truth: Engine, copy: Engine, report: Report) -> None:
    for name, total in truth.totals.items():
        if copy.totals[name] != total:
            report.differences.append(
                f"{name}: SQL has {total.count} rows, Redis {copy.totals[name].count};"
                " count or digest differs."
            )


def _compare_samples(
    truth: Engine,
    copy: Engine,
    chunks: Sequence[Chunk],
    report: Report,
    *,
    samples: int,
    chance: random.Random,
    told: Told,
) -> None:
    plain = ExactSearch(chunks)
    used = (int((chunk.tags & np.uint32(LABEL_MASK)).max()) for chunk in chunks if len(chunk.tags))
    labels = 1 + max(used, default=1)
    allowed = np.ones(labels, np.bool_)
    for done in range(samples):
        batch = _sample(chunks, chance)
        wanted = _told(plain.search(batch, allowed, capped=False))
        for name, engine in (("SQL", truth), ("Redis", copy)):
            if _told(engine.search(batch, allowed, capped=False)) != wanted:
                report.differences.append(f"sample {done}: the engine from {name} is not exact.")
        report.samples += 1
        told(done + 1, samples)


def _sample(chunks: Sequence[Chunk], chance: random.Random) -> Batch:
    """A stored code with some bits changed, near the radius on either side."""
    chunk = chance.choice([chunk for chunk in chunks if len(chunk.codes)])
    signal: Signal = SIGNALS[chunk.signal]
    code = chunk.codes[chance.randrange(len(chunk.codes))].copy()
    flips = chance.randint(0, LARGEST_FLIP) if signal is PDQ else chance.randint(0, 1)
    for bit in chance.sample(range(signal.bits), flips):
        code[bit // 64] ^= np.uint64(1 << (63 - bit % 64))
    one = np.zeros(1, np.uint32)
    return Batch((Part(signal, code.reshape(1, -1), one, one.astype(np.uint8)),), 1)


def _told(hits: Hits) -> list[tuple[int, ...]]:
    columns = (hits.item, hits.indicator, hits.signal, hits.distance)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))
