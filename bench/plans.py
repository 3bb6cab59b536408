# SPDX-License-Identifier: Apache-2.0
"""What plans cost, and what they were expected to: `matching.search.planning.COSTS` is made here.

Segments of many shapes are built of random codes and asked for others. The constants are fitted
by least squares of the relative error, none below zero; they are printed as Python. What counts
is processor time of the one thread, the least of some rounds: the machine may be shared.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import click
import numpy as np
from numpy.typing import NDArray

from bench.engine import ours
from bench.engine.data import RADIUS, random_words
from bench.engine.timing import Work, in_turns
from bench.measures import Measure, Reach, at_most
from bench.stage import SEED, Stage
from matching.batches import Part
from matching.ports import Chunk
from matching.search.plan import Plan
from matching.search.planning import COSTS, Costs, expected
from matching.search.recent import Recent
from matching.search.scan import Scan
from matching.search.segment import in_memory
from matching.search.selection import Limits
from matching.search.table import Piece, Table
from matching.signals import PDQ

ROUNDS, MOST_AT_ONCE, LEAST_AT_ONCE = 4, 1_000, 20
ABOUT = 0.1
"""Seconds that one round of a plan should take."""
SMALL = 1_000_000
"""Up to so many rows all plans of a size are built at once and measured in turns."""
WORST = 2

Numbers = NDArray[np.float64]
ALL_ROWS = (1, 1)
SHAPES: Mapping[int, Sequence[tuple[int, int]]] = {
    1_000: (ALL_ROWS, (32, 8), (16, 10), (16, 16)),
    10_000: (ALL_ROWS, (32, 8), (24, 10), (16, 13), (16, 16)),
    100_000: (ALL_ROWS, (24, 10), (20, 12), (16, 13), (16, 16), (13, 19)),
    1_000_000: (ALL_ROWS, (20, 12), (16, 14), (16, 16), (13, 19), (11, 23)),
    3_000_000: ((16, 16), (11, 22)),
    10_000_000: ((16, 16), (12, 21), (11, 23)),
}
"""By rows: parts and the width of each; all but the first with riders and without."""
BOTH_WAYS = 3_000_000
"""Beyond so many rows plans with riders alone are built: it takes its time."""


@dataclass(frozen=True)
class Shape:
    """A plan for so many rows."""

    rows: int
    plan: Plan

    def expected(self, costs: Costs) -> float:
        """What it should cost, in nanoseconds a query."""
        return expected(self.plan, self.rows, RADIUS, costs).nanoseconds

    def __str__(self) -> str:
        if self.plan.spread(RADIUS) is None:
            return f"{self.rows:,}: all rows"
        with_riders = ", riders" if self.plan.riders else ""
        return f"{self.rows:,}: {self.plan.parts} x {self.plan.width} bits{with_riders}"


def measure(stage: Stage) -> Iterator[Measure]:
    """Measure every shape, fit, and hold both sets of constants against what was measured."""
    taken: dict[Shape, float] = {}
    for group in _groups():
        stage.tell(f"plans: {', '.join(map(str, group))}")
        taken.update(_measured(group))
    fitted = fit(taken)
    click.echo(f"COSTS = {fitted}")
    for shape, nanoseconds in taken.items():
        yield Measure(str(shape), nanoseconds / 1e3, "us/query")
        yield Measure(f"{shape}, fitted", shape.expected(fitted) / 1e3, "us/query")
    yield from _judged("costs fitted now", taken, fitted, at_most(WORST))
    yield from _judged("costs as kept", taken, COSTS, None)


def fit(taken: Mapping[Shape, float]) -> Costs:
    """The constants that come nearest to what was measured."""
    nothing = _costs(np.zeros(len(_values(COSTS))))
    units = [_costs(unit) for unit in np.eye(len(_values(COSTS)))]
    known = np.array([shape.expected(nothing) for shape in taken])
    told = np.array([[shape.expected(unit) for unit in units] for shape in taken]) - known[:, None]
    measured = np.array([*taken.values()])
    return _costs(_not_negative(told / measured[:, None], 1 - known / measured))


def _not_negative(matrix: Numbers, wanted: Numbers) -> Numbers:
    """Least squares without what would come out below zero, the lowest first."""
    free = np.ones(matrix.shape[1], np.bool_)
    while True:
        found = np.zeros(matrix.shape[1])
        found[free] = np.linalg.lstsq(matrix[:, free], wanted, rcond=None)[0]
        if (found >= 0).all():
            return found
        free[found.argmin()] = False


def _groups() -> Iterator[list[Shape]]:
    """What is measured in turns."""
    for rows, cuts in SHAPES.items():
        shapes = [
            Shape(rows, Plan(PDQ.words, parts, width, riders))
            for parts, width in cuts
            for riders in (False, True)
            if (riders and parts > 1) or (not riders and (rows <= BOTH_WAYS or parts == 1))
        ]
        if rows <= SMALL:
            yield shapes
        else:
            yield from ([shape] for shape in shapes)


def _measured(shapes: Sequence[Shape]) -> Mapping[Shape, float]:
    """Nanoseconds a query of each."""
    rows = shapes[0].rows
    codes = np.concatenate(
        [random_words(min(SMALL, rows - begin), SEED + begin) for begin in range(0, rows, SMALL)]
    )
    chunk = Chunk(
        PDQ.name, codes, np.arange(1, rows + 1, dtype=np.uint64), ours.labels_of(0, rows)
    )
    works, counts = dict[str, Work](), dict[str, int]()
    for shape in shapes:
        counts[str(shape)] = _at_once(shape)
        works[str(shape)] = _asking(Table.of(PDQ, []), shape, chunk, counts[str(shape)])
    taken = in_turns(works, ROUNDS, time.thread_time)
    return {shape: 1e9 * min(taken[str(shape)]) / counts[str(shape)] for shape in shapes}


def _at_once(shape: Shape) -> int:
    return int(np.clip(1e9 * ABOUT / shape.expected(COSTS), LEAST_AT_ONCE, MOST_AT_ONCE))


def _asking(empty: Table, shape: Shape, rows: Chunk, count: int) -> Work:
    """Ask the codes of a round, by the way that a search goes."""
    segment = in_memory(PDQ, rows, shape.plan)
    piece = Piece.of(segment, rows)
    table = replace(empty, pieces=(piece,), recent=Recent.none(PDQ), total=piece.total)
    asked = [random_words(count, SEED - number - 1) for number in range(ROUNDS)]
    items, plain = np.arange(count, dtype=np.uint32), np.zeros(count, np.uint8)

    def ask(number: int) -> None:
        part = Part(PDQ, asked[number], items, plain)
        limits = Limits.none(count)
        for _ in Scan(table, part, RADIUS, ours.everything(), limits).portions():
            pass

    return ask


def _judged(
    name: str, taken: Mapping[Shape, float], costs: Costs, reach: Reach | None
) -> Iterator[Measure]:
    """How far off it is, and what that costs: the plan it chooses beside the quickest there is."""
    ratios = {shape: shape.expected(costs) / ns for shape, ns in taken.items()}
    # Another machine is quicker or slower in all.
    usual = median(ratios.values())
    errors = [max(ratio / usual, usual / ratio) for ratio in ratios.values()]
    yield Measure(f"{name}: expected / measured, median", usual, "")
    yield Measure(f"{name}: error, median", median(errors), "times")
    yield Measure(f"{name}: error, worst", max(errors), "times", reach)
    yield Measure(f"{name}: chosen / quickest, worst", _regret(taken, costs), "times", reach)


def _regret(taken: Mapping[Shape, float], costs: Costs) -> float:
    worst = 1.0
    for rows in SHAPES:
        shapes = [shape for shape in taken if shape.rows == rows]
        chosen = min(shapes, key=lambda shape: shape.expected(costs))
        worst = max(worst, taken[chosen] / min(taken[shape] for shape in shapes))
    return worst


def _values(costs: Costs) -> list[float]:
    """The constants that are fitted, one after another."""
    return [costs.query, *costs.bucket, *costs.entry, costs.row, *costs.far_row]


def _costs(values: Numbers) -> Costs:
    """The other way round, to three digits."""
    query, *pairs, row, near_row, far_row = (float(f"{value:.3g}") for value in values)
    bucket, entry = (pairs[0], pairs[1]), (pairs[2], pairs[3])
    return Costs(query, bucket, entry, row, (near_row, far_row))
