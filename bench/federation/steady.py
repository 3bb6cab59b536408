# SPDX-License-Identifier: Apache-2.0
"""Two hubs that tell each other 200 operations a second each, while one is asked 500 times.

The same members work at the same pace first while neither hub follows the other: what lookups
then take is what they are held against.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from bench.codes import as_hex, random_codes
from bench.federation.books import applied, await_true, log_of
from bench.federation.community import line, two_hubs
from bench.federation.load import Asker, Giver, Member, at_work
from bench.federation.watching import Watch
from bench.lookups import WrongAnswerError
from bench.measures import Measure, at_most, percentile
from bench.stage import SEED, Stage
from hub.demo.paired import Paired, at_once

GIVEN, ASKED = 200, 500
"""A second."""
TOGETHER = 20
"""Contributions in a request: who has 200 a second does not send each alone."""
ASKERS = 4
"""Connections, as with other lookups that are measured."""
ROUNDS, SECONDS = 4, 10
LAG, UNHARMED = 5, 2
LOOK = 0.02
LOST, PATIENCE = 60.0, 180.0


@dataclass(frozen=True)
class Round:
    """What a while came to.

    Attributes:
        lags: seconds from each sample's 201 until the other hub found it.
        taken: seconds that each lookup took.
    """

    lags: list[float]
    taken: list[float]


def measure(stage: Stage) -> Iterator[Measure]:
    """Work without exchange and with it, in turns."""
    apart: list[Round] = []
    together: list[Round] = []
    with two_hubs(stage, "steady") as (a, b, into):
        for number in range(ROUNDS):
            for follow, rounds in ((False, apart), (True, together)):
                stage.tell(f"{SECONDS} s of {GIVEN}/s each, {'with' if follow else 'no'} exchange")
                _follow((a, b), follow=follow)
                rounds.append(_worked(a, b, into, follow=follow, number=2 * number + follow))
    lags = [lag for one in together for lag in one.lags]
    name = f"{GIVEN} operations/s in both directions"
    yield Measure(f"{name}, {ASKED} lookups/s: lag p99", percentile(lags, 0.99), "s", at_most(LAG))
    yield Measure(f"{name}: lag p50", percentile(lags, 0.5), "s")
    yield Measure(f"{name}: for how long", ROUNDS * SECONDS, "s")
    with_it, without = (
        [percentile(one.taken, 0.99) for one in some] for some in (together, apart)
    )
    shares = [mine / theirs for mine, theirs in zip(with_it, without, strict=True)]
    yield Measure("lookup p99: with exchange / without", median(shares), "", at_most(UNHARMED))
    yield Measure("lookup p99 with exchange", 1000 * median(with_it), "ms")
    yield Measure("lookup p99 without exchange", 1000 * median(without), "ms")


def _follow(both: tuple[Paired, Paired], *, follow: bool) -> None:
    """Let both follow each other, or neither; and wait until nobody is behind."""
    a, b = both
    word = "resume" if follow else "pause"
    known = {a.name: b, b.name: a}
    at_once(lambda hub: hub.type("partners", word, known[hub.name].name), both)
    if follow:
        await_true(lambda: _are_level(a, b), "both caught up", patience=PATIENCE)


def _are_level(a: Paired, b: Paired) -> bool:
    return applied(a, b) == log_of(b).size and applied(b, a) == log_of(a).size


def _worked(a: Paired, b: Paired, into: str, *, follow: bool, number: int) -> Round:
    """Let members work for a while."""
    texts = as_hex(random_codes(1_000, SEED + 50))
    members: list[Member] = [
        *(Asker(b.running.port, b.key, texts, ASKED // ASKERS) for _ in range(ASKERS)),
        *(Giver(one.running.port, one.key, into, GIVEN, TOGETHER) for one in (a, b)),
    ]
    lags: list[float] = []
    taken: list[float] = []
    with (
        at_work(members, seconds=SECONDS, seed=SEED + 60 + 10 * number) as working,
        # Opened now: a connection that nobody uses for long is hung up.
        line(a) as at_a,
        line(b) as at_b,
    ):
        askers, givers = working[:ASKERS], working[ASKERS:]
        # What is given at one hub is looked for at the other.
        watches = [Watch(at_b, lags), Watch(at_a, lags)]
        ends = time.monotonic() + SECONDS + LOST
        while not all(one.is_done for one in working) or (
            follow and not all(one.is_done for one in watches)
        ):
            if time.monotonic() > ends:
                raise WrongAnswerError(f"{sum(one.lost for one in watches)} codes are not found")
            taken += [one for asker in askers for one in asker.told()]
            for giver, watch in zip(givers, watches, strict=True):
                given = list(giver.told())
                if follow:
                    watch.expect(given)
                    watch.look()
            time.sleep(LOOK)
    return Round(lags, taken)
