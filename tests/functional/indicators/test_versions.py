# SPDX-License-Identifier: Apache-2.0
"""What an operator says of a picture may change; the picture may not."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.domain.changes import SYSTEM
from hub.services import upkeep
from hub.storage import tables
from tests.support.codes import code, flipped, pdq
from tests.support.saying import (
    contributed,
    flaws,
    matched,
    picture,
    problem,
    said,
    standings,
    version,
    withdrawn,
)


@pytest.fixture(scope="module")
def house(lasting_house):
    return lasting_house


@pytest.fixture
def clock(house):
    return house.clock


@pytest.fixture
def known():
    return pdq()


def derived(text, name="trim:border"):
    return {"signal": "pdq", "code": text, "derived": name}


def revised(caller, indicator, *sets, **words):
    answer = caller.post(f"/v1/indicators/{indicator}/versions", version(*sets, **words))
    assert answer.status_code == 201, answer.text
    return answer.json


def test_a_contribution_is_read_back_whole_by_its_operator(house, shared, alpha, known):
    item = picture(pdq=known, md5=code("md5"))
    item["codes"][0]["quality"] = 90
    item["codes"].append(derived(pdq()))
    item["profile"] = "pdq/1"
    words = {
        "harm": ["grooming", "sexual-extortion-financial"],
        "use": "threat",
        "depicts": "third-party-adult",
        "basis": "expert-list",
        "list": "list-1",
        "assessed_by": 2,
        "priority": "imminent",
        "confidence": "high",
        "content_class": "nationally-illegal",
        "countries": ["DE", "FR"],
        "synthetic": "no",
        "class_refs": ["iwf:A"],
        "refs": ["case:1"],
        "case": "case-9",
        "observed_at": "2031-04-30T10:00:00Z",
    }
    answer = alpha.post("/v1/indicators", said(item, shared, external_id="mine-1", **words))

    told = alpha.get(f"/v1/indicators/{answer.json['id']}").json

    assert told["item"] == {"kind": "picture", "codes": item["codes"]}
    seen = told["words"].pop("observed_at")
    assert {name: told["words"][name] for name in words if name != "observed_at"} == {
        name: value for name, value in words.items() if name != "observed_at"
    }
    assert seen == "2031-04-30T10:00:00+00:00"
    assert (told["external_id"], told["sets"], told["n"], told["state"]) == (
        "mine-1", [shared], 1, "live",
    )  # fmt: skip
    assert told["versions"] == [{"n": 1, "what": "assert", "at": house.clock().isoformat()}]


def test_others_are_told_the_words_but_not_the_codes_and_names(shared, alpha, beta, known):
    indicator = contributed(
        alpha, picture(pdq=known), shared, external_id="mine-1", case="case-9", use="offer"
    )

    told = beta.get(f"/v1/indicators/{indicator}")

    assert set(told.json) == {"id", "n", "state", "item", "words", "entries"}
    assert told.json["item"] == {"kind": "picture"}
    assert told.json["words"]["use"] == "offer"
    assert not any(text in told.text for text in (known, "mine-1", "case-9", alpha.operator))


def test_a_revision_changes_words_sets_expiry_and_derived_codes(
    house, shared, alpha, beta, gamma, clock, known
):
    other = house.set("other")
    for caller in (alpha, gamma):
        house.grant(other, caller.member)
    first, second = pdq(), pdq()
    item = picture(pdq=known)
    item["codes"].append(derived(first))
    indicator = contributed(alpha, item, shared)
    expires = clock.now + timedelta(days=10)

    told = revised(
        alpha, indicator, other, use="threat", codes=[derived(second)],
        expires=expires.isoformat(),
    )  # fmt: skip

    assert told["n"] == 2
    assert matched(gamma, pdq=known)["hits"][0]["use"] == "threat"
    assert matched(gamma, pdq=second)["hits"][0]["band"] == "derived"
    assert matched(gamma, pdq=first)["answer"] == "none"
    assert matched(beta, pdq=known)["answer"] == "none"
    assert alpha.get(f"/v1/indicators/{indicator}").json["expires"] == expires.isoformat()
    clock.now = expires
    assert matched(gamma, pdq=known)["answer"] == "none"


def test_a_revision_without_codes_leaves_them(shared, alpha, beta, known):
    hidden = pdq()
    item = picture(pdq=known)
    item["codes"].append(derived(hidden))
    indicator = contributed(alpha, item, shared)

    revised(alpha, indicator, shared, use="threat")
    assert matched(beta, pdq=hidden)["answer"] == "hit"

    revised(alpha, indicator, shared, codes=[])
    assert matched(beta, pdq=hidden)["answer"] == "none"
    assert matched(beta, pdq=known)["answer"] == "hit"


def test_posting_a_name_again_is_a_revision(shared, alpha, beta, known):
    body = said(picture(pdq=known), shared, external_id="one", use="offer")
    first = alpha.post("/v1/indicators", body)
    again = alpha.post("/v1/indicators", body | {"use": "threat"})
    theirs = beta.post("/v1/indicators", body)

    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json["id"], again.json["n"]) == (first.json["id"], 2)
    assert again.json["position"] > first.json["position"]
    assert (theirs.json["id"] != first.json["id"], theirs.json["n"]) == (True, 1)
    assert len(alpha.get("/v1/indicators").json["items"]) == 1


@pytest.mark.parametrize(
    "item",
    [
        lambda known: picture(pdq=flipped(known, 2)),
        lambda known: picture(pdq=known, md5=code("md5")),
        lambda _known: picture(md5=code("md5")),
        lambda known: {
            "kind": "video",
            "codes": [{"signal": "pdq", "code": known, "at_ms": 0}],
        },
    ],
    ids=["another", "one more", "other signal", "video"],
)
def test_plain_codes_are_fixed(house, shared, alpha, known, item):
    alpha.post("/v1/indicators", said(picture(pdq=known), shared, external_id="one"))
    head = house.hub.feed.head().position

    answer = alpha.post("/v1/indicators", said(item(known), shared, external_id="one"))

    assert answer.status_code == 422
    assert flaws(answer) == [("plain-codes-changed", None)]
    assert house.hub.feed.head().position == head


def test_a_revision_with_plain_codes_is_refused(house, shared, alpha, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    head = house.hub.feed.head().position
    body = version(shared, codes=picture(pdq=known)["codes"])

    answer = alpha.post(f"/v1/indicators/{indicator}/versions", body)

    assert flaws(answer) == [("plain-codes-changed", None)]
    assert house.hub.feed.head().position == head


def test_any_member_of_the_operator_with_the_right_may_revise_and_withdraw(
    house, shared, alpha, beta, known
):
    second = house.join(alpha.operator, name="second", sets=[shared])
    indicator = contributed(alpha, picture(pdq=known), shared)

    assert revised(second, indicator, shared, use="threat")["n"] == 2
    answer = beta.post(f"/v1/indicators/{indicator}/versions", version(shared))
    assert (answer.status_code, problem(answer)) == (404, "not-found")
    answer = beta.post(f"/v1/indicators/{indicator}/withdraw", {})
    assert (answer.status_code, problem(answer)) == (404, "not-found")
    withdrawn(second, indicator)
    assert matched(beta, pdq=known)["answer"] == "none"


def test_withdrawing_is_a_version_and_only_once(house, shared, alpha, beta, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    answer = alpha.post(f"/v1/indicators/{indicator}/withdraw", {"reason": "benign"})
    assert (answer.status_code, answer.json["n"]) == (201, 2)
    head = house.hub.feed.head().position

    again = alpha.post(f"/v1/indicators/{indicator}/withdraw", {})

    assert (again.status_code, problem(again)) == (409, "conflict")
    assert house.hub.feed.head().position == head
    told = alpha.get(f"/v1/indicators/{indicator}").json
    assert [row["what"] for row in told["versions"]] == ["assert", "withdraw"]
    assert told["state"] == "withdrawn"
    assert beta.get(f"/v1/indicators/{indicator}").status_code == 404


@pytest.mark.parametrize("how", ["by name", "by version"])
def test_what_was_withdrawn_may_come_back(shared, alpha, beta, known, how):
    body = said(picture(pdq=known), shared, external_id="one")
    indicator = alpha.post("/v1/indicators", body).json["id"]
    withdrawn(alpha, indicator)
    assert matched(beta, pdq=known)["answer"] == "none"

    if how == "by name":
        told = alpha.post("/v1/indicators", body).json
    else:
        told = revised(alpha, indicator, shared)

    assert (told["id"], told["n"]) == (indicator, 3)
    assert matched(beta, pdq=known)["hits"][0]["id"] == indicator
    assert beta.get(f"/v1/indicators/{indicator}").status_code == 200


def test_an_indicator_lives_a_year_by_default(house, shared, alpha, beta, clock, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    clock.forward(days=365, seconds=-1)
    for caller in (alpha, beta):
        caller.secret = house.key(caller.member)
    assert matched(beta, pdq=known)["answer"] == "hit"

    clock.forward(seconds=1)

    assert matched(beta, pdq=known)["answer"] == "none"
    assert standings(alpha, indicator) == {shared: ("expired", 0)}
    house.sweep()
    assert matched(beta, pdq=known)["answer"] == "none"
    told = alpha.get(f"/v1/indicators/{indicator}").json
    assert (told["state"], told["n"]) == ("expired", 2)
    assert [row["what"] for row in told["versions"]] == ["assert", "expire"]


def test_the_sweep_ends_what_is_over_and_nothing_else(house, shared, alpha, clock):
    def living(days):
        return contributed(
            alpha, picture(md5=code("md5")), shared,
            expires=(clock.now + timedelta(days=days)).isoformat(),
        )  # fmt: skip

    short, long = living(1), living(2)
    gone = living(1)
    withdrawn(alpha, gone)
    house.sweep()
    clock.forward(days=1)
    head = house.hub.feed.head().position

    assert upkeep.expire_due(house.hub) == 1

    assert house.hub.feed.head().position == head + 1
    states = [alpha.get(f"/v1/indicators/{one}").json["state"] for one in (short, long, gone)]
    assert states == ["expired", "live", "withdrawn"]
    assert upkeep.expire_due(house.hub) == 0


def test_an_expired_indicator_may_come_back(house, shared, alpha, beta, clock, known):
    expires = clock.now + timedelta(days=1)
    indicator = contributed(alpha, picture(pdq=known), shared, expires=expires.isoformat())
    clock.forward(days=1)
    house.sweep()

    revised(alpha, indicator, shared)

    assert matched(beta, pdq=known)["hits"][0]["id"] == indicator


def test_what_is_erased_leaves_no_code_and_no_word(house, shared, alpha, beta, known):
    digest, name, case = code("md5"), code("md5"), code("md5")
    indicator = contributed(
        alpha, picture(pdq=known, md5=digest), shared, external_id=name, case=case
    )
    other = contributed(alpha, picture(pdq=pdq()), shared)

    upkeep.erase(indicator, actor=SYSTEM, hub=house.hub)
    house.settle()

    assert matched(beta, pdq=known, md5=digest)["answer"] == "none"
    for caller in (alpha, beta):
        assert caller.get(f"/v1/indicators/{indicator}").status_code == 404
    for path in ("withdraw", "versions"):
        body = {} if path == "withdraw" else version(shared)
        assert alpha.post(f"/v1/indicators/{indicator}/{path}", body).status_code == 404
    ids = [one["id"] for one in alpha.get("/v1/indicators").json["items"]]
    assert ids == [other]
    assert held(house, known, digest, name, case) == []
    assert indicator in house.hub.erasures.all()


def test_the_name_of_what_was_erased_is_free_again(house, shared, alpha, beta, known):
    body = said(picture(pdq=known), shared, external_id="one")
    first = alpha.post("/v1/indicators", body).json["id"]
    upkeep.erase(first, actor=SYSTEM, hub=house.hub)

    again = alpha.post("/v1/indicators", body).json

    assert (again["id"] != first, again["n"]) == (True, 1)
    assert matched(beta, pdq=known)["hits"][0]["id"] == again["id"]


def test_erasing_twice_and_from_the_list_is_erasing_once(house, shared, alpha, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    withdrawn(alpha, indicator)
    upkeep.erase(indicator, actor=SYSTEM, hub=house.hub)
    head = house.hub.feed.head().position

    assert upkeep.erase_listed(house.hub.erasures.all(), actor=SYSTEM, hub=house.hub) == 0
    assert house.hub.feed.head().position == head


def held(house, *texts):
    """The tables that still hold one of some texts, or a code that is one in hex."""
    found = []
    with house.database.reader.connect() as connection:
        for table in tables.metadata.tables.values():
            for row in connection.execute(sa.select(table)):
                values = [v.hex() if isinstance(v, bytes) else str(v) for v in row]
                found += [table.name for text in texts if any(text in value for value in values)]
    return found


def test_a_list_of_ones_own_is_paged(shared, alpha, beta):
    mine = [contributed(alpha, picture(md5=code("md5")), shared, settle=False) for _ in range(5)]
    contributed(beta, picture(md5=code("md5")), shared)

    pages = [alpha.get("/v1/indicators?limit=2").json]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(alpha.get(f"/v1/indicators?limit=2&cursor={cursor}").json)
    seen = [[one["id"] for one in page["items"]] for page in pages]

    assert seen == [mine[:2], mine[2:4], mine[4:]]
