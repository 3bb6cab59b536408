# SPDX-License-Identifier: Apache-2.0
"""Many writers at once: nothing is lost, nobody sees an error of ours, positions stay dense."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.support.codes import code, pdq
from tests.support.saying import contributed, picture, said, version
from tests.support.truth import check_history, check_totals

WRITERS = 6


@pytest.fixture
def at_once(house):
    """Let writers, each with a client of its own, do something at the same moment."""

    def run(caller, act):
        barrier = Barrier(WRITERS)

        def one(number):
            mine = house.caller(caller.secret)
            barrier.wait(20)
            answer = act(mine, number)
            house.hub.describer.close()
            return answer

        with ThreadPoolExecutor(WRITERS) as pool:
            return list(pool.map(one, range(WRITERS)))

    return run


def test_the_first_words_of_a_member_may_come_all_at_once(house, shared, alpha, at_once):
    def contribute(caller, number):
        body = said(picture(md5=code("md5", number)), shared)
        return caller.post("/v1/indicators", body, settle=False)

    answers = at_once(alpha, contribute)

    assert [answer.status_code for answer in answers] == [201] * WRITERS
    positions = sorted(answer.json["position"] for answer in answers)
    assert positions == list(range(positions[0], positions[0] + WRITERS))
    house.settle()
    check_history(house)
    check_totals(house)


def test_one_name_given_by_many_at_once_is_one_indicator(house, shared, alpha, at_once):
    body = said(picture(pdq=pdq()), shared, external_id="one")

    answers = at_once(alpha, lambda caller, _n: caller.post("/v1/indicators", body, settle=False))

    kept = [answer for answer in answers if answer.status_code == 201]
    assert kept
    # Who was in the way of another is asked to try again.
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json["id"] for answer in kept}) == 1
    assert sorted(answer.json["n"] for answer in kept) == list(range(1, len(kept) + 1))
    house.settle()
    check_history(house)
    check_totals(house)


def test_versions_of_one_indicator_come_one_after_another(house, shared, alpha, at_once):
    indicator = contributed(alpha, picture(pdq=pdq()), shared)

    answers = at_once(
        alpha,
        lambda caller, _n: caller.post(
            f"/v1/indicators/{indicator}/versions", version(shared), settle=False
        ),
    )

    assert [answer.status_code for answer in answers] == [201] * WRITERS
    assert sorted(answer.json["n"] for answer in answers) == list(range(2, WRITERS + 2))
    house.settle()
    check_totals(house)


def test_withdrawing_at_once_is_withdrawing_once(house, shared, alpha, at_once):
    indicator = contributed(alpha, picture(pdq=pdq()), shared)

    answers = at_once(
        alpha,
        lambda caller, _n: caller.post(f"/v1/indicators/{indicator}/withdraw", {}, settle=False),
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (WRITERS - 1)
    house.settle()
    check_totals(house)


def test_opinions_of_one_operator_at_once_leave_one_that_counts(
    house, shared, alpha, beta, at_once
):
    indicator = contributed(alpha, picture(pdq=pdq()), shared)

    def opine(caller, number):
        reason = "benign" if number % 2 else "outdated"
        body = {"set": shared, "stance": "disagree", "reason": reason}
        return caller.post(f"/v1/indicators/{indicator}/opinions", body, settle=False)

    answers = at_once(beta, opine)

    assert [answer.status_code for answer in answers] == [201] * WRITERS
    assert sorted(answer.json["n"] for answer in answers) == list(range(1, WRITERS + 1))
    house.settle()
    (entry,) = alpha.get(f"/v1/indicators/{indicator}").json["entries"]
    assert entry["standing"] == "disputed"


def test_the_same_request_at_once_is_carried_out_once(house, shared, alpha, at_once):
    body = said(picture(pdq=pdq()), shared)

    answers = at_once(
        alpha, lambda caller, _n: caller.post("/v1/indicators", body, once="one", settle=False)
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert len(alpha.get("/v1/indicators").json["items"]) == 1


def test_two_new_combinations_of_sets_at_once_get_a_label_each(house, shared, alpha, at_once):
    others = [house.set(f"other{number}") for number in range(3)]
    for one in others:
        house.grant(one, alpha.member)

    def contribute(caller, number):
        body = said(picture(md5=code("md5", number)), shared, others[number % 3])
        return caller.post("/v1/indicators", body, settle=False)

    answers = at_once(alpha, contribute)

    assert [answer.status_code for answer in answers] == [201] * WRITERS
    house.settle()
    asked = {"codes": {"md5": [code("md5", number) for number in range(WRITERS)]}}
    found = alpha.post("/v1/match", asked).json["answers"]
    assert [len(one["hits"]) for one in found] == [2] * WRITERS
    check_history(house)
