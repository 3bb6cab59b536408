# SPDX-License-Identifier: Apache-2.0
"""What a benchmark says: figures with units, some of them with a reach; as a table or as JSON."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Reach:
    """How far a figure must come."""

    bound: float
    at_least: bool

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:g}"

    def holds(self, value: float) -> bool:
        """Whether a figure comes that far; no figure at all never does."""
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Measure:
    """One figure."""

    name: str
    value: float
    unit: str
    reach: Reach | None = None

    @property
    def ok(self) -> bool:
        """Whether it comes as far as it must."""
        return not math.isnan(self.value) and (self.reach is None or self.reach.holds(self.value))

    def told(self) -> dict[str, Any]:
        """The figure as JSON."""
        value = None if math.isnan(self.value) else float(f"{self.value:.4g}")
        reach = None if self.reach is None else str(self.reach)
        return {
            "name": self.name,
            "value": value,
            "unit": self.unit,
            "reach": reach,
            "ok": self.ok,
        }


def at_least(bound: float) -> Reach:
    """The reach of what should be much."""
    return Reach(bound, at_least=True)


def at_most(bound: float) -> Reach:
    """The reach of what should be little."""
    return Reach(bound, at_least=False)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that *share* of all values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def as_json(measures: Iterable[Measure]) -> str:
    """All figures on one line."""
    known = list(measures)
    told = [one.told() for one in known]
    return orjson.dumps({"ok": all(one.ok for one in known), "measures": told}).decode()


def show(measures: Iterable[Measure], console: Console) -> None:
    """All figures as a table."""
    table = Table("measure", "value", "unit", "reach", "", title="Breakwater, measured")
    table.columns[1].justify = "right"
    for one in measures:
        reached = "" if one.reach is None else "[green]ok" if one.ok else "[red]missed"
        reach = "" if one.reach is None else str(one.reach)
        table.add_row(one.name, f"{one.value:,.4g}", one.unit, reach, reached)
    console.print(table)
