# SPDX-License-Identifier: Apache-2.0
"""Run simulations by hand: many seeds on several workers, or one with all that happened in it.

python -m tests.simulators.exchange --seeds 10000 --workers 2 --out simulated.json
python -m tests.simulators.exchange --seed 253
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from tests.simulators.exchange.passed import PassedWorld
from tests.simulators.exchange.planted import BUGS, planted
from tests.simulators.exchange.restored import RestoredWorld
from tests.simulators.exchange.world import World

AT_ONCE = 20
KINDS: dict[str, Callable[[int], World]] = {
    "main": World,
    "passed": PassedWorld,
    "restore": RestoredWorld,
}


@dataclass
class Found:
    """What came of some seeds.

    Attributes:
        seeds: how many.
        seconds: of a processor.
        failed: each seed that broke an invariant, and how.
        counts: how often what happened.
    """

    seeds: int = 0
    seconds: float = 0.0
    failed: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Found") -> None:
        """Take in what came of others."""
        self.seeds += other.seeds
        self.seconds += other.seconds
        self.failed |= other.failed
        self.counts += other.counts


def main() -> int:
    """Do what was asked; 1 if an invariant was broken."""
    asked = _arguments()
    if asked.seed is None:
        return _run_all(asked)
    with planted(asked.planted) if asked.planted else nullcontext():
        return _replay(asked.seed, asked.kind)


def _run_all(asked: argparse.Namespace) -> int:
    console, found = Console(stderr=True), Found()
    began = time.monotonic()
    for some in _each(asked, console):
        for seed, what in some.failed.items():
            console.print(f"seed {seed}: {what}", style="red", highlight=False)
        found.add(some)
    seconds = time.monotonic() - began
    told = {
        "kind": asked.kind,
        "planted": asked.planted,
        "first": asked.first,
        "seeds": found.seeds,
        "failed": found.failed,
        "workers": asked.workers,
        "seconds": round(seconds, 1),
        "cpu_seconds_a_seed": round(found.seconds / max(found.seeds, 1), 3),
        "counts": dict(sorted(found.counts.items())),
    }
    text = json.dumps(told, indent=2)
    if asked.out is not None:
        asked.out.write_text(text + "\n", encoding="utf-8")
    Console().print(text, highlight=False)
    return 1 if found.failed else 0


def _each(asked: argparse.Namespace, console: Console) -> Iterator[Found]:
    deadline = time.monotonic() + asked.minutes * 60
    chunks = [
        range(start, min(start + AT_ONCE, asked.first + asked.seeds))
        for start in range(asked.first, asked.first + asked.seeds, AT_ONCE)
    ]
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as shown, ProcessPoolExecutor(asked.workers) as pool:
        task = shown.add_task("", total=asked.seeds)
        running = {pool.submit(_some, one, asked.kind, asked.planted, deadline) for one in chunks}
        for done in as_completed(running):
            some = done.result()
            shown.advance(task, some.seeds)
            yield some


def _some(seeds: range, kind: str, bug: str | None, deadline: float) -> Found:
    found, began = Found(), time.process_time()
    with planted(bug) if bug else nullcontext():
        for seed in seeds:
            if time.monotonic() > deadline:
                break
            world = KINDS[kind](seed)
            try:
                world.run()
            except Exception as error:  # noqa: BLE001 - whatever it is, the seed is to be named
                found.failed[seed] = f"{type(error).__name__} {error}"
            found.seeds += 1
            found.counts += world.outcome.counts
    found.seconds = time.process_time() - began
    return found


def _replay(seed: int, kind: str) -> int:
    console, world = Console(), KINDS[kind](seed)
    error: Exception | None = None
    try:
        world.run()
    except Exception as one:  # noqa: BLE001 - what happened before is to be shown
        error = one
    for line in world.outcome.log:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(world.outcome.digest)
    if error is not None:
        console.print(f"{type(error).__name__} {error}", style="red", highlight=False)
    return 0 if error is None else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulators.exchange")
    parser.add_argument("--seeds", type=int, default=500, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="replay this one, and print what happens")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--minutes", type=float, default=600, help="after which none is begun")
    parser.add_argument("--kind", choices=sorted(KINDS), default="main")
    parser.add_argument("--planted", choices=sorted(BUGS), help="plant this bug first")
    parser.add_argument("--out", type=Path, help="where the summary goes, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
