# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.planted [NUMBER …]``: plant known bugs, one by one; each must be found.

A test suite that stays green over a planted bug is decoration. The tests named for the bugs are
also run without any, since a test that always fails finds nothing; ``--tests-passed`` leaves that
out, for whoever has just run them all.
"""

import queue
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

import click

from tests.planted.bugs import Bug, read_bugs
from tests.planted.planting import ROOT, Field, NotPlantableError, Outcome, copy_code


@click.command()
@click.argument("numbers", nargs=-1)
@click.option("--times", default=1, show_default=True, help="How often each is planted.")
@click.option("--parallel", default=2, show_default=True, help="How many at the same time.")
@click.option("--tests-passed", is_flag=True, help="Do not run them without a bug.")
def main(numbers: tuple[str, ...], times: int, parallel: int, *, tests_passed: bool) -> None:
    """Plant the bugs of these NUMBERS, or all; end with 1 if one is not found."""
    known = read_bugs()
    chosen = [bug for bug in known if not numbers or bug.number in numbers]
    if len(chosen) < len(set(numbers)):
        raise click.UsageError(f"Known are: {' '.join(bug.number for bug in known)}.")
    tests = sorted({test for bug in chosen for test in bug.caught_by})
    outcomes = _all([*([] if tests_passed else [tests]), *chosen * times], parallel)
    for outcome in outcomes:
        if not outcome.is_good:
            click.echo(f"\n{outcome.number}: {outcome.verdict}\n{outcome.lines}")
    found = sum(outcome.verdict == "found" for outcome in outcomes)
    click.echo(f"\n{found} of {len(chosen) * times} planted bugs were found")
    raise SystemExit(not all(outcome.is_good for outcome in outcomes))


def _all(runs: list[Bug | list[str]], parallel: int) -> list[Outcome]:
    work: queue.SimpleQueue[Bug | list[str]] = queue.SimpleQueue()
    for one in runs:
        work.put(one)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="bw-planted-") as folder:
        # What is tested is the code as it is now, whoever goes on writing meanwhile.
        origin = Path(folder) / "origin"
        copy_code(ROOT, origin)
        threads = [
            threading.Thread(target=_till, args=(origin, Path(folder) / str(n), work, outcomes))
            for n in range(parallel)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return outcomes + [Outcome("?", "NOT RUN", 0)] * (len(runs) - len(outcomes))


def _till(
    origin: Path, folder: Path, work: "queue.SimpleQueue[Bug | list[str]]", outcomes: list[Outcome]
) -> None:
    field = Field(origin, folder)
    for one in _taken(work):
        outcome, means = _run(field, one)
        outcomes.append(outcome)
        click.echo(f"{outcome.number:>5}  {outcome.verdict:<12} {outcome.seconds:6.1f} s  {means}")


def _run(field: Field, one: Bug | list[str]) -> tuple[Outcome, str]:
    if isinstance(one, list):
        return field.unharmed(one), "The same tests where no bug is planted."
    try:
        return field.planted(one), one.means
    except NotPlantableError as error:
        return Outcome(one.number, "NOT PLANTED", 0, str(error)), one.means


def _taken(work: "queue.SimpleQueue[Bug | list[str]]") -> Iterable[Bug | list[str]]:
    while True:
        try:
            yield work.get_nowait()
        except queue.Empty:
            return


main()
