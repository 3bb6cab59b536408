# SPDX-License-Identifier: Apache-2.0
"""Many contributions at once: one bad row never fails the good ones, unless it is to."""

import pytest

from hub.domain.errors import URN
from tests.support.codes import code, pdq
from tests.support.saying import flaws, matched, picture, said


@pytest.fixture(scope="module")
def house(lasting_house):
    return lasting_house


@pytest.fixture
def clock(house):
    return house.clock


def posted(caller, rows, **others):
    return caller.post("/v1/indicators", {"indicators": rows, **others})


@pytest.fixture
def rows(shared):
    """Five rows of which the second and the fourth are bad."""
    rows = [said(picture(md5=code("md5", number)), shared) for number in range(5)]
    rows[1]["item"]["codes"][0]["code"] = "xyz"
    rows[3]["harm"] = ["mischief"]
    return rows


def test_good_rows_are_kept_and_bad_ones_told_by_index(house, shared, alpha, beta, rows):
    head = house.hub.feed.head().position

    answer = posted(alpha, rows)

    results = answer.json["results"]
    assert answer.status_code == 200
    assert [row["index"] for row in results] == [0, 1, 2, 3, 4]
    assert [row.get("position") for row in results] == [head + 1, None, head + 2, None, head + 3]
    assert [results[n]["error"]["type"].removeprefix(URN) for n in (1, 3)] == [
        "malformed-code",
        "invalid-value",
    ]
    found = [matched(beta, md5=code("md5", number))["answer"] for number in range(5)]
    assert found == ["hit", "none", "hit", "none", "hit"]


def test_an_atomic_batch_is_kept_whole_or_not_at_all(house, shared, alpha, rows):
    head = house.hub.feed.head().position

    answer = posted(alpha, rows, atomic=True)

    assert answer.status_code == 422
    assert flaws(answer) == [("malformed-code", 1), ("invalid-value", 3)]
    assert house.hub.feed.head().position == head
    assert alpha.get("/v1/indicators").json["items"] == []

    good = [rows[n] for n in (0, 2, 4)]
    assert posted(alpha, good, atomic=True).status_code == 200
    assert house.hub.feed.head().position == head + 3


@pytest.mark.parametrize("atomic", [False, True])
def test_a_row_that_only_the_truth_refuses_is_told_like_any_other(house, shared, alpha, atomic):
    first = said(picture(md5=code("md5")), shared, external_id="one")
    alpha.post("/v1/indicators", first)
    head = house.hub.feed.head().position
    rows = [
        said(picture(md5=code("md5")), shared, external_id="two"),
        said(picture(md5=code("md5")), shared, external_id="one"),
    ]

    answer = posted(alpha, rows, atomic=atomic)

    if atomic:
        assert flaws(answer) == [("plain-codes-changed", 1)]
        assert house.hub.feed.head().position == head
    else:
        assert answer.json["results"][0]["position"] == head + 1
        assert answer.json["results"][1]["error"]["type"] == URN + "plain-codes-changed"
        assert house.hub.feed.head().position == head + 1


def test_a_batch_of_nothing_but_bad_rows_is_refused(house, shared, alpha, rows):
    head = house.hub.feed.head().position

    answer = posted(alpha, [rows[1], rows[3]])

    assert answer.status_code == 422
    assert [index for _, index in flaws(answer)] == [0, 1]
    assert house.hub.feed.head().position == head


def test_a_name_given_twice_in_a_batch_is_a_contribution_and_its_revision(shared, alpha, beta):
    known = pdq()
    rows = [
        said(picture(pdq=known), shared, external_id="one", use="offer"),
        said(picture(pdq=known), shared, external_id="one", use="threat"),
    ]

    first, second = posted(alpha, rows).json["results"]

    assert (first["id"], first["n"], second["n"]) == (second["id"], 1, 2)
    (hit,) = matched(beta, pdq=known)["hits"]
    assert hit["use"] == "threat"


@pytest.mark.parametrize(
    "body",
    [
        {"indicators": []},
        {"indicators": {}},
        {"indicators": None},
        {"indicators": [{}] * 1001},
        {"indicators": [{}], "more": 1},
        {"indicators": [{}], "atomic": "yes"},
        {"indicators": [{}], "atomic": 1},
    ],
    ids=["empty", "object", "null", "1001", "more", "text", "number"],
)
def test_a_batch_has_1_to_1000_rows_and_nothing_else(house, alpha, body):
    head = house.hub.feed.head().position

    answer = alpha.post("/v1/indicators", body)

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert house.hub.feed.head().position == head
