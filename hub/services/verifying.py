# SPDX-License-Identifier: Apache-2.0
"""Hold against the truth what answers instead of it: the shared copy, and this machine's base.

Rows are compared by count and digest at one position, and samples are searched and answered by
brute force. One copy at a time is in memory beside the truth's bare rows.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from matching.batches import Batch, Hits, Part
from matching.digests import MASK
from matching.engine import Engine
from matching.errors import MatchingError
from matching.ports import (
    LABEL_MASK,
    Change,
    ChangeFeed,
    Chunk,
    CodeStore,
    EntryId,
    Head,
    Snapshot,
    Total,
)
from matching.search.exact import ExactSearch
from matching.search.planning import Considered, choose, planned
from matching.search.table import State, Table, total_of
from matching.shelves.shelf import Shelf
from matching.signals import PDQ, SIGNALS, Signal

LARGEST_FLIP = 40
"""Bits by which a sample may be changed: beyond the radius too, so that misses are checked."""
PAGE = 1_000
REDIS, HERE = "Redis", "This machine"

Progress = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""Shows how far something named is, of so much in all."""
Told = list[tuple[int, ...]]


@dataclass
class Report:
    """What a verification found; no difference means that everything agrees.

    Attributes:
        position: at which all was compared.
        rows: of each signal, by count of the database.
        compared: what was compared with the database.
        samples: searches held against brute force, in each of them.
        differences: sentences.
    """

    position: int
    rows: dict[str, int]
    compared: list[str] = field(default_factory=list)
    samples: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.differences


@dataclass
class _Truth:
    """The rows of SQL, and samples with their answers by brute force."""

    head: Head
    totals: Mapping[str, Total]
    allowed: NDArray[np.bool_]
    samples: list[tuple[Batch, Told]] = field(default_factory=list)


def verify(
    snapshot: Snapshot,
    feed: ChangeFeed,
    store: CodeStore,
    shelf: Shelf,
    *,
    samples: int,
    chance: random.Random,
    progress: Progress,
) -> Report:
    """Compare with the truth what lies in Redis and on this machine.

    Raises:
        UnavailableError: SQL or Redis does not answer.
    """
    chunks = list(snapshot.chunks)
    truth = _Truth(snapshot.head, _counted(chunks), _labels(chunks))
    report = Report(snapshot.head.position, {n: total.count for n, total in truth.totals.items()})
    told = {name: snapshot.totals.get(name, Total(0, 0)) for name in truth.totals}
    if told != truth.totals:
        report.differences.append("SQL: its rows are not what its own totals say.")
        return report
    with progress("Searching by brute force", samples) as advance:
        for batch, wanted in _answered(chunks, truth, samples, chance):
            truth.samples.append((batch, wanted))
            advance(1)
    del chunks
    report.samples = len(truth.samples)
    is_there, base = shelf.published(), shelf.latest()
    if is_there and base is None:
        report.differences.append(f"{HERE}: the base is damaged.")
    # What is mapped from this machine is what answers; else the copy is indexed as that would be.
    for name, made in (
        (REDIS, partial(_copied, store, truth.head, planned if base is None else _smallest)),
        (HERE, partial(_begun, base, feed, truth.head)),
    ):
        with progress(f"Comparing: {name}", len(truth.samples)) as advance:
            _compare(name, made, truth, report, advance)
    return report


def _compare(
    name: str,
    made: Callable[[], Engine | None],
    truth: _Truth,
    report: Report,
    advance: Callable[[int], None],
) -> None:
    try:
        engine = made()
    except (_UnlikeError, MatchingError) as error:
        report.differences.append(f"{name}: {error}")
        return
    if engine is None:
        return
    report.compared.append(name)
    _compare_totals(name, engine, truth, report)
    for number, (batch, wanted) in enumerate(truth.samples):
        if _told(engine.search(batch, truth.allowed, capped=False)) != wanted:
            report.differences.append(f"{name}: sample {number} is not what brute force finds.")
        advance(1)


def _compare_totals(name: str, engine: Engine, truth: _Truth, report: Report) -> None:
    for signal, total in truth.totals.items():
        table = engine.state.tables[signal]
        # Running totals, and once more from the rows themselves.
        if not total == table.total == _recounted(table):
            report.differences.append(
                f"{name}: {signal}: SQL has {total.count} rows, it {table.total.count};"
                " count or digest differs."
            )


def _recounted(table: Table) -> Total:
    live = (*(piece.live() for piece in table.pieces), table.young())
    return _added(total_of(table.signal, [chunk]) for chunk in live)


# -- what is compared ----------------------------------------------------------------------------


class _UnlikeError(Exception):
    """It cannot be compared; the sentence says why."""


def _copied(store: CodeStore, head: Head, planner: Callable[[Signal, int], Considered]) -> Engine:
    """The shared copy, brought to exactly the truth's position."""
    pointer = store.pointer()
    if pointer is None:
        raise _UnlikeError("it holds no checkpoint; the relay writes one when it runs.")
    if pointer.position > head.position:
        raise _UnlikeError("a checkpoint was written meanwhile; run it again.")
    if pointer.timeline != head.timeline:
        raise _UnlikeError("it holds a checkpoint of another timeline.")
    copy = Engine(planner=planner)
    copy.load(store.load(pointer))
    for changes in _streamed(store, copy.position, head.position):
        copy.apply(changes)
    if copy.position < head.position:
        raise _UnlikeError(
            f"it ends at position {copy.position}, SQL at {head.position}: does the hub run?"
        )
    return copy


def _streamed(store: CodeStore, position: int, until: int) -> Iterator[list[Change]]:
    cursor = EntryId(position, 0)
    while cursor.position < until and (entries := store.read(cursor, 0)):
        cursor = entries[-1].id
        changes = (entry.change for entry in entries if entry.change is not None)
        yield [change for change in changes if position < change.position <= until]


def _begun(base: State | None, feed: ChangeFeed, head: Head) -> Engine | None:
    """This machine's base, brought to exactly the truth's position; None where there is none."""
    if base is None or base.timeline != head.timeline:
        return None  # nobody answers from another history
    if base.position > head.position:
        raise _UnlikeError("a base was published meanwhile; run it again.")
    engine = Engine()
    engine.begin(base)
    while engine.position < head.position:
        changes = feed.after(engine.position, min(PAGE, head.position - engine.position))
        if not changes or any(change.resync for change in changes):
            raise _UnlikeError("the base is from before something was erased: does the hub run?")
        engine.apply(changes)
    return engine


def _smallest(signal: Signal, rows: int) -> Considered:
    return choose(rows, signal.bits, signal.near, budget=0)


# -- the truth -----------------------------------------------------------------------------------


def _counted(chunks: Sequence[Chunk]) -> dict[str, Total]:
    totals = dict.fromkeys(SIGNALS, Total(0, 0))
    for chunk in chunks:
        one = total_of(SIGNALS[chunk.signal], [chunk])
        totals[chunk.signal] = _added([totals[chunk.signal], one])
    return totals


def _added(totals: Iterable[Total]) -> Total:
    some = list(totals)
    return Total(sum(one.count for one in some), sum(one.digest for one in some) & MASK)


def _labels(chunks: Sequence[Chunk]) -> NDArray[np.bool_]:
    used = (int((chunk.tags & np.uint32(LABEL_MASK)).max()) for chunk in chunks if len(chunk.tags))
    return np.ones(1 + max(used, default=1), np.bool_)


def _answered(
    chunks: Sequence[Chunk], truth: _Truth, samples: int, chance: random.Random
) -> Iterator[tuple[Batch, Told]]:
    plain = ExactSearch(chunks)
    for _ in range(samples):
        batch = _sample(chunks, chance)
        yield batch, _told(plain.search(batch, truth.allowed, capped=False))


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


def _told(hits: Hits) -> Told:
    columns = (hits.item, hits.indicator, hits.signal, hits.distance)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))
