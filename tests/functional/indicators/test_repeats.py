# SPDX-License-Identifier: Apache-2.0
"""A request that is sent again is carried out once and answered as the first time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from hub.services.upkeep import forget_old
from tests.support.codes import code, pdq
from tests.support.saying import picture, problem, said


@pytest.fixture(scope="module")
def house(lasting_house):
    return lasting_house


@pytest.fixture
def clock(house):
    return house.clock


@pytest.fixture
def body(shared):
    return said(picture(pdq=pdq()), shared)


def head(house):
    return house.hub.feed.head().position


def test_the_same_request_is_answered_byte_for_byte(house, alpha, body):
    first = alpha.post("/v1/indicators", body, once="request-1")
    after = head(house)
    alpha.post("/v1/indicators", body, once="request-2")
    later = head(house)

    again = alpha.post("/v1/indicators", body, once="request-1")

    assert later > after
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert head(house) == later


@pytest.mark.parametrize("route", ["batch", "versions", "withdraw", "opinions", "outcomes"])
def test_every_kind_of_writing_repeats_alike(house, shared, alpha, beta, body, route):
    indicator = alpha.post("/v1/indicators", body).json["id"]
    known = body["item"]["codes"][0]["code"]
    query = {"items": [{"codes": [{"signal": "pdq", "code": known}]}]}
    (answer,) = beta.post("/v1/match", query).json["answers"]
    receipt = answer["hits"][0]["receipt"]
    words = {name: value for name, value in body.items() if name != "item"}
    rows = [said(picture(md5=code("md5")), shared) for _ in range(3)]
    caller, path, sent = {
        "batch": (alpha, "/v1/indicators", {"indicators": [*rows, {}]}),
        "versions": (alpha, f"/v1/indicators/{indicator}/versions", words),
        "withdraw": (alpha, f"/v1/indicators/{indicator}/withdraw", {}),
        "opinions": (
            beta,
            f"/v1/indicators/{indicator}/opinions",
            {"set": shared, "stance": "disagree", "reason": "benign"},
        ),
        "outcomes": (
            beta, "/v1/outcomes", {"outcomes": [{"receipt": receipt, "outcome": "pending"}]},
        ),
    }[route]  # fmt: skip
    first = caller.post(path, sent, once="once")
    after = head(house)

    again = caller.post(path, sent, once="once")

    assert first.status_code in (200, 201), first.text
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert head(house) == after


def test_another_request_under_the_same_key_is_refused(house, alpha, body):
    alpha.post("/v1/indicators", body, once="request-1")
    before = head(house)

    answers = [
        alpha.post("/v1/indicators", body | {"use": "threat"}, once="request-1"),
        alpha.post("/v1/outcomes", {"outcomes": [{}]}, once="request-1"),
    ]

    for answer in answers:
        assert (answer.status_code, problem(answer)) == (422, "idempotency-key-reused")
    assert head(house) == before


def test_without_a_key_nothing_is_written(house, alpha, body):
    before = head(house)

    answer = alpha.client.post(
        "/v1/indicators", json=body, headers={"Authorization": f"Bearer {alpha.secret}"}
    )

    assert (answer.status_code, problem(answer)) == (400, "idempotency-key-missing")
    assert head(house) == before


def test_members_do_not_share_their_keys(house, alpha, beta, body):
    mine = alpha.post("/v1/indicators", body, once="request-1")

    theirs = beta.post("/v1/indicators", body, once="request-1")

    assert (theirs.status_code, theirs.json["id"] != mine.json["id"]) == (201, True)


def test_what_was_refused_may_be_tried_again_under_its_key(alpha, body):
    refused = alpha.post("/v1/indicators", body | {"harm": []}, once="request-1")
    assert refused.status_code == 422

    assert alpha.post("/v1/indicators", body, once="request-1").status_code == 201


@pytest.mark.parametrize("why", ["expiry", "grant"])
def test_the_first_answer_stands_though_it_would_be_refused_by_now(
    house, shared, alpha, clock, body, why
):
    body["expires"] = (clock.now + timedelta(hours=1)).isoformat()
    first = alpha.post("/v1/indicators", body, once="request-1")
    if why == "expiry":
        clock.forward(hours=2)
    else:
        house.grant(shared, alpha.member, frozenset({"lookup"}))
    assert alpha.post("/v1/indicators", body).status_code == 422

    again = alpha.post("/v1/indicators", body, once="request-1")

    assert (again.status_code, again.data) == (201, first.data)


def test_a_repeat_is_remembered_for_seven_days(house, alpha, clock, body):
    first = alpha.post("/v1/indicators", body, once="request-1")
    clock.forward(days=7)
    forget_old(house.hub)
    assert alpha.post("/v1/indicators", body, once="request-1").data == first.data

    clock.forward(seconds=1)
    forget_old(house.hub)

    assert alpha.post("/v1/indicators", body, once="request-1").json["id"] != first.json["id"]


def test_a_key_that_was_forgotten_never_lends_its_positions_to_another(house, alpha, clock, body):
    alpha.post("/v1/indicators", body, once="request-1")
    clock.forward(days=8)
    forget_old(house.hub)

    first = alpha.post("/v1/indicators", body, once="request-2")

    assert alpha.post("/v1/indicators", body, once="request-2").data == first.data


def test_the_second_of_two_at_once_waits_for_the_first_answer(house, alpha, body):
    writing, go_on = threading.Event(), threading.Event()
    real = house.hub.begin.writing

    def first():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(house.hub.begin, "writing", held)
            return alpha.post("/v1/indicators", body, once="request-1", settle=False)

    def held(*args, **kwargs):
        house.hub.begin.writing = real
        manager = real(*args, **kwargs)

        class Held:
            def __enter__(self):
                work = manager.__enter__()
                writing.set()
                go_on.wait(10)
                return work

            def __exit__(self, *error):
                return manager.__exit__(*error)

        return Held()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert writing.wait(10)
        caller = house.caller(alpha.secret)
        two = pool.submit(caller.post, "/v1/indicators", body, once="request-1", settle=False)
        # It waits: nothing is answered while the first is at work.
        with pytest.raises(TimeoutError):
            two.result(0.3)
        go_on.set()

        assert (two.result(10).status_code, two.result().data) == (201, one.result(10).data)
