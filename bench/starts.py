# SPDX-License-Identifier: Apache-2.0
"""From ``breakwater up``, which ``make up`` calls once it has installed, to a ready hub."""

from collections.abc import Iterator
from statistics import median

from bench.hubs import running_hub
from bench.measures import Measure, at_most
from bench.stage import Stage

ROUNDS = 3
REACH = 5


def measure(stage: Stage) -> Iterator[Measure]:
    """Start a new hub, which compiles its kernels, then the same again."""
    data = stage.folder / "starts"
    with running_hub(data) as hub:
        cold = hub.seconds
    warm: list[float] = []
    for _ in range(ROUNDS):
        with running_hub(data) as hub:
            warm.append(hub.seconds)
    yield Measure("start, warm, to ready", median(warm), "s", at_most(REACH))
    yield Measure("first start: migrates and compiles", cold, "s")
