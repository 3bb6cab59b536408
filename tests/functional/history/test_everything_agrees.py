# SPDX-License-Identifier: Apache-2.0
"""Whatever is said in whatever order, everything that is kept to be quick says the same as a list.

Totals, digests, the chain of changes, the engine, links, standings, what is found and what a
follower has at home are each held against what was said, after random acts.
"""

import itertools
import os

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hub.services import neighbours, upkeep
from tests.simulators.community import CODES, VICTIM, Community
from tests.simulators.home import Home
from tests.support.clock import Clock
from tests.support.house import House
from tests.support.truth import check_history, check_names, check_rebuilt, check_totals

EXAMPLES = int(os.environ.get("BREAKWATER_TEST_EXAMPLES", "6"))
STEPS = 30

codes = st.sampled_from(CODES)
derived = st.none() | codes
words = st.sampled_from(
    [
        {},
        {"harm": ["benign"]},
        {"basis": "automated-unreviewed"},
        {"depicts": VICTIM},
        {"basis": "expert-list", "list": "one"},
    ]
)
subsets = st.lists(st.integers(0, 1), min_size=1, max_size=2, unique=True)
days = st.sampled_from([1, 2, 300])
opinions = st.sampled_from(
    [
        {"stance": "agree", "basis": "own-service-human", "assessed_by": 1},
        {"stance": "agree", "basis": "own-service-human", "assessed_by": 1, "reach": "near"},
        {"stance": "disagree", "reason": "benign"},
        {"stance": "disagree", "reason": "subject-child", "reach": "near"},
        {"stance": "disagree", "reason": "duplicate"},
        {"stance": "seen"},
    ]
)
who = st.integers(0, 2)
which = st.integers(0, 1000)
contributions = st.tuples(who, codes, derived, subsets, words, days)


class Acts(RuleBasedStateMachine):
    """Random acts of three operators, an administrator, a follower and the hub's own loops."""

    def __init__(self, opened):
        super().__init__()
        self.house, self.close = opened()
        self.community = Community(self.house)
        self.follower = self.house.admit("home.example.com", sets=self.community.sets)
        self.house.settle()
        self.home = Home(self.follower)

    @initialize(said=st.lists(contributions, min_size=4, max_size=6))
    def begin(self, said):
        for one in said:
            self.contribute(one)

    def change(self, sets, said, lives):
        return [self.community.sets[n] for n in sets], said, lives

    def one(self, number):
        return self.community.said[number % len(self.community.said)]

    @rule(said=contributions)
    def contribute(self, said):
        by, code, border, sets, words, lives = said
        change = self.change(sets, words, lives)
        self.community.contribute(self.community.callers[by], code, border, change)

    @precondition(lambda self: self.community.said)
    @rule(number=which, border=derived, sets=subsets, said=words, lives=days)
    def revise(self, number, border, sets, said, lives):
        self.community.revise(self.one(number), border, self.change(sets, said, lives))

    @precondition(lambda self: self.community.said)
    @rule(number=which)
    def withdraw(self, number):
        self.community.withdraw(self.one(number))

    @precondition(lambda self: self.community.said)
    @rule(number=which, now=st.integers(0, 3))
    def erase(self, number, now):
        # Less often than the rest, lest there be nothing left to speak of.
        if now == 3:
            self.community.erase(self.one(number))

    @precondition(lambda self: self.community.said)
    @rule(by=who, number=which, where=st.integers(0, 1), opinion=opinions)
    def opine(self, by, number, where, opinion):
        caller, set_id = self.community.callers[by], self.community.sets[where]
        self.community.opine(caller, self.one(number), set_id, opinion)

    @rule(where=st.integers(0, 1), rights=st.sampled_from([["lookup"], ["lookup", "replica"]]))
    def grant(self, where, rights):
        path = f"/v1/sets/{self.community.sets[where]}/grants/{self.follower.member}"
        answer = self.community.admin.put(path, {"rights": rights}, settle=False)
        assert answer.status_code == 200, answer.text

    @rule(loop=st.sampled_from(["follow", "link", "home", "checkpoint", "probe"]))
    def a_loop_turns(self, loop):
        if loop == "home":
            self.home.follow()
            self.home.look_again(self.house.clock())
        elif loop == "checkpoint":
            self.house.relay.checkpoint()
        elif loop == "probe":
            upkeep.toggle_control(2, self.house.hub)
        else:
            self.house.follow()
        if loop == "link":
            neighbours.link_neighbours(self.house.hub, limit=3)

    @rule(passed=st.sampled_from([{"seconds": 2}, {"seconds": 4}, {"days": 1}]))
    def time_passes(self, passed):
        self.house.clock.forward(**passed)

    @rule()
    def everything_agrees(self):
        self.community.sweep()
        check_history(self.house)
        check_totals(self.house)
        check_names(self.house)
        check_rebuilt(self.house)
        self.found_is_what_was_said()
        self.links_are_who_agrees()
        self.home_is_what_may_leave()

    def found_is_what_was_said(self):
        for caller in self.community.callers:
            answer = caller.post("/v1/match", {"codes": {"pdq": list(CODES)}}, settle=False).json
            assert answer["complete"]
            for code, told in zip(CODES, answer["answers"], strict=True):
                found = {(hit["id"], hit["set"]) for hit in told.get("hits", ())}
                assert found == self.community.found(caller, code)
        self.house.settle()

    def links_are_who_agrees(self):
        for set_id in self.community.sets:
            for one in self.community.live(set_id):
                assert self.community.linked(one, set_id) == self.community.votes(one, set_id)

    def home_is_what_may_leave(self):
        self.home.follow()
        sets = [
            one["id"]
            for one in self.follower.get("/v1/sets").json["items"]
            if "replica" in one["rights"]
        ]
        held = {
            entry: {code["code"] for code in record["codes"]}
            for entry, record in self.home.held.items()
        }
        assert held == self.community.held(sets)
        self.home.look_again(self.house.clock())
        asked = {
            (entry["id"], told["set"]): told["standing"]
            for entry in map(self.entry, {indicator for indicator, _ in self.home.held})
            for told in entry["entries"]
        }
        for entry, record in self.home.held.items():
            assert record["standing"] == asked[entry]

    def entry(self, indicator):
        return self.follower.get(f"/v1/indicators/{indicator}").json

    def teardown(self):
        try:
            self.everything_agrees()
        finally:
            self.close()


def test_everything_that_is_kept_agrees_with_what_was_said(
    databases, valkey_url, tmp_path_factory
):
    numbers = itertools.count()

    def opened():
        folder = tmp_path_factory.mktemp(f"house-{next(numbers)}")
        url = databases.fresh(folder)
        house = House(folder, database_url=url, redis_url=valkey_url, clock=Clock())

        def close():
            house.close()
            databases.drop(url)

        return house, close

    run_state_machine_as_test(
        lambda: Acts(opened),  # type: ignore[arg-type]  # a factory serves as well as a class
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
