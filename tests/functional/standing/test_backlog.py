# SPDX-License-Identifier: Apache-2.0
"""What still waits for its links is said, in positions and seconds: nobody guesses it."""

from hub.services import neighbours
from tests.support.codes import pdq
from tests.support.saying import picture, said


def test_backlog_counts_positions_and_the_seconds_the_oldest_waits(house, shared, alpha, clock):
    house.settle()
    assert neighbours.backlog(house.hub) == (0, 0.0)

    for _ in range(2):
        alpha.post("/v1/indicators", said(picture(pdq=pdq()), shared), settle=False)
        clock.forward(seconds=7)

    assert neighbours.backlog(house.hub) == (2, 14.0)
    house.settle()
    assert neighbours.backlog(house.hub) == (0, 0.0)
