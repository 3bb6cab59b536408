# SPDX-License-Identifier: Apache-2.0
"""How long something takes; what is to be compared is done in turns, so noise hits all alike.

Memory that lies idle while others have their turn is slow at first on a machine that shares its
own with others. Who serves is not idle, so each timed turn follows an untimed one.
"""

import time
from collections.abc import Callable, Mapping, Sequence

Work = Callable[[int], object]
"""Takes the number of the round."""


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def in_turns(
    works: Mapping[str, Work], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> Mapping[str, Sequence[float]]:
    """Seconds of each work in each round, each just after the round before it was done again."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        for name, work in works.items():
            work(number - 1)  # of the first round, the last: other questions than are timed
            began = clock()
            work(number)
            taken[name].append(clock() - began)
    return taken


def ratios(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """One by the other, round by round."""
    return [a / b for a, b in zip(one, other, strict=True)]
