# SPDX-License-Identifier: Apache-2.0
"""Ask a hub, as a member of it would, until it says what it should."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.calls import question, questions
from bench.lookups import WrongAnswerError

PAUSE = 0.004
"""Seconds between two looks for one code."""
AT_ONCE = 1_000
LOST = 120.0
"""Seconds after which what should happen is taken to never happen."""


class Asked(Protocol):
    """Whoever answers what is matched."""

    def ask(self, body: bytes) -> Any:
        """Match."""


def is_found(line: Asked, text: str) -> bool:
    """Whether a code is a hit now."""
    return bool(line.ask(question(text))["answers"][0]["answer"] == "hit")


def until(line: Asked, text: str, *, found: bool, patience: float = LOST) -> float:
    """Ask for a code until it is found, or is not any more; returns when that was.

    Raises:
        WrongAnswerError: It never happens.
    """
    deadline = time.perf_counter() + patience
    while is_found(line, text) != found:
        if time.perf_counter() > deadline:
            raise WrongAnswerError(f"a code is {'not' if found else 'still'} found")
        time.sleep(PAUSE)
    return time.perf_counter()


def found_of(line: Asked, texts: Sequence[str]) -> list[bool]:
    """Of each code whether it is a hit."""
    answers: list[bool] = []
    for start in range(0, len(texts), AT_ONCE):
        told = line.ask(questions(list(texts[start : start + AT_ONCE])))["answers"]
        answers += [one["answer"] == "hit" for one in told]
    return answers


@dataclass
class Watch:
    """Looks for all codes that were given and are not found yet, in one request after another.

    Attributes:
        line: to the hub that is asked.
        lags: seconds from when a code was given until it was found.
    """

    line: Asked
    lags: list[float] = field(default_factory=list)
    _waiting: dict[str, float] = field(default_factory=dict)

    def expect(self, given: Iterable[tuple[str, float]]) -> None:
        """Look for codes from now on, each with when it was given."""
        self._waiting.update(given)

    @property
    def is_done(self) -> bool:
        """Whether all were found."""
        return not self._waiting

    @property
    def lost(self) -> int:
        """How many were not found yet."""
        return len(self._waiting)

    def look(self) -> None:
        """Ask once for all that is missing."""
        texts = list(self._waiting)
        hits = found_of(self.line, texts) if texts else []
        now = time.perf_counter()
        for text, hit in zip(texts, hits, strict=True):
            if hit:
                self.lags.append(now - self._waiting.pop(text))
