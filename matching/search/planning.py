# SPDX-License-Identifier: Apache-2.0
"""Which plan: the cheapest by a cost model fitted to measurements, within a budget of memory.

`make bench-plans` measures plans of many shapes and fits `COSTS` anew; what it was fitted to
stands in ``bench/results``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from matching.search.plan import WORD, Plan
from matching.signals import Signal

WIDEST = 26
"""Bits of a part: offsets of one part then take 256 MB."""
MOST_STEPS = 20_000
"""Buckets that a query reads, at most."""
BYTES_A_ROW = 300
"""What a row of the largest code may take, however much memory there is."""


@dataclass(frozen=True)
class Costs:
    """Nanoseconds of what a query does, on one thread, in batches.

    What is read here and there costs more the more there is to read from: from the first number
    where all of it fits into ``near_bytes``, to the second where it takes ``far_bytes``, and on by
    the logarithm.

    Attributes:
        query: whatever is asked.
        bucket: each that is looked up.
        entry: with riders, each that is read.
        row: compared where rows lie one after another.
        far_row: a look at a row anywhere, or at the start of a list.
        near_bytes: that fit into a near cache.
        far_bytes: that fit into none.
    """

    query: float
    bucket: tuple[float, float]
    entry: tuple[float, float]
    row: float
    far_row: tuple[float, float]
    near_bytes: int = 1 << 20
    far_bytes: int = 1 << 28

    def there(self, cost: tuple[float, float], size: float) -> float:
        """What a look at one of so many bytes costs."""
        far = np.log2(max(size, self.near_bytes) / self.near_bytes)
        return float(
            cost[0] + (cost[1] - cost[0]) * far / np.log2(self.far_bytes / self.near_bytes)
        )


COSTS = Costs(query=849.0, bucket=(13.1, 25.9), entry=(1.13, 3.31), row=2.15, far_row=(3.02, 25.2))
"""Fitted to 42 plans for 1,000 to 10,000,000 rows, 8 to 23 bits wide: half of them are met within
7 %, all within 37 %; the plan chosen was the quickest measured at every size."""


@dataclass(frozen=True)
class Considered:
    """A plan, and what it is expected to cost.

    Attributes:
        plan: the plan.
        spread: bits turned in each part; None: all rows are compared.
        nanoseconds: of one query among random codes, on one thread, in a batch.
        bytes: of the whole segment.
    """

    plan: Plan
    spread: tuple[int, ...] | None
    nanoseconds: float
    bytes: int


def planned(signal: Signal, rows: int, *, memory: int | None = None) -> Considered:
    """Choose the plan for rows of a signal, for about as many at least.

    Args:
        signal: what kind of codes.
        rows: how many there will be.
        memory: bytes that the segment may take, if there is a bound.
    """
    # Two leading bits of their number are enough, and remembered.
    low = max(0, rows.bit_length() - 2)
    return _planned(-(-rows >> low) << low or 1, signal.bits, signal.near, memory)


@cache
def _planned(rows: int, bits: int, radius: int, memory: int | None) -> Considered:
    return choose(rows, bits, radius, budget=memory)


def choose(rows: int, bits: int, radius: int, *, budget: int | None = None) -> Considered:
    """Choose the plan for so many rows; where none fits into the budget, the smallest.

    Args:
        rows: how many there will be.
        bits: of a code, 64 to 256.
        radius: bits.
        budget: bytes that the segment may take, if there is a bound beside what is worth it.
    """
    found = list(considered(rows, bits, radius))
    most = allowance(rows, bits, budget)
    fitting = [one for one in found if one.bytes <= most]
    if not fitting:
        return min(found, key=lambda one: one.bytes)
    return min(fitting, key=lambda one: one.nanoseconds)


def allowance(rows: int, bits: int, budget: int | None) -> int:
    """Bytes that a segment may take: what is worth it, and no more than the budget."""
    most = rows * BYTES_A_ROW * bits // 256 + (1 << 23)
    return most if budget is None else min(most, budget)


def considered(rows: int, bits: int, radius: int) -> Iterator[Considered]:
    """Name every plan that is worth a thought, each with what it costs."""
    words = -(-bits // WORD)
    for parts in range(1, min(radius + 1, bits) + 1):
        for width in range(1, min(bits // parts, WIDEST) + 1):
            for riders in (False, True)[: 1 + (words > 1 and parts > 1)]:
                plan = Plan(words, parts, width, riders)
                spread = plan.spread(radius)
                if spread is None and (parts, width) != (1, 1):
                    continue
                if spread is not None and plan.steps(spread) > MOST_STEPS:
                    continue
                yield expected(plan, rows, radius)


def expected(plan: Plan, rows: int, radius: int, costs: Costs = COSTS) -> Considered:
    """Say what a plan is expected to cost for random codes."""
    spread, size = plan.spread(radius), plan.bytes_for(rows)
    if spread is None:
        return Considered(plan, None, costs.query + rows * costs.row, size)
    steps = plan.steps(spread)
    first = int(plan.upto[spread[0] + 1])
    a_bucket = rows / (1 << plan.width)
    lookups = steps * costs.there(costs.bucket, 4 * plan.buckets)
    entries = (steps - first) * a_bucket
    listed = (plan.parts - 1) * plan.entry_bytes * rows
    # The start of each list is a look here and there, what follows is read as it lies.
    reading = (steps - first) * min(1.0, a_bucket) * costs.there(costs.far_row, listed)
    if plan.riders:
        reading += entries * costs.there(costs.entry, listed)
    else:
        reading += entries * costs.there(costs.far_row, 8 * plan.words * rows)
    ordered = first * a_bucket * costs.row
    return Considered(plan, spread, costs.query + lookups + reading + ordered, size)
