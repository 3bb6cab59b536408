# SPDX-License-Identifier: Apache-2.0
"""Hubs that federate, simulated: 500 seeds keep the invariants, and planted bugs break them.

What happens, what is checked and what is left out stands in ``tests/simulators/exchange``. By
hand, with many more seeds:

    python -m tests.simulators.exchange --seeds 10000 --workers 2 --out simulated.json
"""

import os
import secrets
import time

import pytest
from coverage import Coverage

from tests.simulators.exchange import world
from tests.simulators.exchange.checks import ViolationError
from tests.simulators.exchange.passed import passed
from tests.simulators.exchange.planted import planted
from tests.simulators.exchange.restored import restored
from tests.simulators.exchange.world import simulated

SEEDS, AT_ONCE = 500, 25
CONTROL = "keep_ignored"
FOUND_BY = {
    "keep_ignored": 10, "trust_kept_first": 7, "growth_unchecked": 2, "forks_unseen": 49,
    "rollbacks_unseen": 18, "revokes_ignored": 10, "lies_counted": 128, "checkpoint_first": 30,
    "cursor_first": 26, "served_to_all": 0, "anybody_vouched_for": 5, "audience_unasked": 3,
    "signatures_unchecked": 17, "forgotten_early": 7, "shorter_life_unsaid": 10,
    "future_passed_over": 37, "narrowing_short_lived": 340, "last_come_wins": 391,
}  # fmt: skip
"""A seed that finds each bug: it is tried first, so that nothing is sought that is known."""
PASSED_FOUND_BY = {"revokes_not_passed_on": 0, "only_the_nearest_heard": 0}
"""The same, where hubs pass on what others said."""
SHOWN_BY_CRASHES = {"checkpoint_first": 0.6, "cursor_first": 0.6}
"""How often processes die while these are sought, which a crash at one moment alone brings up."""


def chunks(seeds):
    """Seeds in pieces, for several workers; the first piece is quick enough to run always."""
    return [
        pytest.param(
            range(start, start + AT_ONCE),
            id=f"from-{start}",
            marks=[pytest.mark.slow] if start else [],
        )
        for start in range(0, seeds, AT_ONCE)
    ]


def violation(seeds, simulation=simulated):
    """The first invariant that one of the seeds breaks, with the seed; None: none does."""
    for seed in seeds:
        try:
            simulation(seed)
        except ViolationError as error:
            return seed, error
    return None


@pytest.fixture(autouse=True)
def coverage(request):
    """Count what the first seeds reach, not what all do: it takes half as long again."""
    counting = Coverage.current() if request.node.get_closest_marker("slow") else None
    if counting is not None:
        counting.stop()
    yield
    if counting is not None:
        counting.start()


@pytest.mark.parametrize("seeds", chunks(SEEDS))
def test_hubs_keep_the_invariants(seeds):
    assert violation(seeds) is None


@pytest.mark.parametrize("seeds", chunks(150))
def test_hubs_in_a_row_or_a_ring_keep_them_too(seeds):
    """Most of them hear each other through others only."""
    assert violation(seeds, passed) is None


@pytest.mark.parametrize("seeds", chunks(100))
def test_whoever_is_put_back_is_told_apart(seeds):
    """A restored hub that goes on as before is refused with evidence, and nothing is lost."""
    counts = sum((restored(seed).counts for seed in seeds), start=restored(0).counts)

    assert counts["know more"] > 10
    assert counts["told apart"] > 10


@pytest.mark.parametrize("simulation", [simulated, passed, restored])
def test_a_seed_replays_to_the_last_byte(simulation):
    first = simulation(7)
    others = [simulation(seed).digest for seed in (8, 9)]

    again = simulation(7)

    assert again.log == first.log
    assert again.digests == first.digests
    assert again.digest not in others


def test_chance_and_time_come_from_the_seed_alone(monkeypatch):
    simulated(7)

    def asked(*_):
        raise AssertionError("the system was asked")

    for place, name in ((os, "urandom"), (secrets, "token_bytes"), (time, "time")):
        monkeypatch.setattr(place, name, asked)

    simulated(7)


@pytest.mark.parametrize("bug", [one for one in FOUND_BY if one != CONTROL])
def test_a_planted_bug_is_found(bug, monkeypatch):
    monkeypatch.setattr(world, "CRASHES", SHOWN_BY_CRASHES.get(bug, world.CRASHES))

    with planted(bug):
        assert violation([FOUND_BY[bug], *range(SEEDS)]) is not None


@pytest.mark.parametrize("bug", PASSED_FOUND_BY)
def test_a_bug_planted_where_hubs_pass_on_is_found(bug, monkeypatch):
    monkeypatch.setattr(world, "CRASHES", SHOWN_BY_CRASHES.get(bug, world.CRASHES))

    with planted(bug):
        assert violation([PASSED_FOUND_BY[bug], *range(SEEDS)], passed) is not None


def test_without_a_floor_under_keep_hubs_never_agree():
    """The control: a later version with a shorter life is forgotten before the earlier one."""
    with planted(CONTROL):
        found = violation([FOUND_BY[CONTROL], *range(SEEDS)])

    assert found is not None
    assert found[1].invariant == "I5"
