# SPDX-License-Identifier: Apache-2.0
"""Play a scenario and hold what came of it against what must be."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from hub.client import ClientError
from hub.demo.lying import saw_all_of, second_history
from hub.demo.running import DemoError
from tests.namespaces.checks import Watch, settled
from tests.namespaces.scenarios import SCENARIOS
from tests.namespaces.town import BrokenError, Town

PLANTED = ("no-heal", "not-withdrawn", "forked")
"""What may be done wrong on purpose: each must be found."""


@dataclass(frozen=True)
class Played:
    """What came of a scenario.

    Attributes:
        name: its.
        flaw: what does not hold; empty: all does.
        seconds: that it took.
        to_equal: seconds after the heal until all hubs held the same.
        said: contributions that were taken.
        taken_back: of these.
        asked: codes that were looked up meanwhile, at all hubs.
        refused: packets that were refused.
    """

    name: str
    flaw: str
    seconds: float
    to_equal: float
    said: int
    taken_back: int
    asked: int
    refused: int

    def as_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def play(town: Town, name: str) -> Played:
    """Play one in a town whose hubs hold the same; afterwards they do again, or it has a flaw."""
    said, gone = len(town.book), _gone(town)
    refused, began = town.refused, time.monotonic()
    healed, flaw = began, ""
    with Watch(town) as watch:
        try:
            SCENARIOS[name](town)
            healed = time.monotonic()
            if town.planted == "forked":
                _fork(town)
            settled(town)
        except (BrokenError, ClientError, DemoError) as error:
            flaw = str(error)
        ended = time.monotonic()
    return Played(
        name=name,
        flaw="; ".join([*([flaw] if flaw else []), *sorted(set(watch.flaws))]),
        seconds=round(ended - began, 1),
        to_equal=round(ended - healed, 1),
        said=len(town.book) - said,
        taken_back=_gone(town) - gone,
        asked=sum(watch.asked.values()),
        refused=town.refused - refused,
    )


def _gone(town: Town) -> int:
    return sum(not one.is_live for one in town.book)


def _fork(town: Town) -> None:
    """Have C sign a second history: nobody may be silent about that."""
    town.eventually(lambda: saw_all_of(town["c"].hub, town["a"].hub), "A does not see C's log")
    second_history(town["c"].hub, town["a"].hub)
