# SPDX-License-Identifier: Apache-2.0
"""Notice who feels along the boundary of a stored code.

Whoever has one matching picture can find the stored code with some 280 yes-or-no answers, by
turning single bits until the answer changes. Such a walk leaves a mark that honest traffic hardly
ever leaves: several different hits and several different misses within a few bits of one another.
An alarm slows the operator down and calls a person; it never shuts anybody out.

Queries are remembered in memory alone, the last of each operator, and looked at in the background:
a lookup only hands its arrays over.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hub.domain.errors import BudgetError
from matching.batches import Batch, Hits
from matching.signals import PDQ

BALL_BITS = 4
"""Queries this close to one another belong to one walk."""
LEAST_HITS = LEAST_MISSES = 6
REMEMBERED = 2048
"""Queries remembered of an operator."""
AT_ONCE = 512
"""Queries of one request that are handed over: a walk needs few."""
SLOWED_SECONDS = 3600.0
PAUSE_SECONDS = 5.0
"""How long an operator that was noticed waits between two lookups."""

Codes = NDArray[np.uint64]
Flags = NDArray[np.bool_]


@dataclass
class Trail:
    """An operator's last PDQ queries ``(n, 4)``, and whether each hit ``(n,)``."""

    codes: Codes = field(default_factory=lambda: np.empty((0, PDQ.words), np.uint64))
    hit: Flags = field(default_factory=lambda: np.empty(0, np.bool_))

    def add(self, codes: Codes, hit: Flags) -> bool:
        """Remember queries; returns whether they straddle a boundary."""
        fresh = []
        for place, code in enumerate(codes):
            # The same query again says nothing new.
            if (self.codes == code).all(axis=1).any():
                continue
            fresh.append(code)
            self.codes = np.concatenate([self.codes, code[None]])[-REMEMBERED:]
            self.hit = np.concatenate([self.hit, hit[place : place + 1]])[-REMEMBERED:]
        return any(self._straddles(code) for code in fresh)

    def _straddles(self, code: Codes) -> bool:
        near = np.bitwise_count(self.codes ^ code).sum(axis=1, dtype=np.int64) <= BALL_BITS
        hits = int(self.hit[near].sum())
        return hits >= LEAST_HITS and int(near.sum()) - hits >= LEAST_MISSES


class WalkWatch:
    """Watches the lookups of one process.

    Args:
        clock: monotonic seconds.
        alarm: called with the operator's internal key when it is noticed.
    """

    def __init__(self, clock: Callable[[], float], alarm: Callable[[int], None]) -> None:
        self._clock = clock
        self._alarm = alarm
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Codes, Flags]] = []
        self._trails: dict[int, Trail] = defaultdict(Trail)
        self._slowed: dict[int, tuple[float, float]] = {}

    def admit(self, operator: int) -> None:
        """Let a lookup pass, or make a noticed operator wait.

        Raises:
            BudgetError: It was noticed, and asked again too soon.
        """
        if operator not in self._slowed:
            return
        now = self._clock()
        with self._lock:
            until, free = self._slowed.get(operator, (now, now))
            if now >= until:
                self._slowed.pop(operator, None)
                return
            if now < free:
                raise BudgetError(
                    "Your lookups feel along one code; they are slowed down, and staff was told.",
                    int(PAUSE_SECONDS),
                )
            self._slowed[operator] = (until, now + PAUSE_SECONDS)

    def hand_over(self, operator: int, batch: Batch, hits: Hits) -> None:
        """Take the PDQ queries of a lookup, to be looked at later."""
        part = next((one for one in batch.parts if one.signal is PDQ), None)
        if part is None or not len(part.codes):
            return
        hit = np.isin(part.items[:AT_ONCE], hits.item)
        with self._lock:
            self._waiting.append((operator, part.codes[:AT_ONCE], hit))

    def look(self) -> int:
        """Look at what was handed over; returns how many operators were noticed."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        noticed = {
            operator
            for operator, codes, hit in waiting
            if self._trails[operator].add(codes, hit) and operator not in self._slowed
        }
        now = self._clock()
        for operator in noticed:
            with self._lock:
                self._slowed[operator] = (now + SLOWED_SECONDS, now + PAUSE_SECONDS)
            del self._trails[operator]
            self._alarm(operator)
        return len(noticed)
