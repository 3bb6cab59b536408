# SPDX-License-Identifier: Apache-2.0
"""From a contribution at one hub to where another hub finds it, while nothing else happens."""

import time
from collections.abc import Iterator

from bench.calls import contribution
from bench.codes import as_hex, random_codes
from bench.federation.community import line, two_hubs
from bench.federation.watching import until
from bench.measures import Measure, at_most, percentile
from bench.stage import SEED, Stage

SAMPLES = 200
REACH = 2


def measure(stage: Stage) -> Iterator[Measure]:
    """Contribute one by one at hub A; ask hub B for each from its 201 on."""
    texts = as_hex(random_codes(SAMPLES + 1, SEED + 30))
    lags: list[float] = []
    with two_hubs(stage, "idle") as (a, b, into), line(a) as giving, line(b) as asking:
        stage.tell(f"{SAMPLES} contributions at hub A, one by one")
        for text in texts:
            giving.give(contribution(text, into))
            given = time.perf_counter()
            lags.append(until(asking, text, found=True) - given)
    # The first one tells hub B what it never met before: an operator, a label.
    first, *others = lags
    name = "operation at hub A to matchable at hub B, idle"
    yield Measure(f"{name}: p99", percentile(others, 0.99), "s", at_most(REACH))
    yield Measure(f"{name}: p50", percentile(others, 0.5), "s")
    yield Measure(f"{name}: most, the very first included", max(first, *others), "s")
