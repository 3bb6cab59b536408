# SPDX-License-Identifier: Apache-2.0
"""What a caller may rely on, each in one small test: the first to fail when a promise breaks."""

import sqlite3
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from hub.app import create_app
from hub.web import EXTENSION
from matching.freshness import Freshness, Why
from tests.faults.contributions import Pictures, contribution, question


@pytest.fixture
def databases(sqlite_databases):
    return sqlite_databases


@pytest.fixture
def pictures():
    return Pictures(19)


@pytest.fixture
def shared(house):
    return house.set("lures")


@pytest.fixture
def giver(house, shared):
    return house.admit("harbour.example.com", sets=[shared])


@pytest.fixture
def asker(house, shared):
    return house.admit("lighthouse.example.com", sets=[shared])


def test_what_is_acknowledged_is_seen_by_others_at_once(giver, shared, pictures, tmp_path):
    for _ in range(3):
        answer = giver.post("/v1/indicators", contribution(pictures.code(), shared), settle=False)
        assert answer.status_code == 201, answer.json
        other = sqlite3.connect(tmp_path / "hub.db")
        found = other.execute("SELECT id FROM indicator WHERE id = ?", [answer.json["id"]])
        seen = found.fetchall()
        other.close()
        assert seen == [(answer.json["id"],)]


def test_a_commit_that_fails_is_not_acknowledged_and_reaches_nobody(
    house, giver, shared, pictures
):
    # Given a disk that is full when the commit comes,
    house.settle()
    held, head = house.hub.store.last(), house.hub.feed.head()

    def full(_connection):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise OperationalError("COMMIT", {}, error)

    body = contribution(pictures.code(), shared)
    sa.event.listen(house.database.writer, "commit", full)
    answer = giver.post("/v1/indicators", body, once="one", settle=False)
    sa.event.remove(house.database.writer, "commit", full)

    # then the caller is told to try again, and nothing of it is in the shared copy;
    assert answer.status_code == 503, answer.json
    assert house.hub.store.last() == held

    # and when there is room again the same request is carried out, once.
    again = giver.post("/v1/indicators", body, once="one")
    assert again.status_code == 201, again.json
    assert again.json["position"] == head.position + 1


def test_an_index_that_was_never_loaded_claims_nothing(house, asker, pictures, monkeypatch):
    # Given a process that has just started and has loaded nothing,
    monkeypatch.setattr("tests.support.house.House.settle", lambda _house: None)
    again = type(house)(
        house.settings.data,
        database_url=house.settings.database_url,
        redis_url=house.settings.redis_url,
        clock=house.clock,
    )

    # when it is asked, then it does not say that nothing is known.
    caller = again.caller(asker.secret)
    answer = caller.post("/v1/match", question(pictures.code()), settle=False)
    again.close()
    assert answer.status_code == 503, answer.json


def test_none_is_not_said_on_evidence_that_came_after_the_search(house, asker, pictures):
    """The rows that were searched were old; that others arrived meanwhile is no evidence."""

    # Given an index that is behind, and catches up while it is searched,
    class Late:
        caught_up = False

        def search(self, *args, **options):
            hits = house.hub.engine.search(*args, **options)
            self.caught_up = True
            return hits

        def freshness(self):
            fresh = house.hub.follower.freshness()
            why = Why.COMPLETE if self.caught_up else Why.STALE
            return Freshness(self.caught_up, why, fresh.timeline, 1, fresh.head, fresh.lag_ms)

        def __getattr__(self, name):
            return getattr(house.hub.engine, name)

    late = Late()
    hub = replace(house.hub, engine=late, follower=late)
    app = create_app(house.settings, hub)
    assert app.extensions[EXTENSION] is hub

    # when it is asked about what it does not have, then it does not say that nothing is known.
    asked = app.test_client().post(
        "/v1/match",
        json=question(pictures.code()),
        headers={"Authorization": f"Bearer {asker.secret}"},
    )
    told = asked.get_json()
    assert told["complete"] is False
    assert told["answers"] == [{"answer": "unknown", "why": "index"}]


def test_what_was_withdrawn_is_not_told_by_an_index_that_has_not_heard(
    giver, asker, shared, pictures
):
    code = pictures.code()
    known = giver.post("/v1/indicators", contribution(code, shared)).json
    giver.post(f"/v1/indicators/{known['id']}/withdraw", {}, settle=False)

    told = asker.post("/v1/match", question(code), settle=False).json

    assert told["index"]["position"] < known["position"] + 1
    assert told["answers"] == [{"answer": "none"}]


def test_one_bad_row_stops_no_other(giver, asker, shared, pictures):
    good, bad = pictures.code(), "zz"
    rows = [contribution(bad, shared), contribution(good, shared)]

    answer = giver.post("/v1/indicators", {"indicators": rows})

    assert answer.status_code == 200, answer.json
    assert ["error" in row for row in answer.json["results"]] == [True, False]
    (told,) = asker.post("/v1/match", question(good)).json["answers"]
    assert told["answer"] == "hit"


def test_an_entry_is_found_through_its_own_set_only(house, giver, asker, shared, pictures):
    """Who may see an indicator in one set has no word on it in another."""
    other = house.set("elsewhere")
    house.grant(other, asker.member)
    known = giver.post("/v1/indicators", contribution(pictures.code(), shared)).json["id"]
    opinion = {"set": other, "stance": "disagree", "reason": "benign"}

    answer = asker.post(f"/v1/indicators/{known}/opinions", opinion)

    assert answer.status_code == 404, answer.json
    right = asker.post(f"/v1/indicators/{known}/opinions", {**opinion, "set": shared})
    assert right.status_code == 201, right.json
