# SPDX-License-Identifier: Apache-2.0
"""Every state that a reader could ever see is one that the truth had, rows and position together.

Readers are quick and steps are short, so nothing is left to chance here: each state that is put
in the place of the last is looked at.
"""

from typing import Any

from matching.engine import Engine
from matching.signals import PDQ
from tests.fakes.changes import FakeFeed, plain


class Watched(Engine):
    """An engine that notes each state it lets readers see."""

    def __init__(self):
        self.seen: list[Any] = []
        super().__init__()

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "_state":
            self.seen.append(value)


def test_no_state_holds_rows_of_another_position():
    # Given an engine and what the truth counted at each position,
    engine, feed = Watched(), FakeFeed()
    engine.load(feed.snapshot())
    counted = {0: feed.totals()}

    # when changes come one by one and together,
    for number in range(1, 9):
        feed.change(number, 2, (plain(PDQ.name, number.to_bytes(PDQ.width, "big")),))
        counted[number] = feed.totals()
        if number != 5:
            engine.apply(feed.after(engine.position, 2))

    # then no state was ever visible whose rows were not those of its position.
    assert engine.position == 8
    for state in engine.seen[1:]:
        assert {name: table.total for name, table in state.tables.items()} == counted[
            state.position
        ]
