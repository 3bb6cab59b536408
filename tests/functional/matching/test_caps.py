# SPDX-License-Identifier: Apache-2.0
"""However much there is to be found: 100 an item, 20,000 a request, and it is said."""

from datetime import timedelta

import pytest

from tests.support.codes import code, flipped, pdq
from tests.support.saying import asked, matched, picture, said, withdrawn

PER_ITEM = 100


def contributed_all(caller, codes, set_id):
    """Contribute up to 1,000 pictures at once; returns their ids. Neighbours are not linked."""
    rows = [said(picture(**one), set_id) for one in codes]
    answer = caller.post("/v1/indicators", {"indicators": rows}, settle=False)
    assert answer.status_code == 200, answer.text
    caller.house.follow()
    return [row["id"] for row in answer.json["results"]]


def test_an_item_is_told_its_100_nearest_and_that_there_are_more(shared, alpha, beta):
    known = pdq()
    codes = [{"pdq": flipped(known, bits % 31, bits)} for bits in range(PER_ITEM + 1)]
    contributed_all(alpha, codes, shared)

    answer = matched(beta, pdq=known, settle=False)

    assert len(answer["hits"]) == PER_ITEM
    assert (answer["truncated"], answer["at_least"]) == (True, True)
    far = [hit for hit in answer["hits"] if hit["band"] == "edge"]
    every_far = sum(bits % 31 > 16 for bits in range(PER_ITEM + 1))
    assert len(far) == every_far - 1


def test_an_item_with_just_100_is_told_all(shared, alpha, beta):
    known = code("md5")
    contributed_all(alpha, [{"md5": known}] * PER_ITEM, shared)

    answer = matched(beta, md5=known, settle=False)

    assert len(answer["hits"]) == PER_ITEM
    assert "truncated" not in answer
    assert "at_least" not in answer


def test_a_strangers_variants_cannot_hide_what_one_may_see(house, shared, alpha, beta):
    known = pdq()
    other = house.set("other")
    stranger = house.admit("stranger.example.com", sets=[other])
    contributed_all(stranger, [{"pdq": known}] * (2 * PER_ITEM), other)
    (mine,) = contributed_all(alpha, [{"pdq": flipped(known, 31)}], shared)

    answer = matched(beta, pdq=known, settle=False)

    assert [hit["id"] for hit in answer["hits"]] == [mine]
    assert "truncated" not in answer


def test_what_was_withdrawn_leaves_its_places_to_others(shared, alpha, beta):
    known = pdq()
    near = contributed_all(alpha, [{"pdq": known}] * PER_ITEM, shared)
    far = contributed_all(alpha, [{"pdq": flipped(known, 20)}] * PER_ITEM, shared)
    for indicator in near[:10]:
        withdrawn(alpha, indicator, settle=False)

    answer = matched(beta, pdq=known, settle=False)

    told = [hit["id"] for hit in answer["hits"]]
    assert told == [*near[10:], *far[:10]]
    assert (answer["truncated"], answer["at_least"]) == (True, True)


def test_what_expired_since_the_last_sweep_hides_nothing(house, shared, alpha, beta, clock):
    known = pdq()
    soon = (clock() + timedelta(hours=1)).isoformat()
    rows = [said(picture(pdq=known), shared, expires=soon) for _ in range(PER_ITEM)]
    answer = alpha.post("/v1/indicators", {"indicators": rows}, settle=False)
    assert answer.status_code == 200, answer.text
    house.follow()
    (live,) = contributed_all(alpha, [{"pdq": flipped(known, 20)}], shared)

    clock.now += timedelta(hours=1, seconds=1)

    answer = matched(beta, pdq=known, settle=False)
    assert [hit["id"] for hit in answer["hits"]] == [live]


@pytest.mark.parametrize("gone", [9, 10, 100, 110])
def test_however_much_was_withdrawn_hides_nothing(monkeypatch, house, shared, alpha, beta, gone):
    monkeypatch.setattr("hub.services.matches.PER_ITEM", 10)
    monkeypatch.setattr("hub.services.matches.PER_REQUEST", 10)
    search = house.hub.engine.search
    # The engine's own caps are written into its signature.
    monkeypatch.setattr(
        house.hub.engine,
        "search",
        lambda *asked, per_item=10, per_request=10, **more: search(
            *asked, per_item=per_item, per_request=per_request, **more
        ),
    )
    known = code("md5")
    ids = contributed_all(alpha, [{"md5": known}] * gone, shared)
    (live,) = contributed_all(alpha, [{"md5": known}], shared)
    for indicator in ids:
        withdrawn(alpha, indicator, settle=False)

    answer = matched(beta, md5=known, settle=False)

    assert [hit["id"] for hit in answer["hits"]] == [live]


def test_a_request_is_told_at_most_20000_and_each_item_its_best_first(shared, alpha, beta):
    known = code("md5")
    ids = contributed_all(alpha, [{"md5": known}] * 25, shared)
    items = [{"md5": known}] * 1000

    answers = asked(beta, *items, settle=False)["answers"]

    assert sum(len(one["hits"]) for one in answers) == 20_000
    assert {len(one["hits"]) for one in answers} == {20}
    assert all(one["truncated"] for one in answers)
    assert {one["hits"][0]["id"] for one in answers} == {ids[0]}


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"codes": {"md5": ["0" * 32] * 10_001}}, "too-many-codes"),
        ({"items": [{"codes": [{"signal": "md5", "code": "0" * 32}]}] * 10_001}, "too-many-items"),
        (
            {"items": [{"codes": [{"signal": s, "code": "0" * w}
                                  for s, w in (("md5", 32), ("sha1", 40))]}] * 5_001},
            "too-many-codes",
        ),
    ],
    ids=["codes", "items", "codes of items"],
)  # fmt: skip
def test_a_request_asks_at_most_10000_codes(alpha, body, slug):
    answer = alpha.post("/v1/match", body, settle=False)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["type"] == f"urn:breakwater:problem:{slug}"


def test_a_thousand_contributions_are_one_batch(house, shared, alpha, beta):
    head = house.hub.feed.head().position
    rows = [said(picture(md5=code("md5", number)), shared) for number in range(1000)]

    answer = alpha.post("/v1/indicators", {"indicators": rows}, settle=False)
    house.follow()

    positions = [row["position"] for row in answer.json["results"]]
    assert positions == list(range(head + 1, head + 1001))
    assert matched(beta, md5=code("md5", 999), settle=False)["answer"] == "hit"
