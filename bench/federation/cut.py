# SPDX-License-Identifier: Apache-2.0
"""After a cut: how soon two hubs that both went on agree again, and whether withdrawn stays so.

Both are reached through gates, which are closed for as long as their members contribute. Some of
what was known on both sides is withdrawn meanwhile, and some of what nobody else knows yet.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.calls import contributions
from bench.codes import as_hex, random_codes
from bench.federation.books import await_true, has_said_all, registers
from bench.federation.community import line, two_hubs
from bench.federation.gates import Gate
from bench.federation.watching import LOST, found_of
from bench.measures import Measure, at_least, at_most
from bench.stage import SEED, Stage
from hub.demo.paired import Paired, at_once

REACH = 120
"""Seconds."""
KNOWN = 1_000
"""What each side says before the cut."""
WITHDRAWN = 10
"""Of what was said before, and of what is said during the cut, at each side: below the guard."""
ASKED = 1_000
TOGETHER = 1_000
PATIENCE = 3_600.0


@dataclass
class Side:
    """A hub, and what its member said there.

    Attributes:
        hub: it.
        into: the set.
        live: codes that hold, each with its indicator's id.
        gone: codes that were withdrawn.
    """

    hub: Paired
    into: str
    live: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)

    def contribute(self, count: int, seed: int) -> None:
        """Contribute so many, 1,000 a request."""
        texts = as_hex(random_codes(count, seed))
        with line(self.hub) as giving:
            for start in range(0, count, TOGETHER):
                some = texts[start : start + TOGETHER]
                kept = giving.give(contributions(some, self.into))["results"]
                self.live |= {text: one["id"] for text, one in zip(some, kept, strict=True)}

    def withdraw(self, texts: list[str]) -> None:
        """Take codes back."""
        with line(self.hub) as taking:
            for text in texts:
                name = self.live.pop(text)
                taking.call("POST", f"/v1/indicators/{name}/withdraw", b"{}")
                self.gone.append(text)


def measure(stage: Stage) -> Iterator[Measure]:
    """Cut two hubs off, let both go on, and mend it."""
    with ExitStack() as ends:
        gates: list[Gate] = []

        def behind_gate(port: int) -> Mapping[str, str]:
            gates.append(ends.enter_context(Gate(port)))
            return {"BREAKWATER_PUBLIC_URL": f"http://127.0.0.1:{gates[-1].port}"}

        a, b, into = ends.enter_context(two_hubs(stage, "cut", more=behind_gate))
        sides = (Side(a, into), Side(b, into))
        _before(sides)
        for gate in gates:
            gate.close()
        stage.tell(f"{stage.cut:,} operations at each of two hubs that are cut off")
        cut_for = _meanwhile(sides, stage.cut)
        for gate in gates:
            gate.open()
        stage.tell("they are connected again")
        began = time.perf_counter()
        await_true(lambda: _is_level(sides), "both caught up", patience=PATIENCE, look=0.5)
        await_true(lambda: _all_found(sides), "what each says is found at both", patience=LOST)
        seconds = time.perf_counter() - began
        digests = {registers(side.hub) for side in sides}
        risen = _risen(sides)
    name = f"after a cut worth {stage.cut:,} operations on each side"
    yield Measure(f"{name}: caught up", seconds, "s", at_most(REACH))
    yield Measure(f"{name}: equal digests", float(len(digests) == 1), "", at_least(1))
    yield Measure(f"{name}: resurrected withdrawals", risen, "", at_most(0))
    yield Measure(f"{name}: withdrawn meanwhile", sum(len(side.gone) for side in sides), "")
    yield Measure(f"{name}: registers of each", max(count for count, _ in digests), "")
    yield Measure(f"{name}: cut off for", cut_for, "s")


def _before(sides: tuple[Side, Side]) -> None:
    for number, side in enumerate(sides):
        side.contribute(KNOWN, SEED + 70 + number)
    await_true(lambda: _all_found(sides), "what was said before is found at both", patience=LOST)


def _meanwhile(sides: tuple[Side, Side], count: int) -> float:
    """Contribute and withdraw at both; returns how many seconds that took, all of it logged."""
    began = time.perf_counter()
    known = {side.hub.name: side for side in sides}

    def go_on(hub: Paired) -> None:
        side = known[hub.name]
        side.withdraw([*side.live][:WITHDRAWN])
        side.contribute(count, SEED + 80 + len(hub.name) + ord(hub.name[4]))
        side.withdraw([*side.live][-WITHDRAWN:])

    at_once(go_on, [side.hub for side in sides])
    await_true(
        lambda: all(has_said_all(side.hub) for side in sides), "all is logged", patience=PATIENCE
    )
    return time.perf_counter() - began


def _is_level(sides: tuple[Side, Side]) -> bool:
    first, second = (registers(side.hub) for side in sides)
    return first == second


def _all_found(sides: tuple[Side, Side]) -> bool:
    """Whether each hub finds what the other says: a part of it, and the last."""
    for mine, theirs in (sides, sides[::-1]):
        texts = [*theirs.live]
        asked = [*texts[:: max(1, len(texts) // ASKED)], texts[-1]]
        with line(mine.hub) as asking:
            if not all(found_of(asking, asked)):
                return False
    return True


def _risen(sides: tuple[Side, Side]) -> int:
    """How many of what was withdrawn anybody finds."""
    gone = [text for side in sides for text in side.gone]
    risen = 0
    for side in sides:
        with line(side.hub) as asking:
            risen += sum(found_of(asking, gone))
    return risen
