# SPDX-License-Identifier: Apache-2.0
"""``make bench``: measure Breakwater, with rivals and yardsticks in the same run.

The machine may be shared and of any speed, so what must be reached is mostly a share; absolute
figures stand beside it.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from rich.console import Console

from bench import batches, followers, loading, lookups, plans, starts, to_match, writes
from bench.altered import measure as altered
from bench.altered.photographs import NoPhotographsError
from bench.calls import RefusedError
from bench.engine import exactness, following, merging, sizes as engine_sizes, skew
from bench.engine.rivals import NoRivalsError
from bench.federation import cut, first_sync, idle, long_log, steady
from bench.hubs import NotReadyError
from bench.lookups import WrongAnswerError
from bench.machine import machine
from bench.measures import Measure, as_json, at_least, show
from bench.postgres import NoPostgresError
from bench.stage import ASKED, CUT, LEAVES, OPERATIONS, SIZES, Stage
from bench.wrk import NoLoadError
from hub.demo.running import DemoError

MEASURES: Mapping[str, Callable[[Stage], Iterable[Measure]]] = {
    "start": starts.measure,
    "engine-exact": exactness.measure,
    "engine-sizes": engine_sizes.measure,
    "engine-skew": skew.measure,
    "engine-redis": following.measure,
    "engine-merge": merging.measure,
    "plans": plans.measure,
    "writes": writes.measure,
    "load": loading.measure,
    "lookups": lookups.measure,
    "batches": batches.measure,
    "followers": followers.measure,
    "to-match": to_match.measure,
    "altered": altered.measure,
    "federation-idle": idle.measure,
    "federation-first-sync": first_sync.measure,
    "federation-steady": steady.measure,
    "federation-cut": cut.measure,
    "federation-log": long_log.measure,
}
GROUPS = {
    group: tuple(name for name in MEASURES if name.startswith(f"{group}-"))
    for group in ("engine", "federation")
}
REFUSALS = (
    DemoError,
    NoLoadError,
    NoPhotographsError,
    NoPostgresError,
    NoRivalsError,
    NotReadyError,
    RefusedError,
    WrongAnswerError,
)
"""What makes figures impossible, or worthless."""
RESULTS = Path(__file__).parent / "results"


def _numbers(_context: click.Context, _option: click.Parameter, text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*MEASURES, *GROUPS]))
@click.option("--json", "in_json", is_flag=True, help="One JSON object as the last line.")
@click.option("--save", is_flag=True, help="Keep the figures in bench/results.")
@click.option("--codes", default=100_000, show_default=True, help="How many the hub holds.")
@click.option(
    "--sizes",
    default=",".join(map(str, SIZES)),
    show_default=True,
    callback=_numbers,
    help="How many codes the engine holds, one size after another.",
)
@click.option("--asked", default=ASKED, show_default=True, help="Compared with brute force.")
@click.option("--operations", default=OPERATIONS, show_default=True, help="Of a hub's first sync.")
@click.option("--cut", default=CUT, show_default=True, help="Operations of each side of a cut.")
@click.option(
    "--leaves",
    default=",".join(map(str, LEAVES)),
    show_default=True,
    callback=_numbers,
    help="How long a log is, the shortest first.",
)
def main(names: tuple[str, ...], *, in_json: bool, save: bool, **sizes: Any) -> None:
    """Measure everything, or what is named; exit with 1 where something was not reached."""
    # Asked to end, it ends what it started too.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    console = Console(stderr=in_json)
    before = machine()
    found: list[Measure] = []
    failures: list[str] = []
    began = time.monotonic()
    stage = Stage(**sizes, tell=lambda now: console.print(f"[dim]{_since(began)} {now} …"))
    with closing(stage.ends):
        for name in _single(names or MEASURES):
            console.print(f"[dim]{name} …")
            try:
                found += MEASURES[name](stage)
            except REFUSALS as error:
                # What was measured before, and what comes after, is told all the same.
                failures.append(f"{name}: {error}")
                found.append(Measure(f"{name}: measured to its end", 0, "", at_least(1)))
    show(found, console)
    if save:
        console.print(f"Kept as {_kept(found, before, names).name}.")
    for failure in failures:
        click.echo(f"Error: {failure}", err=True)
    if in_json:
        click.echo(as_json(found))
    sys.exit(0 if all(one.ok for one in found) else 1)


def _since(began: float) -> str:
    return f"{time.monotonic() - began:5.0f} s"


def _single(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from GROUPS.get(name, (name,))


def _kept(found: Iterable[Measure], where: Mapping[str, object], names: Iterable[str]) -> Path:
    told = {
        "command": f"make bench ARGS='{' '.join(sys.argv[1:])}'",
        "at": datetime.now(UTC).date().isoformat(),
        "machine": where,
        **orjson.loads(as_json(found)),
    }
    file = RESULTS / f"{'-'.join((told['at'], *names))}.json"
    file.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    return file


if __name__ == "__main__":
    main()
