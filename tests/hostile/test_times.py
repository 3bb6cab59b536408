# SPDX-License-Identifier: Apache-2.0
"""Group B: versions that do not follow each other, and times that cannot be."""

import pytest

from tests.hostile.contract import NOW
from tests.hostile.peer import honest, said, target
from tests.hostile.playing import check_honest, holds
from tests.hostile.times import GROUP

ROWS = {one.id: one for one in GROUP.behaviours}


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_what_is_not_of_its_time_is_refused(played, behaviour):
    played(behaviour)


def test_what_a_thief_burnt_is_said_again_in_another_epoch(played):
    contract = played(ROWS["B4.recovery"])

    assert holds(contract.dump(), target(1))


def test_what_is_of_the_future_is_taken_when_its_time_has_come(contract):
    peer = honest()
    peer.say(said(80, created=NOW + 900))
    with peer.behind() as served:
        assert contract.sync(served.url)["alarms"] == ["future"]

        contract.now += 900
        check_honest(contract.sync(served.url), 1)

    assert holds(contract.dump(), target(80))


def test_a_clock_that_moved_back_makes_nothing_fresher(played):
    contract = played(ROWS["B14"])

    assert contract.partner().trust.head.alive_at <= contract.now
