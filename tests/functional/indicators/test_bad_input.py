# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong is refused by a stable name, where it is, and nothing of it is kept."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from hub.services.restoring import new_timeline
from hub.storage import tables
from matching.degenerate import DEGENERATE
from tests.support.codes import code, pdq
from tests.support.saying import account, contributed, flaws, picture, problem, said

CODE = pdq("bad input")


@pytest.fixture(scope="module")
def house(lasting_house):
    """None of the tests of this page leaves anything behind in it."""
    return lasting_house


@pytest.fixture(scope="module")
def shared(house):
    return house.set("shared")


@pytest.fixture(scope="module")
def alpha(house, shared):
    return house.admit("alpha.example.com", sets=[shared])


@pytest.fixture(scope="module")
def beta(house, shared):
    return house.admit("beta.example.com", sets=[shared])


def state(house):
    """Everything that must not move: the head, and how many rows there are of anything."""
    with house.database.reader.connect() as connection:
        return house.hub.feed.head(), {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in tables.metadata.sorted_tables
            # What a refused lookup costs is counted.
            if table is not tables.budget
        }


@pytest.fixture
def unchanged(house):
    """Call it before what must leave nothing behind; the rest is looked at afterwards."""
    before = []

    def begin():
        house.settle()
        before.append(state(house))

    yield begin
    assert before, "the test never began"
    house.settle()
    assert state(house) == before[0]


def broken(change):
    """A contribution with one thing wrong."""

    def made(shared):
        body = said(picture(pdq=CODE), shared)
        change(body)
        return body

    return made


def code_is(text, signal="pdq"):
    return broken(
        lambda body: body["item"]["codes"].__setitem__(0, {"signal": signal, "code": text})
    )


def codes_are(*codes):
    return broken(lambda body: body["item"].__setitem__("codes", list(codes)))


def words(**changes):
    return broken(lambda body: body.update(changes))


def without(name):
    return broken(lambda body: body.pop(name))


def one(signal="pdq", text=CODE, **others):
    return {"signal": signal, "code": text, **others}


CASES = {
    "too short": (code_is(CODE[:-1]), "malformed-code", 0),
    "too long": (code_is(CODE + "0"), "malformed-code", 0),
    "odd characters": (code_is(CODE[:-1] + "g"), "malformed-code", 0),
    "upper case": (code_is(CODE.upper()), "malformed-code", 0),
    "trailing newline": (code_is(CODE + "\n"), "malformed-code", 0),
    "newline in place": (code_is(CODE[:-1] + "\n"), "malformed-code", 0),
    "spaces": (code_is(" " + CODE[1:]), "malformed-code", 0),
    "other digits": (code_is("٣" * 64), "malformed-code", 0),
    "empty code": (code_is(""), "malformed-code", 0),
    "code of another signal": (code_is(CODE, "md5"), "malformed-code", 0),
    "code is a number": (code_is(12), "invalid-value", 0),
    "unknown signal": (code_is(CODE, "photodna"), "invalid-value", 0),
    "an account's code": (code_is("0" * 32, "account"), "invalid-value", 0),
    "impossible weight": (code_is("0" * 64), "impossible-pdq", 0),
    "119 ones": (code_is(f"{(1 << 119) - 1:064x}"), "impossible-pdq", 0),
    "137 ones": (code_is(f"{(1 << 137) - 1:064x}"), "impossible-pdq", 0),
    "low quality": (codes_are(one(quality=49)), "low-quality", 0),
    "degenerate": (
        code_is(f"{next(c for c in DEGENERATE if 120 <= c.bit_count() <= 136):064x}"),
        "low-information-hash",
        0,
    ),
    "33 codes of one signal": (
        codes_are(one(), *(one(text=pdq(n), derived="trim:border") for n in range(32))),
        "too-many-codes",
        32,
    ),
    "41 codes": (
        codes_are(
            one(),
            *(one(text=pdq(n), derived="trim:border") for n in range(30)),
            *(one("md5", code("md5", n), derived="trim:border") for n in range(10)),
        ),
        "too-many-codes",
        40,
    ),
    "two plain codes": (codes_are(one(), one(text=pdq(1))), "two-plain-codes", 1),
    "only derived codes": (codes_are(one(derived="trim:border")), "no-strong-code", None),
    "only a weak code": (codes_are(one("phash", "0f" * 8)), "no-strong-code", None),
    "unknown derivation": (
        codes_are(one(), one(text=pdq(1), derived="crop:50,50")), "unknown-derivation", 1,
    ),
    "a frame of a picture": (codes_are(one(at_ms=5)), "frame-of-picture", 0),
    "quality of 101": (codes_are(one(quality=101)), "invalid-value", 0),
    "quality is a text": (codes_are(one(quality="90")), "invalid-value", 0),
    "quality is true": (codes_are(one(quality=True)), "invalid-value", 0),
    "no codes": (codes_are(), "invalid-value", None),
    "an unknown word": (words(use="mischief"), "invalid-value", None),
    "an unknown harm": (words(harm=["grooming", "mischief"]), "invalid-value", 1),
    "a harm twice": (words(harm=["grooming", "grooming"]), "word-count", None),
    "four harms": (
        words(harm=["grooming", "solicitation", "trafficking", "benign"]), "invalid-value", None,
    ),
    "no harm": (without("harm"), "missing-field", None),
    "no use": (without("use"), "missing-field", None),
    "no depicts": (without("depicts"), "missing-field", None),
    "no basis": (without("basis"), "missing-field", None),
    "no item": (without("item"), "missing-field", None),
    "an unknown field": (words(comment="x"), "unknown-field", None),
    "an unknown scheme": (words(class_refs=["iwf:Z"]), "unknown-word", None),
    "free text as a case": (words(case="she is called"), "invalid-value", None),
    "a list without a name": (words(basis="expert-list"), "list-missing", None),
    "illegal nowhere": (words(content_class="nationally-illegal"), "countries-missing", None),
    "a country that is none": (words(countries=["de"]), "invalid-value", 0),
    "three years": (words(expires="2034-05-01T12:00:00Z"), "expires-too-late", None),
    "expired": (words(expires="2031-05-01T11:59:59Z"), "expired", None),
    "a time without its zone": (words(expires="2031-06-01T12:00:00"), "invalid-value", None),
    "five people": (words(assessed_by=5), "invalid-value", None),
    "no set": (words(sets=[]), "invalid-value", None),
    "a set that is none": (words(sets=["set_" + "a" * 26]), "unknown-set", 0),
    "a set's name": (words(sets=["shared"]), "invalid-value", 0),
    "a name with a space": (words(external_id="a b"), "invalid-value", None),
    "a name with a newline": (words(external_id="a\n"), "invalid-value", None),
    "a list of one": (lambda shared: [said(picture(pdq=CODE), shared)], "invalid-value", None),
    "a text": (lambda _shared: "hello", "invalid-value", None),
    "a child": (
        lambda shared: said(account(subject="child-possible"), shared, case="c-1"),
        "child-identifier", None,
    ),
    "a victim's account": (
        lambda shared: said(account(subject="compromised"), shared, case="c-1"),
        "subject-not-shareable", None,
    ),
    "an account without a subject": (
        lambda shared: said({**account(), "subject": "unknown"}, shared, case="c-1"),
        "subject-not-shareable", None,
    ),
    "an account without a case": (lambda shared: said(account(), shared), "case-missing", None),
    "an account nobody looked at": (
        lambda shared: said(account(), shared, case="c-1", basis="report-confirmed"),
        "basis-not-enough", None,
    ),
    "an account with codes": (
        lambda shared: said({**account(), "codes": [one()]}, shared, case="c-1"),
        "account-missing", None,
    ),
    "a picture with an account": (
        lambda shared: said({**picture(pdq=CODE), "subject": "actor"}, shared),
        "account-of-picture", None,
    ),
    "a helpline": (
        lambda shared: said(account("+1 800 843 5678"), shared, case="c-1"),
        "shared-account", None,
    ),
    "a number without its country": (
        lambda shared: said(account("212 555 0123"), shared, case="c-1"),
        "malformed-account", None,
    ),
    "an unknown platform": (
        lambda shared: said(account("someone", "handle:nowhere"), shared, case="c-1"),
        "unknown-account-kind", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_contribution_with_something_wrong_is_refused(unchanged, shared, alpha, name, capfd):
    make, slug, index = CASES[name]
    body = make(shared)
    alpha.get("/v1/status")
    unchanged()

    answer = alpha.post("/v1/indicators", body)

    assert answer.status_code == 422, answer.text
    assert (slug, index) in flaws(answer)
    assert CODE not in answer.text
    out, err = capfd.readouterr()
    assert CODE not in out + err
    assert "555-0123" not in answer.text + out + err


def test_another_operators_set_looks_like_none(house, unchanged, shared, alpha):
    closed = house.set("closed")
    house.admit("gamma.example.com", sets=[closed])
    unchanged()

    theirs = alpha.post("/v1/indicators", said(picture(pdq=CODE), closed))
    none = alpha.post("/v1/indicators", said(picture(pdq=CODE), "set_" + "a" * 26))

    assert flaws(theirs) == flaws(none) == [("unknown-set", 0)]
    strip = [{**one.json, "request_id": None} for one in (theirs, none)]
    assert strip[0] == strip[1]


def test_a_set_that_one_may_only_read_is_closed(house, unchanged, shared, alpha):
    reader = house.admit("reads.example.com", sets=[shared], rights=frozenset({"lookup"}))
    unchanged()

    answer = reader.post("/v1/indicators", said(picture(pdq=CODE), shared))

    assert flaws(answer) == [("set-closed", 0)]


BODIES = {
    "no JSON": (b"{", "json-syntax"),
    "NaN": (b'{"a": NaN}', "json-number"),
    "infinity": (b'{"a": 1e999}', "json-number"),
    "duplicate keys": (b'{"item": 1, "item": 2}', "json-duplicate-key"),
    "depth 100,000": (b"[" * 100_000, "json-depth"),
    "depth 100,000, closed": (b"[" * 100_000 + b"]" * 100_000, "json-depth"),
    "NUL": (b'{"a": "\\u0000"}', "json-nul"),
    "a lone surrogate": (b'{"a": "\\ud800"}', "json-surrogate"),
    "not UTF-8": (b'{"a": "\xff"}', "json-encoding"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "json-bom"),
    "twenty digits": (b'{"a": 10000000000000000000}', "json-number"),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", ["/v1/indicators", "/v1/match"])
def test_a_body_that_is_a_trap_is_refused(unchanged, alpha, name, path):
    body, slug = BODIES[name]
    unchanged()

    answer = alpha.post(path, data=body, content_type="application/json")

    assert (answer.status_code, problem(answer)) == (400, "malformed-json")
    assert flaws(answer) == [(slug, None)]


def test_ten_million_items_are_refused_before_they_are_read(unchanged, alpha):
    unchanged()
    body = b'{"indicators":[' + b"0," * 9_999_999 + b"0]}"

    for path in ("/v1/indicators", "/v1/match"):
        answer = alpha.post(path, data=body, content_type="application/json", settle=False)
        assert (answer.status_code, problem(answer)) == (413, "too-large")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "image/png",
             "application/json; charset=utf-16"],
)  # fmt: skip
def test_another_media_type_is_refused(unchanged, shared, alpha, kind):
    unchanged()
    body = json.dumps(said(picture(pdq=CODE), shared))

    answer = alpha.post("/v1/indicators", data=body, content_type=kind)

    assert (answer.status_code, problem(answer)) == (415, "unsupported-media-type")


@pytest.mark.parametrize("value", ["a b", "\x7f", "x" * 256, "ä"], ids=range(4))
def test_a_malformed_idempotency_key_is_refused(unchanged, shared, alpha, value):
    unchanged()

    answer = alpha.post("/v1/indicators", said(picture(pdq=CODE), shared), once=value)

    assert (answer.status_code, problem(answer)) == (400, "idempotency-key-malformed")


def test_an_expired_or_foreign_key_opens_nothing(house, unchanged, shared, alpha):
    expires = house.clock.now + timedelta(seconds=1)
    expired = house.caller(house.key(alpha.member, expires=expires, name="short"))
    house.clock.forward(seconds=1)
    foreign = house.caller(f"bw_live_{'a' * 26}_{'b' * 52}")
    unchanged()

    for caller in (expired, foreign, house.caller()):
        answer = caller.post("/v1/indicators", said(picture(pdq=CODE), shared))
        assert (answer.status_code, problem(answer)) == (401, "unauthorized")


@pytest.mark.parametrize(
    "cursor", ["x", "AAAA", "-" * 60, "é", "' OR 1=1", "A" * 600],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/indicators", "/v1/changes"])
def test_a_cursor_that_is_none_is_refused(unchanged, alpha, path, cursor):
    unchanged()

    answer = alpha.get(f"{path}?cursor={quote(cursor)}")

    assert answer.status_code in (400, 422)
    assert answer.mimetype == "application/problem+json"


def test_a_cursor_of_another_timeline_is_gone(house, shared, alpha):
    for _ in range(2):
        contributed(alpha, picture(md5=code("md5")), shared)
    listed = alpha.get("/v1/indicators?limit=1").json["next_cursor"]
    followed = alpha.get("/v1/changes").json["cursor"]
    new_timeline(begin=house.hub.begin, new_id=house.hub.new_id)
    house.settle()

    for path, cursor in (("indicators", listed), ("changes", followed)):
        answer = alpha.get(f"/v1/{path}?cursor={cursor}")
        assert (answer.status_code, problem(answer)) == (410, "cursor-gone")


def test_no_route_takes_a_picture(unchanged, alpha):
    unchanged()
    png = b"\x89PNG\r\n\x1a\n" + bytes(64)

    for path in ("/v1/indicators", "/v1/match", "/v1/outcomes"):
        answer = alpha.post(path, data=png, content_type="image/png")
        assert answer.status_code == 415


OPINIONS = {
    "no reason": ({"stance": "disagree"}, "reason-missing"),
    "a reason of nothing": ({"stance": "agree", "basis": "own-service-human",
                             "reason": "benign"}, "reason-of-nothing"),
    "no basis": ({"stance": "agree"}, "basis-missing"),
    "an unknown stance": ({"stance": "shrug"}, "invalid-value"),
    "an unknown reach": ({"stance": "seen", "reach": "far"}, "invalid-value"),
    "free text": ({"stance": "seen", "note": "x"}, "unknown-field"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPINIONS)
def test_an_opinion_with_something_wrong_is_refused(house, shared, alpha, beta, name):
    change, slug = OPINIONS[name]
    indicator = contributed(alpha, picture(pdq=CODE), shared)
    before = state(house)

    answer = beta.post(f"/v1/indicators/{indicator}/opinions", {"set": shared, **change})

    assert answer.status_code == 422
    assert [found for found, _ in flaws(answer)] == [slug]
    assert state(house) == before
