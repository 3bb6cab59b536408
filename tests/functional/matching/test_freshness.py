# SPDX-License-Identifier: Apache-2.0
""" "No match" is a claim, and is made only with evidence that everything was searched."""

import pytest

from hub.domain.errors import UnavailableError
from tests.simulators.valkey import Valkey
from tests.support.codes import code, pdq
from tests.support.saying import asked, contributed, picture


@pytest.fixture
def known():
    return pdq()


def test_an_answer_says_up_to_where_it_knows(house, shared, alpha, beta, known):
    contributed(alpha, picture(pdq=known), shared)
    head = house.hub.feed.head()

    answer = asked(beta, {"pdq": known}, settle=False)

    assert answer["complete"] is True
    assert answer["index"]["position"] == answer["index"]["head"] == head.position
    assert answer["index"]["timeline"] == head.timeline


def test_before_the_index_was_ever_whole_nothing_is_answered(open_house, known):
    house = open_house(settle=False)
    caller = house.admit("new.example.com")

    answer = caller.post(
        "/v1/match", {"items": [{"codes": [{"signal": "pdq", "code": known}]}]}, settle=False
    )

    assert answer.status_code == 503
    assert answer.json["type"] == "urn:breakwater:problem:not-ready"
    assert "Retry-After" in answer.headers


def test_what_is_stale_cannot_say_none_but_says_what_it_finds(
    house, shared, alpha, beta, known, monkeypatch
):
    contributed(alpha, picture(pdq=known), shared)
    evidence = house.hub.follower._evidence  # noqa: SLF001 - its clock is real time
    monkeypatch.setattr(evidence, "_clock", lambda real=evidence._clock: real() + 5.0)  # noqa: SLF001 - as above

    answer = asked(beta, {"pdq": known}, {"pdq": pdq()}, {"phash": code("phash")}, settle=False)

    assert answer["complete"] is False
    told = answer["answers"]
    assert told[0]["answer"] == "hit"
    assert told[1] == {"answer": "unknown", "why": "index"}
    assert told[2] == {"answer": "unknown", "why": "unsearchable"}


def test_hits_that_the_truth_cannot_confirm_are_said_to_be_unverified(
    house, shared, alpha, beta, clock, known, monkeypatch
):
    contributed(alpha, picture(pdq=known), shared)
    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    def away(_keys, _sets):
        raise UnavailableError("away")

    monkeypatch.setattr(house.hub.describer, "described", away)
    hit, none = asked(beta, {"pdq": known}, {"pdq": pdq()}, settle=False)["answers"]

    assert none == {"answer": "none"}
    assert hit["standing"] == "review"
    assert [one["unverified"] for one in hit["hits"]] == [True, True]
    assert all("id" not in one and "receipt" not in one for one in hit["hits"])


def test_losing_redis_alone_changes_no_answer(open_house, tmp_path_factory, known):
    server = Valkey(tmp_path_factory.mktemp("valkey"), "--appendonly", "no")
    server.start()
    house = open_house(redis_url=server.url)
    shared = house.set("shared")
    alpha = house.admit("alpha.example.com", sets=[shared])
    contributed(alpha, picture(pdq=known), shared)

    server.kill()
    later = contributed(alpha, picture(pdq=(other := pdq())), shared, settle=False)
    for _ in range(200):
        house.hub.follower.step(0)
        if house.hub.engine.position >= house.hub.feed.head().position:
            break

    answer = asked(alpha, {"pdq": known}, {"pdq": other}, {"pdq": pdq()}, settle=False)
    assert answer["complete"] is True
    assert [one["answer"] for one in answer["answers"]] == ["hit", "hit", "none"]
    assert answer["answers"][1]["hits"][0]["id"] == later
