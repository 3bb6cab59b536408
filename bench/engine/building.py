# SPDX-License-Identifier: Apache-2.0
"""From packed rows to an engine that answers, by what the processor worked for it."""

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median

from bench.engine import ours
from bench.engine.data import Held
from bench.measures import Measure, at_least, at_most
from bench.stage import Stage
from matching.engine import Engine

ROUNDS, REACH = 3, 1_000_000
MOST_GB: Mapping[int, float] = {100_000_000: 12}
BUDGETS: Mapping[int, int] = {100_000_000: 11_000_000_000}
"""Bytes that the largest segment may take; where none is named, whatever is worth it."""
SOME = 10_000_000
"""As many rows as are made beforehand; of more, a snapshot makes them while it is read."""


def build(stage: Stage, held: Held, folder: Path) -> tuple[Engine, list[Measure]]:
    """Load so many codes into a new engine; returns it, and what it took."""
    stage.tell(f"build: {held.size:,} codes")
    made = [held.words()] if held.size <= SOME else None
    portions = held.portions if made is None else lambda: made
    _forget_peak()
    engine, *first = _loaded(folder, portions, BUDGETS.get(held.size))
    taken = [first]
    for _ in range(0 if made is None else ROUNDS - 1):
        # What the round before wrote is gone, so its memory is there to be written to.
        del engine
        shutil.rmtree(folder)
        engine, *more = _loaded(folder, portions, BUDGETS.get(held.size))
        taken.append(more)
    worked, took = (median(column) for column in zip(*taken, strict=True))
    reach = None if made is None else at_least(REACH)
    size, bound = f"{held.size:,}", MOST_GB.get(held.size)
    most = None if bound is None else at_most(bound)
    told = [
        Measure(
            f"{size}: build from packed rows, per core",
            held.size / worked,
            "codes/s",
            reach,
        ),
        Measure(f"{size}: build from packed rows, from begin to end", took, "s"),
        Measure(f"{size}: most memory while building", _peak_gb(), "GB", most),
    ]
    return engine, told


def _loaded(
    folder: Path, portions: ours.Portions, memory: int | None
) -> tuple[Engine, float, float]:
    """Load into a new engine; returns it, processor seconds, and seconds."""
    engine, snapshot = ours.empty(folder, memory), ours.snapshot(portions)
    began, began_work = time.perf_counter(), time.process_time()
    engine.load(snapshot)
    return engine, time.process_time() - began_work, time.perf_counter() - began


def files(folder: Path, size: int) -> Iterator[Measure]:
    """What lies in the folder."""
    held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if held:
        yield Measure(f"{size:,}: segments on disk", held / size, "B/code")


def _forget_peak() -> None:
    """Have Linux begin anew with the most that this process ever had in memory."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_gb() -> float:
    """The most since then; nothing where the system does not tell."""
    with suppress(OSError):
        found = re.search(
            r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE
        )
        if found:
            return int(found[1]) * 1024 / 1e9
    return float("nan")
