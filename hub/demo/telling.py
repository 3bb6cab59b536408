# SPDX-License-Identifier: Apache-2.0
"""How a demo tells its story: step by step, for people, and as one line of JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    picture: str
    alteration: str
    found: bool
    band: str
    expected: str
    ok: bool


@dataclass(frozen=True)
class Step:
    """What one step came to; *seconds* if it is one that is measured."""

    name: str
    ok: bool
    told: str
    rows: Sequence[Row] = ()
    seconds: float | None = None


def tell(steps: Iterable[Callable[[], Step]], console: Console) -> list[Step]:
    """Take the steps one after the other, and tell of each what it came to."""
    told = []
    for step in steps:
        about = (step.__doc__ or "").splitlines()[0]
        with console.status(about):
            done = step()
        told.append(done)
        _show(done, about, console)
    return told


def end(steps: Sequence[Step], console: Console, *, as_json: bool) -> None:
    """Say how it went, and exit so."""
    ok = all(step.ok for step in steps)
    if as_json:
        click.echo(json.dumps({"ok": ok, "measures": [_measure(step) for step in steps]}))
    else:
        console.print("\nAll as expected." if ok else "\n[red]Not as expected.[/red]")
    sys.exit(0 if ok else 1)


def _measure(step: Step) -> dict[str, object]:
    measured: dict[str, object] = {"value": step.told, "unit": ""}
    if step.seconds is not None:
        measured = {"value": round(step.seconds, 3), "unit": "s"}
    return {"name": step.name, **measured, "reach": "as told", "ok": step.ok}


def _show(step: Step, about: str, console: Console) -> None:
    mark = "[green]as expected[/green]" if step.ok else "[red]not as expected[/red]"
    console.print(f"[bold]{step.name}[/bold]: {about}")
    if step.rows:
        console.print(_table(step.rows))
    console.print(f"  {step.told} ({mark})\n")


def _table(rows: Sequence[Row]) -> Table:
    table = Table("picture", "alteration", "band", "found", "expected", "", pad_edge=False)
    for row in rows:
        table.add_row(
            row.picture,
            row.alteration,
            row.band,
            "found" if row.found else "not found",
            {"found": "found", "perhaps": "not promised", "nothing": "nothing"}[row.expected],
            "ok" if row.ok else "[red]wrong[/red]",
        )
    return table
