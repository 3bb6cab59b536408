# SPDX-License-Identifier: Apache-2.0
"""What is found, how near it is said to be, and that nobody else's distance is ever told."""

import json

import pytest

from hub.domain.errors import URN
from tests.support.codes import code, flipped, pdq
from tests.support.saying import (
    account,
    asked,
    contributed,
    matched,
    opined,
    picture,
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


def query(*codes):
    """An item of codes, each given as (signal, code) or (signal, code, derivation)."""
    return {
        "codes": [
            {"signal": one[0], "code": one[1]} | ({"derived": one[2]} if len(one) > 2 else {})
            for one in codes
        ]
    }


def answers(caller, *items):
    answer = caller.post("/v1/match", {"items": list(items)})
    assert answer.status_code == 200, answer.text
    return answer.json["answers"]


@pytest.mark.parametrize(
    ("bits", "band"),
    [(0, "exact"), (1, "near"), (16, "near"), (17, "edge"), (31, "edge"), (32, None)],
)
def test_pdq_is_found_up_to_31_bits_and_told_in_bands(shared, alpha, beta, known, bits, band):
    indicator = contributed(alpha, picture(pdq=known), shared)

    answer = matched(beta, pdq=flipped(known, bits))

    if band is None:
        assert answer == {"answer": "none"}
    else:
        assert [(hit["id"], hit["band"]) for hit in answer["hits"]] == [(indicator, band)]


def test_an_answer_tells_what_a_platform_needs_and_no_more(shared, alpha, beta, known):
    words = {"harm": ["grooming", "solicitation"], "use": "offer", "depicts": "no-person"}
    indicator = contributed(
        alpha, picture(pdq=known), shared, **words, priority="high", case="case-77"
    )

    (hit,) = matched(beta, pdq=flipped(known, 8))["hits"]

    assert hit.pop("receipt")
    assert hit == {
        "id": indicator,
        "set": shared,
        "standing": "review",
        "band": "near",
        "signal": "pdq",
        "priority": "high",
        "operators": 0,
        **words,
    }


def test_the_nearest_come_first_and_plain_ones_before_derived(shared, alpha, beta, known):
    far = contributed(alpha, picture(pdq=flipped(known, 20)), shared)
    derived = picture(pdq=pdq())
    derived["codes"].append({"signal": "pdq", "code": known, "derived": "trim:border"})
    by_border = contributed(alpha, derived, shared)
    near = contributed(alpha, picture(pdq=flipped(known, 3)), shared)
    same = contributed(alpha, picture(pdq=known), shared)

    hits = matched(beta, pdq=known)["hits"]

    assert [hit["id"] for hit in hits] == [same, near, far, by_border]


def test_a_stored_derived_code_says_at_most_review(shared, alpha, beta, gamma, clock, known):
    border = pdq()
    item = picture(pdq=known)
    item["codes"].append({"signal": "pdq", "code": border, "derived": "trim:border"})
    contributed(alpha, item, shared)
    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    by_border, by_itself = matched(gamma, pdq=border), matched(gamma, pdq=known)

    assert (by_border["standing"], by_border["hits"][0]["band"]) == ("review", "derived")
    assert (by_itself["standing"], by_itself["hits"][0]["band"]) == ("corroborated", "exact")


def test_an_asked_derived_code_has_the_standing_of_what_it_hits(
    shared, alpha, beta, gamma, clock, known
):
    contributed(alpha, picture(pdq=known), shared)
    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    (answer,) = answers(gamma, query(("pdq", pdq()), ("pdq", known, "dihedral:flipx")))

    assert answer["standing"] == "corroborated"
    assert {hit["band"] for hit in answer["hits"]} == {"derived"}


def test_a_weak_code_supports_a_hit_and_alone_is_weak(shared, alpha, beta, gamma, clock, known):
    weak = code("phash")
    contributed(alpha, picture(pdq=known, phash=weak), shared)
    contributed(beta, picture(pdq=known), shared)
    clock.forward(seconds=3)

    (both, alone, tiny) = answers(
        gamma,
        query(("pdq", known), ("phash", flipped(weak, 6))),
        query(("pdq", pdq()), ("phash", flipped(weak, 6))),
        query(("pdq", pdq()), ("phash", flipped(weak, 7))),
    )

    first = next(hit for hit in both["hits"] if "support" in hit)
    assert (first["signal"], first["support"], both["standing"]) == (
        "pdq", ["phash"], "corroborated",
    )  # fmt: skip
    assert [(hit["signal"], hit["weak"]) for hit in alone["hits"]] == [("phash", True)]
    assert alone["standing"] == "review"
    assert tiny == {"answer": "none"}


def test_a_weak_code_alone_cannot_say_none(alpha):
    (answer,) = answers(alpha, query(("phash", code("phash"))))

    assert answer == {"answer": "unknown", "why": "unsearchable"}


def test_a_code_of_low_quality_cannot_say_none(shared, alpha, beta, known):
    contributed(alpha, picture(pdq=known), shared)
    item = {"codes": [{"signal": "pdq", "code": known, "quality": 49}]}
    fine = {"codes": [{"signal": "pdq", "code": known, "quality": 50}]}

    blurred, sharp = answers(beta, item, fine)

    assert blurred == {"answer": "unknown", "why": "unsearchable"}
    assert sharp["answer"] == "hit"


def test_several_signals_of_one_item_are_one_hit(shared, alpha, beta, known):
    digest = code("sha256")
    indicator = contributed(alpha, picture(pdq=known, sha256=digest), shared)

    answer = matched(beta, pdq=flipped(known, 30), sha256=digest)

    assert [(hit["id"], hit["signal"], hit["band"]) for hit in answer["hits"]] == [
        (indicator, "sha256", "exact")
    ]
    assert answer["hits"][0]["support"] == ["pdq"]


def test_a_bad_item_is_an_error_and_harms_no_other(shared, alpha, beta, known):
    contributed(alpha, picture(pdq=known), shared)
    bad = [
        {"codes": [{"signal": "pdq", "code": known.upper()}]},
        {"codes": [{"signal": "pdq", "code": "0" * 64}]},
        {"codes": [{"signal": "photodna", "code": known}]},
        {"codes": []},
        {"codes": [{"signal": "pdq", "code": known, "derived": "crop:9,9"}]},
        {"codes": [{"signal": "md5", "code": code("md5")}] * 2},
        {"codes": [{"signal": "md5", "code": code("md5") + "\n"}]},
        "nothing",
    ]

    told = answers(beta, query(("pdq", known)), *bad, query(("pdq", pdq())))

    assert [one["answer"] for one in told] == ["hit", *["error"] * len(bad), "none"]
    assert [one["error"]["type"].removeprefix(URN) for one in told[1:-1]] == [
        "malformed-code", "impossible-pdq", "unknown-signal", "code-count", "unknown-derivation",
        "two-plain-codes", "malformed-code", "malformed-item",
    ]  # fmt: skip
    assert [one["error"]["index"] for one in told[1:-1]] == list(range(1, len(bad) + 1))


def test_codes_by_signal_are_an_item_each(shared, alpha, beta, known):
    digest = code("md5")
    first = contributed(alpha, picture(pdq=known), shared)
    second = contributed(alpha, picture(md5=digest), shared)
    body = {"codes": {"md5": [digest, "xyz", code("md5")], "pdq": [pdq(), known]}}

    told = beta.post("/v1/match", body).json["answers"]

    assert [one["answer"] for one in told] == ["hit", "error", "none", "none", "hit"]
    assert [told[0]["hits"][0]["id"], told[4]["hits"][0]["id"]] == [second, first]
    assert told[1]["error"] == {
        "type": URN + "malformed-code", "index": 1, "detail": told[1]["error"]["detail"],
    }  # fmt: skip


def packed(*sections):
    """A packed body of (signal number, codes) sections."""
    body = b"BWC1"
    for number, codes in sections:
        body += bytes([number]) + len(codes).to_bytes(4, "big")
        body += b"".join(bytes.fromhex(one) for one in codes)
    return body


def without_receipts(told):
    for one in told:
        for hit in one.get("hits", ()):
            del hit["receipt"]
    return told


def test_a_packed_body_says_the_same_as_json(shared, alpha, beta, known):
    digest, weak = code("sha1"), code("phash")
    contributed(alpha, picture(pdq=known, sha1=digest, phash=weak), shared)
    asked_for = {
        "pdq": [flipped(known, bits) for bits in (0, 16, 31, 32)] + ["f" * 64],
        "phash": [weak, flipped(weak, 7)],
        "sha1": [digest, code("sha1")],
    }

    json_body = beta.post("/v1/match", {"codes": asked_for}).json["answers"]
    numbers = {"pdq": 0, "phash": 1, "sha1": 3}
    body = packed(*((numbers[name], codes) for name, codes in asked_for.items()))
    packed_body = beta.post(
        "/v1/match", data=body, content_type="application/vnd.breakwater.codes"
    ).json["answers"]

    assert without_receipts(packed_body) == without_receipts(json_body)
    assert [one["answer"] for one in packed_body] == [
        "hit", "hit", "hit", "none", "error", "hit", "unknown", "hit", "none",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"BWC",
        b"BWC2",
        b"BWC1",
        b"BWC1\x00",
        packed((0, ["ab" * 31])),
        packed((0, [])),
        packed((5, ["ab" * 16])),
        packed((9, ["ab" * 16])),
        packed((2, ["ab" * 16]), (2, ["cd" * 16])),
        b"BWC1\x02" + (10_001).to_bytes(4, "big") + bytes(16 * 10_001),
        b"BWC1\x02" + (2**32 - 1).to_bytes(4, "big"),
    ],
    ids=[
        "half magic", "other magic", "nothing", "cut", "short code", "no codes", "accounts",
        "no signal", "twice", "too many", "lies",
    ],
)  # fmt: skip
def test_a_packed_body_that_is_none_is_refused(alpha, body):
    answer = alpha.post("/v1/match", data=body, content_type="application/vnd.breakwater.codes")

    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


def test_explain_tells_distances_to_ones_own_alone(shared, alpha, beta, known):
    mine = contributed(beta, picture(pdq=flipped(known, 7)), shared)
    contributed(alpha, picture(pdq=flipped(known, 9, "theirs")), shared)

    answer = asked(beta, {"pdq": known, "md5": code("md5")}, explain=True)["answers"][0]

    assert answer["explain"]["own"] == [{"id": mine, "signal": "pdq", "distance": 7}]
    assert answer["explain"]["searched"] == {
        "pdq": {"codes": 1, "radius": 31},
        "md5": {"codes": 1, "radius": 0},
    }


def test_no_answer_to_others_holds_a_distance_or_a_stored_code(shared, alpha, beta, clock, known):
    stored = {"pdq": flipped(known, 11), "md5": code("md5"), "phash": code("phash")}
    border = pdq()
    item = picture(**stored)
    item["codes"].append({"signal": "pdq", "code": border, "derived": "trim:border"})
    indicator = contributed(alpha, item, shared)
    opinion = opined(beta, indicator, shared, "agree", basis="own-service-human", assessed_by=1)
    clock.forward(seconds=3)

    told = [
        json.dumps(asked(beta, {"pdq": known}, {"pdq": border}, explain=True)),
        beta.get(f"/v1/indicators/{indicator}").text,
        beta.get("/v1/indicators").text,
        beta.get(f"/v1/sets/{shared}").text,
    ]

    for text in told:
        assert not any(value in text for value in (*stored.values(), border)), text
        assert '"distance"' not in text
        assert alpha.operator not in text
    assert opinion


def test_a_set_is_never_seen_by_those_who_may_not_look_it_up(
    house, shared, alpha, beta, clock, known
):
    closed = house.set("closed")
    house.grant(closed, alpha.member)
    inside = contributed(alpha, picture(pdq=known), closed)
    both = contributed(alpha, picture(pdq=flipped(known, 2)), shared, closed)
    clock.forward(seconds=3)

    text = json.dumps(matched(beta, pdq=known))
    told = json.loads(text)

    assert [(hit["id"], hit["set"]) for hit in told["hits"]] == [(both, shared)]
    assert inside not in text
    assert closed not in text
    assert beta.get(f"/v1/indicators/{inside}").status_code == 404
    entries = beta.get(f"/v1/indicators/{both}").json["entries"]
    assert [entry["set"] for entry in entries] == [shared]


@pytest.mark.parametrize("rights", [{"contribute"}, {"replica"}, {"contribute", "replica"}])
def test_to_match_in_a_set_takes_the_right_to_look_it_up(house, shared, alpha, known, rights):
    contributed(alpha, picture(pdq=known), shared)
    caller = house.admit("other.example.com", sets=[shared], rights=frozenset(rights))

    assert matched(caller, pdq=known) == {"answer": "none"}


def test_a_grant_that_ends_hides_the_set_at_once(house, shared, alpha, beta, known):
    contributed(alpha, picture(pdq=known), shared)
    admin = house.admit("hub.example.com", role="admin")
    assert matched(beta, pdq=known)["answer"] == "hit"

    admin.delete(f"/v1/sets/{shared}/grants/{beta.member}")

    assert matched(beta, pdq=known) == {"answer": "none"}


def test_what_is_shared_out_of_a_set_is_not_matched_there_at_once(
    house, shared, alpha, beta, known
):
    other = house.set("other")
    house.grant(other, alpha.member)
    indicator = contributed(alpha, picture(pdq=known), shared)

    alpha.post(f"/v1/indicators/{indicator}/versions", version(other), settle=False)

    assert matched(beta, pdq=known, settle=False) == {"answer": "none"}
    assert matched(alpha, pdq=known)["hits"][0]["set"] == other


def test_what_is_withdrawn_is_not_matched_though_the_engine_still_has_it(
    house, shared, alpha, beta, known
):
    indicator = contributed(alpha, picture(pdq=known), shared)
    before = house.hub.engine.position

    withdrawn(alpha, indicator, settle=False)

    assert house.hub.engine.position == before
    assert matched(beta, pdq=known, settle=False) == {"answer": "none"}


def test_accounts_are_matched_by_a_route_of_their_own(shared, alpha, beta):
    words = {"case": "case-9", "depicts": "unknown"}
    indicator = contributed(alpha, account("Gloom@Example.com", "email"), shared, **words)
    body = {
        "purpose": "first-contact",
        "case": "case-1",
        "accounts": [
            {"kind": "email", "value": "gloom@EXAMPLE.com"},
            {"kind": "email", "value": "other@example.com"},
            {"kind": "phone", "value": "12"},
        ],
    }

    told = beta.post("/v1/accounts/match", body).json["answers"]

    assert [one["answer"] for one in told] == ["hit", "none", "error"]
    (hit,) = told[0]["hits"]
    assert (hit["id"], hit["signal"], hit["standing"]) == (indicator, "account", "review")
    assert told[2]["error"]["type"] == URN + "malformed-account"


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "curiosity"},
        {"purpose": None},
        {"case": None},
        {"case": "two words"},
        {"accounts": []},
        {"accounts": [{"kind": "phone", "value": "+1-212-555-0100"}] * 51},
    ],
)
def test_asking_about_accounts_takes_purpose_case_and_at_most_50(alpha, change):
    body = {
        "purpose": "first-contact",
        "case": "case-1",
        "accounts": [{"kind": "phone", "value": "+1-212-555-0100"}],
    }
    body = {name: value for name, value in (body | change).items() if value is not None}

    answer = alpha.post("/v1/accounts/match", body)

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"


def test_an_address_with_a_tag_is_found_by_its_canonical_form(shared, alpha, beta):
    words = {"case": "case-9", "depicts": "unknown"}
    contributed(alpha, account("gloom.one+lure@gmail.com", "email"), shared, **words)

    body = {
        "purpose": "report",
        "case": "case-1",
        "accounts": [{"kind": "email", "value": "gloomone@googlemail.com"}],
    }

    assert beta.post("/v1/accounts/match", body).json["answers"][0]["answer"] == "hit"
