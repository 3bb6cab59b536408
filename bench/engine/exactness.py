# SPDX-License-Identifier: Apache-2.0
"""Everything within the radius is found and nothing beyond it: held against brute force in NumPy.

Few codes and many, random and hard layouts, bits turned where an index by parts has it hardest,
distances just inside and just outside, and masks of labels. What is compared is who is found, for
which question, and how far away.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.engine import ours
from bench.engine.data import (
    LAYOUTS,
    RADIUS,
    Words,
    anywhere,
    random_words,
    spread,
    together,
    turned,
)
from bench.measures import Measure, at_least
from bench.stage import SEED, Stage
from matching.engine import Engine

SIZES = (0, 1, 2, 3, 10, 1_000, 100_000, 1_000_000)
DISTANCES = (0, RADIUS - 1, RADIUS, RADIUS + 1, RADIUS + 2, 2 * RADIUS)
AT_ONCE = 50
BLOCK = 16_384
"""Rows compared at once: they stay in the processor's caches."""
MASKS = {
    "all": range(ours.LABELS),
    "half": range(0, ours.LABELS, 2),
    "one": range(3, 4),
    "none": range(0),
}
Keys = NDArray[np.uint64]
Numbers = NDArray[Any]
"""Whole numbers of any width."""


@dataclass
class Tally:
    """How many there were, and how many of them were found."""

    asked: int = 0
    true: int = 0
    found: int = 0
    both: int = 0

    def count(self, true: Keys, found: Keys) -> None:
        """Take the answers to some questions in; a row told twice is not found twice."""
        self.true += len(true)
        self.found += len(found)
        self.both += len(np.intersect1d(true, found))

    @property
    def recall(self) -> float:
        """Of what is within the radius, the share that was found, in percent."""
        return 100 * self.both / self.true if self.true else float("nan")

    @property
    def precision(self) -> float:
        """Of what was found, the share that is within the radius, in percent."""
        return 100 * self.both / self.found if self.found else float("nan")


def measure(stage: Stage) -> Iterator[Measure]:
    """Ask about every size and layout, in equal shares."""
    tally = Tally()
    each = -(-stage.asked // (len(SIZES) * len(LAYOUTS)))
    for size in SIZES:
        for number, (layout, arranged) in enumerate(LAYOUTS.items()):
            stage.tell(f"exactness: {size:,} codes, {layout}")
            held = arranged(random_words(size, SEED + number), SEED)
            compare(held, each, SEED + size + number, tally)
    yield Measure("recall against brute force", tally.recall, "%", at_least(100))
    yield Measure("precision against brute force", tally.precision, "%", at_least(100))
    yield Measure("questions compared with brute force", tally.asked, "", at_least(stage.asked))
    yield Measure("rows within the radius of them", tally.true, "")


def compare(held: Words, count: int, seed: int, tally: Tally) -> None:
    """Ask so many questions about these codes, in turns under each mask."""
    engine = ours.filled(lambda: [held])
    columns = np.ascontiguousarray(held.T)
    labels = ours.labels_of(0, len(held))
    asked = questions(held, count, seed)
    masks = [_mask(labels_seen) for labels_seen in MASKS.values()]
    for turn, begin in enumerate(range(0, count, AT_ONCE)):
        some, mask = asked[begin : begin + AT_ONCE], masks[turn % len(masks)]
        true = within(columns, mask[labels], some)
        tally.count(true, _found(engine, some, mask))
        tally.asked += len(some)


def questions(held: Words, count: int, seed: int) -> Words:
    """Codes at each of the distances from held ones, turned in each way; a tenth is unknown."""
    rng = np.random.default_rng(seed)
    if not len(held):
        return random_words(count, seed)
    codes = held[rng.integers(0, len(held), count)]
    orders = [
        anywhere(count, rng),
        spread(count, rng, 16),
        spread(count, rng, 8),
        spread(count, rng, 32),
        together(count, rng),
    ]
    way = rng.integers(0, len(orders), count)
    order = np.stack(orders)[way, np.arange(count)]
    asked = turned(codes, order, rng.choice(DISTANCES, count))
    unknown = rng.random(count) < 0.1  # noqa: PLR2004 - a tenth
    asked[unknown] = random_words(int(unknown.sum()), seed + 1)
    return asked


def within(columns: Words, seen: NDArray[np.bool_], asked: Words) -> Keys:
    """Brute force: compare all with all.

    Args:
        columns: uint64 ``(4, n)``.
        seen: bool ``(n,)``, the rows that the asker may see.
        asked: uint64 ``(m, 4)``.

    Returns:
        A key for each question and row that are within the radius of one another.
    """
    keys = [np.empty(0, np.uint64)]
    for begin in range(0, columns.shape[1], BLOCK):
        block, may = columns[:, begin : begin + BLOCK], seen[begin : begin + BLOCK]
        for query, code in enumerate(asked):
            distance = np.bitwise_count(block ^ code[:, None]).sum(axis=0, dtype=np.uint16)
            near = np.flatnonzero((distance <= RADIUS) & may)
            if len(near):
                keys.append(_keys(np.full(len(near), query), begin + near, distance[near]))
    return np.concatenate(keys)


def _found(engine: Engine, asked: Words, mask: ours.Mask) -> Keys:
    found = ours.found(ours.ask(engine, ours.question(asked), mask, capped=False))
    return _keys(found.query, found.row, found.distance)


def _keys(query: Numbers, row: Numbers, distance: Numbers) -> Keys:
    keys: Keys = query.astype(np.uint64) << np.uint64(48)
    keys |= row.astype(np.uint64) << np.uint64(16)
    keys |= distance.astype(np.uint64)
    return keys


def _mask(labels: range) -> ours.Mask:
    mask = np.zeros(ours.LABEL + ours.LABELS, np.bool_)
    mask[[ours.LABEL + label for label in labels]] = True
    return mask
