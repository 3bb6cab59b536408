# SPDX-License-Identifier: Apache-2.0
"""Time to match: from a 201 to the first lookup that finds it, while others give and ask."""

import re
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue

from bench.calls import Line, contribution, question
from bench.codes import as_hex, mixed_questions, random_codes
from bench.measures import Measure, at_most, percentile
from bench.stage import SEED, Loaded, Stage

SAMPLES = 200
GIVEN, ASKED = 20, 200
"""A second."""
ASKERS, SEEKERS = 2, 4
PAUSE = 0.004
REACH_MS = 300
LOST = 10.0
_BUCKET = re.compile(
    r'^breakwater_time_to_match_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE
)

Sample = tuple[str, float]
"""A code, and when its 201 came."""


@dataclass
class Race:
    """Contributions that look for themselves."""

    loaded: Loaded
    given: SimpleQueue[Sample | None] = field(default_factory=SimpleQueue)
    found_ms: list[float] = field(default_factory=list)
    asked: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def give(self) -> None:
        """Contribute at an even pace, each code once."""
        members = self.loaded.members
        texts = as_hex(random_codes(SAMPLES, time.time_ns()))
        with ExitStack() as ends:
            lines = [ends.enter_context(Line(self.loaded.hub.port, k)) for k in members.givers]
            for number, due in enumerate(_paced(GIVEN, SAMPLES)):
                _sleep_until(due)
                body = contribution(texts[number], members.sets[number % len(members.sets)])
                lines[number % len(lines)].give(body)
                self.given.put((texts[number], time.perf_counter()))
        for _ in range(SEEKERS):
            self.given.put(None)

    def seek(self) -> None:
        """Ask for each code given until it is found."""
        with Line(self.loaded.hub.port, self.loaded.members.asker) as line:
            while (sample := self.given.get()) is not None:
                text, given_at = sample
                while not _is_hit(line, text):
                    if time.perf_counter() - given_at > LOST:
                        raise TimeoutError("a contribution is not found")
                    time.sleep(PAUSE)
                self.found_ms.append((time.perf_counter() - given_at) * 1000)

    def ask(self) -> None:
        """Look up at an even pace."""
        texts = mixed_questions(self.loaded.codes, 1_000, SEED + 6).texts
        with Line(self.loaded.hub.port, self.loaded.members.asker) as line:
            for number, due in enumerate(_paced(ASKED / ASKERS, None)):
                if self.stop.is_set():
                    return
                _sleep_until(due)
                line.ask(question(texts[number % len(texts)]))
                self.asked += 1


def measure(stage: Stage) -> Iterator[Measure]:
    """Two hundred contributions in ten seconds, two hundred lookups a second beside them."""
    race = Race(stage.loaded)
    before = _applied(stage.loaded)
    began = time.perf_counter()
    asking = _threads(race.ask, ASKERS)
    seeking = _threads(race.seek, SEEKERS)
    race.give()
    for thread in seeking:
        thread.join()
    seconds = time.perf_counter() - began
    race.stop.set()
    for thread in asking:
        thread.join()
    found = race.found_ms + [float("inf")] * (SAMPLES - len(race.found_ms))
    yield Measure("time to match p99", percentile(found, 0.99), "ms", at_most(REACH_MS))
    yield Measure("time to match p50", percentile(found, 0.5), "ms")
    yield Measure("contributions beside it", SAMPLES / seconds, "1/s")
    yield Measure("lookups beside it", race.asked / seconds, "1/s")
    # The hub's own figure: changes of these seconds, as each of its processes applied them.
    within, every = (b - a for a, b in zip(before, _applied(stage.loaded), strict=True))
    yield Measure(f"changes applied within {REACH_MS} ms", 100 * within / every, "%")


def _applied(loaded: Loaded) -> tuple[float, float]:
    """How many changes were applied so far, within the reach and at all, by the hub's metric."""
    address = loaded.hub.settings.metrics_listen
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        buckets = dict(_BUCKET.findall(answer.read().decode()))
    return float(buckets[str(REACH_MS / 1000)]), float(buckets["+Inf"])


def _threads(target: object, count: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=target, daemon=True) for _ in range(count)]  # type: ignore[arg-type]  # a callable
    for thread in threads:
        thread.start()
    return threads


def _paced(per_second: float, count: int | None) -> Iterator[float]:
    began, number = time.perf_counter(), 0
    while count is None or number < count:
        yield began + number / per_second
        number += 1


def _sleep_until(due: float) -> None:
    time.sleep(max(0.0, due - time.perf_counter()))


def _is_hit(line: Line, text: str) -> bool:
    return bool(line.ask(question(text))["answers"][0]["answer"] == "hit")
