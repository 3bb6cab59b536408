# SPDX-License-Identifier: Apache-2.0
"""What is known of an engine's completeness, and how that knowledge ages.

"No match" is a claim: it is made only while there is evidence, seconds old, that the engine had
reached the truth's head. Evidence ages by the monotonic clock; no wall clock is believed.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

Clock = Callable[[], float]  # seconds, monotonic

FRESH_SECONDS = 5.0  # how long what was read of the truth's head is believed


class Why(StrEnum):
    """Why an engine is not known to be complete."""

    COMPLETE = ""
    LOADING = "loading"  # never loaded yet
    REBUILDING = "rebuilding"  # rows or history were not the truth's
    CONTROLS = "controls"  # a control came out wrong
    STALE = "stale"  # the truth's head has been out of sight, or out of reach, for too long


@dataclass(frozen=True)
class Freshness:
    """What an answer may claim. Read it *before* the search that it goes with.

    Attributes:
        complete: whether "no match" may be said.
        why: what stands against it.
        timeline: history the engine follows.
        position: last change it holds.
        head: last head of the truth that was read.
        lag_ms: milliseconds since the engine was last known to have reached the truth's head;
            None if it never was.
    """

    complete: bool
    why: Why
    timeline: str
    position: int
    head: int
    lag_ms: int | None


@dataclass(frozen=True)
class _Known:
    trouble: Why = Why.LOADING
    head: int = 0
    current_at: float | None = None


class Placed(Protocol):
    """What stands at a position of a history: an engine."""

    @property
    def timeline(self) -> str:
        """The history it follows."""
        ...

    @property
    def position(self) -> int:
        """The last change it holds."""
        ...


class Evidence:
    """Kept by the one loop that follows, read by any thread.

    Args:
        engine: what it is about.
        clock: monotonic seconds.
    """

    def __init__(self, engine: Placed, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        # One value, replaced and never changed: readers need no lock.
        self._known = _Known()
        self._arrived = threading.Condition()
        self._released = False

    @property
    def age(self) -> float:
        """Seconds since the engine was last known to be at the head; endless if it never was."""
        at = self._known.current_at
        return float("inf") if at is None else self._clock() - at

    def loaded(self, at_head: float | None) -> None:
        """Note that the engine was loaded and its controls passed.

        Args:
            at_head: when that was the truth's head; None if it may not have been.
        """
        self._known = _Known(Why.COMPLETE, self._engine.position, at_head)
        self.arrived()

    def trouble(self, why: Why) -> None:
        """Note that the engine is not to be believed, and why."""
        if self._known.trouble != Why.LOADING:
            self._known = replace(self._known, trouble=why)

    def head(self, position: int, at: float | None) -> None:
        """Note a head of the truth that was read at a time, or later; None: nobody knows when."""
        known = replace(self._known, head=max(position, self._known.head))
        if at is not None and self._engine.position >= position:
            known = replace(known, current_at=max(at, known.current_at or at))
        self._known = known

    def arrived(self) -> None:
        """Wake those who wait for a position."""
        with self._arrived:
            self._arrived.notify_all()

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait until the engine holds a position; tell whether it does."""
        with self._arrived:
            self._arrived.wait_for(
                lambda: self._released or self._engine.position >= position, timeout
            )
        return self._engine.position >= position

    def release(self) -> None:
        """Let nobody wait any more: the process is about to end."""
        with self._arrived:
            self._released = True
            self._arrived.notify_all()

    def freshness(self) -> Freshness:
        """Say what an answer given now may claim."""
        known, now = self._known, self._clock()
        why = known.trouble
        if why == Why.COMPLETE and (
            known.current_at is None or now - known.current_at >= FRESH_SECONDS
        ):
            why = Why.STALE
        return Freshness(
            complete=why == Why.COMPLETE,
            why=why,
            timeline=self._engine.timeline,
            position=self._engine.position,
            head=max(known.head, self._engine.position),
            lag_ms=None if known.current_at is None else int((now - known.current_at) * 1000),
        )
