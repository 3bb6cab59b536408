# SPDX-License-Identifier: Apache-2.0
"""A process that dies before any statement leaves what was or what is to be, nothing between.

Every way to write is taken, on both databases, and cut short at each of its statements, at its
commit and right behind it; then the request is repeated and must have been carried out once.
"""

from functools import partial

import pytest

from hub.domain.changes import SYSTEM
from hub.services import neighbours, restoring, upkeep
from tests.faults.contributions import Pictures, contribution, question
from tests.faults.failpoints import crash_before_each
from tests.faults.wholeness import contents, flaws

LEAST_STEPS = 5
"""A transaction has a few statements, one for its position, one for its change, and a commit."""


@pytest.fixture
def town(house):
    """A hub with a set, two members, and an indicator of the first one."""
    return Town(house)


class Town:
    """Who is there, and every way in which they write."""

    def __init__(self, house):
        self.house = house
        self.pictures = Pictures(7)
        self.set = house.set("lures")
        self.giver = house.admit("harbour.example.com", sets=[self.set])
        self.other = house.admit("lighthouse.example.com", sets=[self.set])
        self.admin = house.admit("hub.example.com", role="admin")
        self.code = self.pictures.code()
        body = contribution(self.code, self.set)
        self.known = self.giver.post("/v1/indicators", body).json["id"]

    def contribute(self):
        body = contribution(self.pictures.code(), self.set, external_id="once")
        return self._post(self.giver, "/v1/indicators", body)

    def contribute_again(self):
        body = contribution(self.code, self.set, external_id="twice")
        self.giver.post("/v1/indicators", body)
        return self._post(self.giver, "/v1/indicators", {**body, "confidence": "high"})

    def contribute_many(self):
        rows = [contribution(self.pictures.code(), self.set) for _ in range(3)]
        return self._post(self.giver, "/v1/indicators", {"indicators": rows})

    def revise(self):
        body = contribution(self.code, self.set)
        body.pop("item")
        return self._post(self.giver, f"/v1/indicators/{self.known}/versions", body)

    def withdraw(self):
        return self._post(self.giver, f"/v1/indicators/{self.known}/withdraw", {})

    def dispute(self):
        body = {"set": self.set, "stance": "disagree", "reason": "benign"}
        return self._post(self.other, f"/v1/indicators/{self.known}/opinions", body)

    def appeal(self):
        body = {"ground": "depicted-person"}
        return self._post(self.admin, f"/v1/indicators/{self.known}/appeals", body)

    def admit(self):
        return self._post(
            self.admin, "/v1/members", {"operator": self.giver.operator, "name": "x"}
        )

    def link_neighbours(self):
        self.other.post("/v1/indicators", contribution(self.code, self.set), settle=False)
        self.house.follow()
        return partial(neighbours.link_neighbours, self.house.hub)

    def settle_hits(self):
        self.other.post("/v1/match", question(self.code), settle=False)
        return self.house.hub.ledger.flush

    def expire(self):
        self.house.clock.forward(days=800)
        return partial(upkeep.expire_due, self.house.hub)

    def probe(self):
        return partial(upkeep.toggle_control, 3, self.house.hub)

    def erase(self):
        return partial(upkeep.erase, self.known, actor=SYSTEM, hub=self.house.hub)

    def restore(self):
        hub = self.house.hub
        return partial(restoring.new_timeline, begin=hub.begin, new_id=hub.new_id)

    def _post(self, who, path, body):
        def post():
            answer = who.post(path, body, once="the-one", settle=False)
            assert answer.status_code in (200, 201), answer.json
            return answer.get_data()

        return post


WAYS = sorted(name for name in vars(Town) if not name.startswith("_"))


@pytest.mark.parametrize("way", WAYS)
def test_the_state_after_a_crash_is_the_old_one_or_the_new_one(town, way):
    # Given a process that is about to write,
    work = getattr(town, way)()
    state = _contents(town.house)

    # when it dies before each step in turn,
    steps, changed = 0, 0
    for steps in crash_before_each(town.house, work):
        after = _contents(town.house)
        # then nothing has happened, or everything has: never a part.
        if after != state:
            assert _flaws(town.house) == [], f"half a state after step {steps}"
            state, changed = after, changed + 1

    # And whoever repeats it finds it carried out, or carries it out once.
    assert steps >= LEAST_STEPS
    work()
    assert _flaws(town.house) == []
    if way in REPEATABLE:
        assert changed == 1, "there is one moment at which it is done"
        assert _contents(town.house) == state, "a repeated request was carried out again"


REPEATABLE = {name for name in WAYS if "_post" in vars(Town)[name].__code__.co_names}


def _contents(house):
    with house.database.reader.connect() as connection, connection.begin():
        return contents(connection)


def _flaws(house):
    with house.database.reader.connect() as connection, connection.begin():
        return flaws(connection)
