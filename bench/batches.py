# SPDX-License-Identifier: Apache-2.0
"""Many codes in one request, as JSON, beside the engine alone asked by two threads.

The yardstick holds the same codes in one process and gets the very same batches, without HTTP,
JSON, SQL and receipts; both are measured in turns. What half of the codes hit costs most where it
is told: so the figure to reach is that of batches with hits, as many as the single lookups have.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.calls import Line, questions
from bench.codes import Questions, mixed_questions, packed_codes, without_hits
from bench.engine.ours import everything, filled
from bench.lookups import WrongAnswerError
from bench.measures import Measure, Reach, at_least
from bench.stage import SEED, Loaded, Stage
from bench.wrk import Load
from matching.batches import Batch, words_of
from matching.engine import Engine
from matching.signals import PDQ

AT_ONCE, BATCHES = 1_000, 8
CONNECTIONS, THREADS = 4, 2
ROUNDS, SECONDS = 5, 4
SHARE = at_least(0.6)


@dataclass(frozen=True)
class _Work:
    """Batches as they are sent, and as the engine takes them."""

    name: str
    load: Load
    batches: Sequence[Batch]
    reach: Reach | None = None


def measure(stage: Stage) -> Iterator[Measure]:
    """Ask batch after batch on four connections, and the engine by two threads, in turns."""
    loaded = stage.loaded
    held = words_of(PDQ, b"".join(packed_codes(loaded.codes)))
    engine = filled(lambda: [held])
    seeds = range(SEED + 20, SEED + 20 + BATCHES)
    mixed = [mixed_questions(loaded.codes, AT_ONCE, seed) for seed in seeds]
    unknown = [without_hits(AT_ONCE, seed) for seed in seeds]
    check(loaded, mixed[0])
    yield from _measured(_work(stage, "half of them hits", mixed, SHARE), engine, loaded)
    yield from _measured(_work(stage, "no hits", unknown), engine, loaded)


def check(loaded: Loaded, asked: Questions) -> None:
    """Hold the answers to one batch against what is known.

    Raises:
        WrongAnswerError: One is wrong.
    """
    with Line(loaded.hub.port, loaded.members.asker) as line:
        answer = line.ask(questions(asked.texts))
    if [one["answer"] == "hit" for one in answer["answers"]] != asked.known:
        raise WrongAnswerError("a known code was missed, or an unknown one found")


def _work(
    stage: Stage, name: str, asked: Sequence[Questions], reach: Reach | None = None
) -> _Work:
    bodies = [questions(one.texts) for one in asked]
    load = Load.write(stage.folder, name.replace(" ", "-"), stage.loaded.members.asker, bodies)
    return _Work(name, load, [Batch.parse(PDQ, one.texts) for one in asked], reach)


def _measured(work: _Work, engine: Engine, loaded: Loaded) -> Iterator[Measure]:
    work.load.run(loaded.hub.port, seconds=SECONDS, connections=CONNECTIONS)
    rates, alone, shares = [], [], []
    for _ in range(ROUNDS):
        alone.append(_in_process(engine, work.batches))
        told = work.load.run(loaded.hub.port, seconds=SECONDS, connections=CONNECTIONS)
        rates.append(told.per_second * AT_ONCE)
        shares.append(rates[-1] / alone[-1])
    name = f"batches of 1,000, {work.name}"
    yield Measure(f"{name}: share of the engine alone", median(shares), "", work.reach)
    yield Measure(name, median(rates), "codes/s")
    yield Measure(f"{name}: the engine alone, {THREADS} threads", median(alone), "codes/s")


def _in_process(engine: Engine, batches: Sequence[Batch]) -> float:
    """Codes a second that two threads of this process search for."""
    began = time.perf_counter()
    end = began + SECONDS
    done = [0] * THREADS

    def search(number: int) -> None:
        allowed = everything()
        while time.perf_counter() < end:
            engine.search(batches[(number + done[number]) % len(batches)], allowed)
            done[number] += 1

    threads = [threading.Thread(target=search, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) * AT_ONCE / (time.perf_counter() - began)
