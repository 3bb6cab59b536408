# SPDX-License-Identifier: Apache-2.0
"""Rows that never change, indexed by the parts of their codes; in memory or mapped from a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from matching.ports import Chunk
from matching.search import packing
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
    name: str = ""

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
        usual = self.rows * self.plan.steps(spread) >> self.plan.width
        return radius, np.array(spread, np.int64), PATIENCE * usual + CROWD


def sections(plan: Plan, rows: int) -> list[Section]:
    """Name the arrays of a segment, in the order in which `packed` makes them."""
    listed = (plan.parts - 1) * rows
    entries: Section = ("entries", np.uint32, (listed,))
    if plan.riders:
        entries = ("entries", np.uint64, (listed, 2))
    return [
        ("codes", np.uint64, (rows, plan.words)),
        ("indicators", np.uint64, (rows,)),
        ("tags", np.uint32, (rows,)),
        ("order", np.uint32, (rows,)),
        entries,
        ("offsets", np.uint32, (plan.buckets,)),
    ]


def packed(rows: Chunk, plan: Plan) -> Iterator[tuple[str, Array]]:
    """Make the arrays of a segment one after another, entries a part at a time.

    What is given out is overwritten when the next is asked for.
    """
    layout, size, given = plan.layout(), plan.buckets // plan.parts, fixed(rows.codes)
    offsets = np.zeros(plan.buckets, np.uint32)
    of_part = offsets.reshape(plan.parts, size)
    packing.count(given, layout[0], of_part[0])
    where = np.empty(len(rows.tags), np.uint32)
    packing.places(given, layout[0], of_part[0].copy(), where)
    placed = np.empty(given.shape, np.uint64)
    packing.put(given, where, placed)
    codes = fixed(placed)
    yield "codes", codes
    yield "indicators", _placed(rows.indicators, where)
    yield "tags", _placed(rows.tags, where)
    yield "order", _by_indicator(rows.indicators, where)
    del where
    fill = packing.fill_with_riders if plan.riders else packing.fill
    _, kind, (_, *pair) = sections(plan, len(codes))[4]
    entries = np.empty((len(codes), *pair), kind)
    if plan.parts == 1:
        yield "entries", entries[:0]
    for part in range(1, plan.parts):
        packing.count(codes, layout[part], of_part[part])
        fill(codes, layout[part], of_part[part].copy(), entries)
        yield "entries", entries
    yield "offsets", offsets


def in_memory(signal: Signal, rows: Chunk, plan: Plan) -> Segment:
    """Make a segment in this process's memory."""
    arrays = {name: np.empty(shape, kind) for name, kind, shape in sections(plan, len(rows.tags))}
    filled = dict.fromkeys(arrays, 0)
    for name, array in packed(rows, plan):
        arrays[name][filled[name] : filled[name] + len(array)] = array
        filled[name] += len(array)
    return of_arrays(signal, plan, arrays)


def of_arrays(signal: Signal, plan: Plan, arrays: Mapping[str, Array], name: str = "") -> Segment:
    """Make a segment of the arrays that `sections` names."""
    wanted = (arrays[section[0]] for section in sections(plan, 0))
    codes, indicators, tags, order, entries, offsets = map(fixed, wanted)
    return Segment(signal, plan, codes, indicators, tags, order, entries, offsets, name)


def fixed(array: Array) -> Array:
    """See an array as one that is not written to, which is what the kernels take."""
    view = array.view()
    view.flags.writeable = False
    return view


def _placed(values: Array, where: NDArray[np.uint32]) -> Array:
    placed = np.empty_like(values)
    placed[where] = values
    return placed


def _by_indicator(indicators: NDArray[np.uint64], where: NDArray[np.uint32]) -> NDArray[np.uint32]:
    if (indicators[1:] >= indicators[:-1]).all():
        return where  # as the truth gives them
    return where[np.argsort(indicators, kind="stable")]
