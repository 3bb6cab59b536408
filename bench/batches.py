# SPDX-License-Identifier: Apache-2.0
"""Many codes in one request, as JSON."""

import time
from collections.abc import Iterator
from statistics import median

from bench.calls import Line, questions
from bench.codes import mixed_questions, random_codes
from bench.measures import Measure, at_least
from bench.stage import SEED, Stage

AT_ONCE = 1_000
SECONDS = 4.0
REACH = 5_000


def measure(stage: Stage) -> Iterator[Measure]:
    """Ask batch after batch on one connection."""
    loaded = stage.loaded
    mixed = mixed_questions(loaded.codes, AT_ONCE, SEED + 2).texts
    unknown = mixed_questions(random_codes(AT_ONCE, SEED + 3), AT_ONCE, SEED + 4).texts
    with Line(loaded.hub.port, loaded.members.asker) as line:
        rate = _rate(line, questions(mixed))
        yield Measure("batches of 1,000, half of them hits", rate, "codes/s", at_least(REACH))
        yield Measure("batches of 1,000, no hits", _rate(line, questions(unknown)), "codes/s")


def _rate(line: Line, body: bytes) -> float:
    line.ask(body)
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter()
        line.ask(body)
        times.append(time.perf_counter() - began)
    return AT_ONCE / median(times)
