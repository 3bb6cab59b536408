# SPDX-License-Identifier: Apache-2.0
"""How much a partner may change in a day before somebody looks."""

import pytest

from hub.domain.pace import FEW, LEAST_USUAL, Pace


@pytest.mark.parametrize(
    ("live", "revoked", "more"),
    [
        (0, 0, FEW),
        (10, 5, FEW - 5),
        (400, 0, 20),
        (1000, 0, 50),
        (950, 50, 0),
        (9_900, 100, 400),
        (1000, 999, 0),
    ],
)
def test_one_in_twenty_and_always_a_few(live, revoked, more):
    assert Pace(revoked=revoked, added=0).revocable(live) == more


def test_to_take_back_one_by_one_gains_nothing():
    live, revoked = 10_000, 0
    while Pace(revoked=revoked, added=0).revocable(live - revoked):
        revoked += 1

    assert revoked == 500


@pytest.mark.parametrize(
    ("before", "added", "flood"),
    [
        ((), 10**6, False),
        ((0,) * 7, 10 * LEAST_USUAL, False),
        ((0,) * 7, 10 * LEAST_USUAL + 1, True),
        ((5_000,) * 7, 50_000, False),
        ((5_000,) * 7, 50_001, True),
    ],
)
def test_ten_times_the_usual_is_a_flood_once_there_is_something_usual(before, added, flood):
    assert Pace(revoked=0, added=added, before=before).is_flood is flood
