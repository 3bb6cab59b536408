# SPDX-License-Identifier: Apache-2.0
"""Single lookups over HTTP, beside an empty Flask view behind the same server.

A quarter of the codes is known, a quarter near to a known one, half unknown. The yardstick gets
the very same requests. Both are measured in turns, so that a busy moment of the machine hits both.
"""

from collections.abc import Iterator
from statistics import median

from bench.calls import Line, question
from bench.codes import Questions, mixed_questions
from bench.measures import Measure, at_least, at_most
from bench.stage import SEED, Loaded, Stage
from bench.wrk import Figures, Load

QUESTIONS = 4_000
# Connections fall on processes as they like, another way in each round.
ROUNDS, SECONDS = 7, 3
CHECKED = 400
SHARE, P99_MS = 0.35, 10


class WrongAnswerError(Exception):
    """What is fast and wrong is not measured."""


def measure(stage: Stage) -> Iterator[Measure]:
    """Ask as fast as four connections can."""
    loaded = stage.loaded
    asked = mixed_questions(loaded.codes, QUESTIONS, SEED)
    check(loaded, asked)
    load = single_load(stage, asked)
    load.run(loaded.hub.port, seconds=2)
    load.run(stage.flask.port, seconds=1)
    ours: list[Figures] = []
    shares: list[float] = []
    for _ in range(ROUNDS):
        empty = load.run(stage.flask.port, seconds=SECONDS)
        mine = load.run(loaded.hub.port, seconds=SECONDS)
        ours.append(mine)
        shares.append(mine.per_second / empty.per_second)
    share = median(shares)
    absolute = median(one.per_second for one in ours)
    yield Measure("lookups: share of an empty Flask view", share, "", at_least(SHARE))
    yield Measure("lookups, 4 connections", absolute, "1/s")
    yield Measure("empty Flask view, 4 connections", absolute / share, "1/s")
    yield Measure("lookups p50", median(one.p50_ms for one in ours), "ms")
    yield Measure("lookups p99", median(one.p99_ms for one in ours), "ms", at_most(P99_MS))


def single_load(stage: Stage, asked: Questions) -> Load:
    """Each question as a request of its own."""
    bodies = [question(text) for text in asked.texts]
    return Load.write(stage.folder, "lookups", stage.loaded.members.asker, bodies)


def check(loaded: Loaded, asked: Questions) -> None:
    """Hold some answers against what is known.

    Raises:
        WrongAnswerError: One is wrong.
    """
    with Line(loaded.hub.port, loaded.members.asker) as line:
        for text, known in zip(asked.texts[:CHECKED], asked.known, strict=False):
            answer = line.ask(question(text))
            if not answer["complete"]:
                raise WrongAnswerError("the index is not complete")
            if (answer["answers"][0]["answer"] == "hit") != known:
                raise WrongAnswerError("a known code was missed, or an unknown one found")
