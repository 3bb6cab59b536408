# SPDX-License-Identifier: Apache-2.0
"""Rows that never change, indexed by the parts of their codes; in memory or mapped from a file."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from matching.ports import Chunk
from matching.search import packing
from matching.search.crowds import Crowds, crowds
from matching.search.packing import fixed
from matching.search.plan import Ints, Plan
from matching.search.spreading import WHOLE
from matching.signals import Signal

Array: TypeAlias = NDArray[Any]
Section = tuple[str, DTypeLike, tuple[int, ...]]
PATIENCE, CROWD = 4, 4_096
"""Entries a query may lead to: so many times what it would in random codes, and so many more."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows of one signal, in the order of the first part of their codes.

    Attributes:
        signal: what kind of codes.
        plan: how they are cut.
        codes: uint64 ``(n, words)``.
        indicators: uint64 ``(n,)``.
        tags: uint32 ``(n,)``, derivation << 24 | label, as they were when it was made.
        order: uint32 ``(n,)``, rows in the order of their indicators.
        entries: for each part but the first all rows in its order; uint64 ``(…, 2)`` with riders,
            else uint32 ``(…,)``.
        offsets: uint32, for each part where the entries of each value begin.
        centres: uint64 ``(k, words)``, of crowds: the last rows, laid aside from the parts.
        bounds: int64 ``(k + 1,)``, which rows belong to each crowd.
        apart: int64, of each row of a crowd the bits from its centre; ascending in each.
        name: of the file it is mapped from; empty in memory.
    """

    signal: Signal
    plan: Plan
    codes: NDArray[np.uint64]
    indicators: NDArray[np.uint64]
    tags: NDArray[np.uint32]
    order: NDArray[np.uint32]
    entries: Array
    offsets: NDArray[np.uint32]
    centres: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    apart: NDArray[np.int64]
    name: str = ""

    def __post_init__(self) -> None:
        # Every segment shows the kernels arrays of one kind, mapped or not.
        for each in fields(self):
            if isinstance(array := getattr(self, each.name), np.ndarray):
                object.__setattr__(self, each.name, fixed(array))

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.tags)

    @property
    def bytes(self) -> int:
        """What it takes, in memory or on disk."""
        return self.plan.bytes_for(self.rows)

    @cached_property
    def cut(self) -> tuple[NDArray[np.uint32], Ints, NDArray[np.uint64], Ints]:
        """Offsets, layout, turns and their counts, as the kernels take them."""
        return self.offsets, self.plan.layout(), self.plan.turns, self.plan.upto

    @property
    def aside(self) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
        """Centres, bounds and distances of the crowds, as the kernels take them."""
        return self.centres, self.bounds, self.apart

    def reach(self, radius: int) -> tuple[int, Ints, int]:
        """Say for a radius which buckets to read, and how many entries are too many."""
        known = self._reaches.get(radius)
        if known is None:
            known = self._reaches[radius] = self._reach(radius)
        return known

    def rows_of(self, indicator: int) -> list[int]:
        """The rows of an indicator, whatever their label."""
        begin, end = packing.span(self.indicators, self.order, np.uint64(indicator))
        return self.order[begin:end].tolist()  # type: ignore[no-any-return]  # a list of integers

    @cached_property
    def _reaches(self) -> dict[int, tuple[int, Ints, int]]:
        return {}

    def _reach(self, radius: int) -> tuple[int, Ints, int]:
        spread = self.plan.spread(radius)
        if spread is None:
            whole = np.full(self.plan.parts, -1, np.int64)
            whole[0] = WHOLE
            return radius, whole, 0
        usual = int(self.bounds[0]) * self.plan.steps(spread) >> self.plan.width
        return radius, np.array(spread, np.int64), PATIENCE * usual + CROWD


def sections(plan: Plan, rows: int, aside: Crowds) -> list[Section]:
    """Name the arrays of a segment, in the order in which `packed` makes them."""
    listed = (plan.parts - 1) * (rows - len(aside.rows))
    return [
        ("codes", np.uint64, (rows, plan.words)),
        ("indicators", np.uint64, (rows,)),
        ("tags", np.uint32, (rows,)),
        ("order", np.uint32, (rows,)),
        ("entries", np.uint64, (listed, 2)) if plan.riders else ("entries", np.uint32, (listed,)),
        ("offsets", np.uint32, (plan.buckets,)),
        ("centres", np.uint64, aside.centres.shape),
        ("bounds", np.int64, aside.bounds.shape),
        ("apart", np.int64, aside.apart.shape),
    ]


def packed(rows: Chunk, plan: Plan, aside: Crowds) -> Iterator[tuple[str, Array]]:
    """Make the arrays of a segment one after another, entries a part at a time.

    What is given out is overwritten when the next is asked for.
    """
    layout, offsets = plan.layout(), aside.offsets
    where = _where(rows, layout[0], aside)
    placed = np.empty(rows.codes.shape, np.uint64)
    packing.put(fixed(rows.codes), where, placed)
    yield "codes", placed
    yield "indicators", _placed(rows.indicators, where)
    yield "tags", _placed(rows.tags, where)
    yield "order", _by_indicator(rows.indicators, where)
    del where
    codes = fixed(placed[: len(placed) - len(aside.rows)])
    fill = packing.fill_with_riders if plan.riders else packing.fill
    entries = (
        np.empty((len(codes), 2), np.uint64) if plan.riders else np.empty(len(codes), np.uint32)
    )
    if plan.parts == 1:
        yield "entries", entries[:0]
    for part in range(1, plan.parts):
        fill(codes, layout[part], offsets[part].copy(), entries)
        yield "entries", entries
    yield "offsets", offsets.reshape(-1)
    yield "centres", aside.centres
    yield "bounds", aside.bounds + len(codes)
    yield "apart", aside.apart


def in_memory(signal: Signal, rows: Chunk, plan: Plan) -> Segment:
    """Make a segment in this process's memory."""
    aside = crowds(fixed(rows.codes), plan)
    wanted = sections(plan, len(rows.tags), aside)
    arrays = {name: np.empty(shape, kind) for name, kind, shape in wanted}
    filled = dict.fromkeys(arrays, 0)
    for name, array in packed(rows, plan, aside):
        arrays[name][filled[name] : filled[name] + len(array)] = array
        filled[name] += len(array)
    return Segment(signal, plan, **arrays, name="")


def _where(rows: Chunk, part: Ints, aside: Crowds) -> NDArray[np.uint32]:
    """Say where each row is to lie: in the order of a part, and those laid aside behind."""
    where, cursors = np.empty(len(rows.tags), np.uint32), aside.offsets[0].copy()
    if not len(aside.rows):
        packing.places(fixed(rows.codes), part, cursors, where)
        return where
    rest = np.delete(np.arange(len(where)), aside.rows)
    places = np.empty(len(rest), np.uint32)
    packing.places(fixed(rows.codes[rest]), part, cursors, places)
    where[rest] = places
    where[aside.rows] = np.arange(len(rest), len(where))
    return where


def _placed(values: Array, where: NDArray[np.uint32]) -> Array:
    placed = np.empty_like(values)
    placed[where] = values
    return placed


def _by_indicator(indicators: NDArray[np.uint64], where: NDArray[np.uint32]) -> NDArray[np.uint32]:
    if (indicators[1:] >= indicators[:-1]).all():
        return where  # as the truth gives them
    return where[np.argsort(indicators, kind="stable")]
