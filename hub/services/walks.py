# SPDX-License-Identifier: Apache-2.0
"""Notice who feels along the boundary of a stored code.

Whoever has one matching picture can find the stored code with some 280 yes-or-no answers, by
turning single bits until the answer changes: from a hit to a miss, or from one band to the next.
Such a walk leaves a mark that honest traffic hardly ever leaves: several different queries on
either side of a boundary, within a few bits of one another. An alarm slows the operator down and
calls a person; it never shuts anybody out.

Queries are remembered in memory alone, the last of each operator, and looked at in the background:
a lookup only hands its arrays over.
"""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hub.domain.errors import BudgetError
from hub.domain.indicators import NEIGHBOUR_BITS
from matching.batches import Batch, Hits, Part
from matching.signals import INDEX, PDQ, VPDQ

BALL_BITS = 4
"""Queries this close to one another belong to one walk."""
LEAST_A_SIDE = 6
REMEMBERED = 2048
"""Queries remembered of an operator."""
AT_ONCE = 512
"""Queries of one request that are remembered, besides those that are near to one another."""
PIECES = BALL_BITS + 1
"""Of so many 32-bit pieces of two codes in one ball, at least one is the same."""
ALIKE = 1 + -(-(2 * LEAST_A_SIDE - 1) // PIECES)
"""A query whose ball straddles shares one of its pieces with so many, itself counted."""
MISS, EDGE, NEAR = 0, 1, 2
SLOWED_SECONDS = 3600.0
PAUSE_SECONDS = 5.0
"""How long an operator that was noticed waits between two lookups."""

Codes = NDArray[np.uint64]
Sides = NDArray[np.uint8]
_Asked = tuple[Codes, Sides]


class Trail:
    """An operator's last PDQ queries, and on which side of which boundary each fell."""

    def __init__(self) -> None:
        self._sides: dict[bytes, int] = {}

    def add(self, codes: Codes, sides: Sides) -> bool:
        """Remember queries ``(n, 4)`` with their sides ``(n,)``; returns whether they straddle."""
        known = len(self._sides)
        for code, side in zip(_texts(codes), sides.tolist(), strict=True):
            # The same query again says nothing new.
            self._sides.setdefault(code, side)
        fresh = len(self._sides) - known
        if not fresh:
            return False
        straddles = self._straddle(fresh)
        for code in list(itertools.islice(self._sides, max(0, len(self._sides) - REMEMBERED))):
            del self._sides[code]
        return straddles

    def _straddle(self, fresh: int) -> bool:
        """Whether a ball around one of the last *fresh* queries has enough on two sides."""
        codes = np.frombuffer(b"".join(self._sides), np.uint64).reshape(-1, PDQ.words)
        sides = np.fromiter(self._sides.values(), np.uint8, len(codes))
        first = len(codes) - fresh
        # Only codes that share a piece can be in one ball, and honest ones hardly ever do.
        for code in codes[first:][_crowded(codes, ALIKE)[first:]]:
            in_ball = np.bitwise_count(codes ^ code).sum(axis=1, dtype=np.uint16) <= BALL_BITS
            counts = np.bincount(sides[in_ball], minlength=NEAR + 1)
            if np.count_nonzero(counts >= LEAST_A_SIDE) > 1:
                return True
        return False


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
        self._waiting: list[tuple[int, Part, Hits]] = []
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
        for part in batch.parts:
            if len(part.codes) and part.signal in (PDQ, VPDQ):
                # Looked at later: what only the watch wants to know, no lookup waits for.
                with self._lock:
                    self._waiting.append((operator, part, hits))

    def look(self) -> int:
        """Look at what was handed over; returns how many operators were noticed."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        by_operator: dict[int, list[_Asked]] = defaultdict(list)
        for operator, part, hits in waiting:
            by_operator[operator].append(_asked(part, hits))
        noticed = {
            operator
            for operator, some in by_operator.items()
            if self._trails[operator].add(*_joined(some)) and operator not in self._slowed
        }
        now = self._clock()
        for operator in noticed:
            with self._lock:
                self._slowed[operator] = (now + SLOWED_SECONDS, now + PAUSE_SECONDS)
            del self._trails[operator]
            self._alarm(operator)
        return len(noticed)


def _joined(asked: Sequence[_Asked]) -> _Asked:
    codes, sides = zip(*asked, strict=True)
    return np.concatenate(codes), np.concatenate(sides)


def _asked(part: Part, hits: Hits) -> _Asked:
    """What is remembered of a request: codes ``(n, 4)``, and the side on which each fell."""
    part = _lone_frames(part) if part.signal is VPDQ else part
    codes, sides = part.codes, _sides(part, hits)
    if len(codes) <= AT_ONCE:
        return codes, sides
    chosen = _chosen(codes)
    return codes[chosen], sides[chosen]


def _sides(part: Part, hits: Hits) -> Sides:
    """On which side of which boundary each query fell, as the answer told it."""
    if not len(hits) or not len(part.codes):
        return np.zeros(len(part.codes), np.uint8)
    mine = hits.signal == INDEX[part.signal.name]
    best = np.full(int(part.items.max()) + 1, PDQ.bits, np.uint16)
    np.minimum.at(best, hits.item[mine], hits.distance[mine])
    distance = best[part.items]
    # Each boundary that it is within counts one: MISS, EDGE, NEAR.
    sides = (distance <= PDQ.near).astype(np.uint8)
    sides += distance <= NEIGHBOUR_BITS
    return sides


def _lone_frames(part: Part) -> Part:
    """The frames that are asked alone, as pictures are.

    Those of a longer video are answered together: copies of one that many videos open with would
    fall on either side without anybody having felt for it.
    """
    alone = np.bincount(part.items)[part.items] == 1
    return Part(part.signal, part.codes[alone], part.items[alone], part.derivations[alone])


def _chosen(codes: Codes) -> NDArray[np.intp]:
    """Of a large request the first, and whatever has many of its kind."""
    crowded = np.flatnonzero(_crowded(codes, 2 * LEAST_A_SIDE))[:REMEMBERED]
    return np.union1d(np.arange(AT_ONCE), crowded)


def _crowded(codes: Codes, least: int) -> NDArray[np.bool_]:
    """Which codes have a piece that *least* of them have, themselves included: bool ``(n,)``."""
    pieces = np.ascontiguousarray(codes).view(np.uint32)[:, :PIECES]
    crowded = np.zeros(len(codes), np.bool_)
    for piece in pieces.T:
        order = np.sort(piece)
        # So many equal ones stand wherever the one that is that far behind is the same.
        runs = order[least - 1 :][order[least - 1 :] == order[: 1 - least]]
        if len(runs):
            crowded |= np.isin(piece, runs)
    return crowded


def _texts(codes: Codes) -> list[bytes]:
    """Each code as bytes, all at once."""
    return list(np.ascontiguousarray(codes).view(f"V{PDQ.width}").ravel().tolist())
