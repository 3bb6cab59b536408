# SPDX-License-Identifier: Apache-2.0
"""The way between hubs: it loses, cuts, repeats, and brings old answers late."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from federation.errors import Alarm, RefusedError, TransportError
from federation.ports import Answer

LOST, OLD = 0.06, 0.05
"""How often a request or its answer is lost, and how often an old answer comes instead."""
REMEMBERED = 6

Serve = Callable[[str], Answer]


class Network:
    """Everything between all hubs.

    Args:
        random: of the simulation.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._cut: set[tuple[str, str]] = set()
        self._passed: dict[tuple[str, str], deque[Answer]] = {}
        self.is_calm = False
        """Whether nothing goes wrong any more."""

    def cut(self, one: str, other: str, *, both: bool) -> None:
        """Let nothing through from one hub to another, or in both directions."""
        self._cut.add((one, other))
        if both:
            self._cut.add((other, one))

    def heal(self) -> None:
        """Let everything through."""
        self._cut.clear()

    def ask(self, asker: str, host: str, serve: Serve, path: str) -> tuple[Answer, bool]:
        """Carry a request and its answer; tells whether that is the true one."""
        passed = self._passed.setdefault((asker, host), deque(maxlen=REMEMBERED))
        if self.is_calm:
            return serve(path), True
        if (asker, host) in self._cut or self._random.random() < LOST:
            raise TransportError("the request was lost")
        if passed and self._random.random() < OLD:
            return self._random.choice(passed), False
        answer = serve(path)
        passed.append(answer)
        if (host, asker) in self._cut or self._random.random() < LOST:
            raise TransportError("the answer was lost")
        return answer, True


class Wire:
    """From one hub to another.

    Args:
        network: between them.
        asker: who asks.
        host: who is asked.
        serve: how it answers.
    """

    def __init__(self, network: Network, asker: str, host: str, serve: Serve) -> None:
        self._network = network
        self._asker, self._host, self._serve = asker, host, serve
        self.is_true = True
        """Whether what came last is what the host answered."""

    def get(self, path: str, *, max_bytes: int, seconds: float) -> Answer:
        """Ask."""
        del seconds
        answer, self.is_true = self._network.ask(self._asker, self._host, self._serve, path)
        if len(answer.body) > max_bytes:
            raise RefusedError(Alarm.TOO_LARGE, "more than was asked for")
        return answer

    def post(self, path: str, *_: Any, **__: Any) -> Answer:
        """Nobody posts here."""
        raise AssertionError(path)
