# SPDX-License-Identifier: Apache-2.0
"""Members at work, each a process of its own: one gives, one asks, both at an even pace."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from bench.calls import Line, contributions, question
from bench.codes import as_hex, random_codes

Tell = Callable[[Any], None]
PATIENCE = 120.0
"""Seconds beyond its time after which nobody waits for a member any more."""


@dataclass(frozen=True)
class Giver:
    """Contributes: so many a second, some in a request.

    Attributes:
        port: of the hub.
        key: of the member.
        into: the set's public id.
        per_second: operations.
        together: in one request.
    """

    port: int
    key: str
    into: str
    per_second: int
    together: int

    def work(self, seconds: float, seed: int, tell: Tell) -> None:
        """Give for so long; tells one code of each request, and when its answer came."""
        requests = int(seconds * self.per_second / self.together)
        texts = as_hex(random_codes(requests * self.together, seed))
        with Line(self.port, self.key) as line:
            for number, _ in enumerate(_paced(self.per_second / self.together, requests)):
                some = texts[number * self.together : (number + 1) * self.together]
                line.give(contributions(some, self.into))
                tell((some[-1], time.perf_counter()))


@dataclass(frozen=True)
class Asker:
    """Looks up: so many a second, one in a request.

    Attributes:
        port: of the hub.
        key: of the member.
        texts: what is asked for, in turn.
        per_second: lookups.
    """

    port: int
    key: str
    texts: Sequence[str]
    per_second: int

    def work(self, seconds: float, _seed: int, tell: Tell) -> None:
        """Ask for so long; tells how many seconds each took from when it was due.

        Who waits for an answer cannot ask the next question in time: that too is waiting.
        """
        bodies = [question(text) for text in self.texts]
        with Line(self.port, self.key) as line:
            for number, due in enumerate(_paced(self.per_second, int(seconds * self.per_second))):
                line.ask(bodies[number % len(bodies)])
                tell(time.perf_counter() - due)


Member = Giver | Asker


@contextmanager
def at_work(members: Sequence[Member], *, seconds: float, seed: int) -> Iterator[list["Working"]]:
    """Let members work beside each other for a while."""
    context = multiprocessing.get_context("spawn")
    working = []
    for number, member in enumerate(members):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(member, seconds, seed + number, theirs), daemon=True
        )
        process.start()
        working.append(Working(process, ours))
    try:
        for one in working:
            one.line.recv()
        for one in working:
            one.line.send("now")
        yield working
    finally:
        for one in working:
            one.process.join(PATIENCE)
            one.process.kill()


@dataclass
class Working:
    """A member at work."""

    process: Any
    line: Connection

    is_done: bool = False

    def told(self) -> Iterator[Any]:
        """What it told since it was asked last.

        Raises:
            EOFError: It died.
        """
        while not self.is_done and self.line.poll():
            told = self.line.recv()
            self.is_done = told is None
            if not self.is_done:
                yield told


def _work(member: Member, seconds: float, seed: int, line: Connection) -> None:
    line.send("ready")
    line.recv()
    member.work(seconds, seed, line.send)
    line.send(None)


def _paced(per_second: float, count: int) -> Iterator[float]:
    """When each is due; waits until then."""
    began = time.perf_counter()
    for number in range(count):
        due = began + number / per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        yield due
