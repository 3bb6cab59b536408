# SPDX-License-Identifier: Apache-2.0
"""Token buckets: an operator gets its pace, and another's flood is not its own."""

import pytest

from hub.web.limits import Buckets


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def buckets(clock):
    return Buckets(rate=10, burst=20, monotonic=clock)


def test_burst_passes_and_then_the_rate(buckets, clock):
    assert [buckets.wait(1) for _ in range(21)] == [0] * 20 + [1]

    clock.now += 1

    assert [buckets.wait(1) for _ in range(11)] == [0] * 10 + [1]


def test_one_operators_flood_is_not_anothers(buckets):
    for _ in range(100):
        buckets.wait(1)

    assert buckets.wait(2) == 0


def test_long_rest_fills_the_bucket_no_further_than_the_burst(buckets, clock):
    buckets.wait(1)
    clock.now += 1_000_000

    assert [buckets.wait(1) for _ in range(21)].count(0) == 20


def test_wait_is_as_long_as_it_takes_and_no_shorter(buckets, clock):
    assert buckets.wait(1, cost=20) == 0

    wait = buckets.wait(1, cost=15)

    assert wait == 2
    clock.now += wait
    assert buckets.wait(1, cost=15) == 0


def test_cost_beyond_the_burst_is_taken_from_a_full_bucket_and_owed(buckets, clock):
    assert buckets.wait(1, cost=50) == 0

    assert buckets.wait(1) > 0
    clock.now += 3
    assert buckets.wait(1) > 0
    clock.now += 0.125
    assert buckets.wait(1) == 0


def test_refused_request_costs_nothing(buckets, clock):
    buckets.wait(1, cost=20)
    for _ in range(100):
        assert buckets.wait(1) > 0

    clock.now += 0.125

    assert buckets.wait(1) == 0
