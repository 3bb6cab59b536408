# SPDX-License-Identifier: Apache-2.0
"""Token buckets in this worker's memory: one operator's flood must not be the others' outage.

Nothing is asked of Redis on the way of a request. The limit holds in each worker, so a hub grants
an operator the rate times its workers.
"""

import math
import threading
from collections.abc import Callable


class Buckets:
    """A bucket for each operator, which fills at *rate* tokens a second up to *burst*."""

    def __init__(self, rate: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._levels: dict[int, tuple[float, float]] = {}

    def wait(self, operator: int, cost: float = 1.0) -> int:
        """Take *cost* tokens; returns 0, or the whole seconds after which they would be there.

        A cost above the burst is taken from a full bucket, which then owes the rest.
        """
        now = self._monotonic()
        with self._lock:
            level, then = self._levels.get(operator, (self._burst, now))
            level = min(self._burst, level + (now - then) * self._rate)
            needed = min(cost, self._burst)
            taken = level >= needed
            self._levels[operator] = (level - cost if taken else level, now)
        return 0 if taken else max(1, math.ceil((needed - level) / self._rate))
