# SPDX-License-Identifier: Apache-2.0
"""Group E: answers that are too much, too slow, or no answers."""

import itertools
from dataclasses import replace

import pytest

from tests.hostile.contract import SET
from tests.hostile.peer import honest, said, target
from tests.hostile.playing import holds
from tests.hostile.shapes import GROUP


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_what_is_no_answer_changes_nothing(played, behaviour):
    played(behaviour)


def test_a_set_that_comes_and_goes_does_not_keep_its_follower_reading(contract):
    """What was withheld is read once more when it is shared; nobody may be sent in circles."""
    peer = honest()
    peer.say(said(81), said(82))
    turns = itertools.count()

    def comes_and_goes(page, _):
        one = peer.log.page(page.start, min(page.start + 1, page.size), size=page.size)
        note = one.checkpoint if page.checkpoint is not None else None
        return replace(one, checkpoint=note, sets=(SET,) if next(turns) % 2 else ())

    peer.page = comes_and_goes
    with peer.behind() as served:
        for _ in range(4):
            told = contract.sync(served.url)
            # Now and then it hands out what it says that it does not share.
            assert set(told["alarms"]) <= {"out-of-audience"}
        assert contract.dump().position["size"] == 6

        peer.page = None
        peer.say(said(83))
        for _ in range(3):
            contract.sync(served.url)
    dump = contract.dump()
    assert dump.position["applied"] == 7
    assert all(holds(dump, target(number)) for number in (1, 2, 3, 81, 82, 83))
