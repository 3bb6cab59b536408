# SPDX-License-Identifier: Apache-2.0
"""Operators and members: admitted, listed, suspended, resumed."""

from typing import Any

import pytest

from tests.functional.access.conftest import slug

NEW: dict[str, Any] = {
    "name": "new.example.com",
    "kind": "platform",
    "contacts": [{"purpose": "security", "email": "security@new.example.com"}],
}


def test_admitted_operator_is_shown_as_it_was_admitted(admin):
    made = admin.post("/v1/operators", NEW)

    assert made.status_code == 201
    told = {name: value for name, value in made.get_json().items() if name != "position"}
    assert admin.get(f"/v1/operators/{told['id']}").get_json() == told
    assert told.items() >= {**NEW, "sandbox": False, "state": "active"}.items()


def test_every_change_takes_the_next_position(admin):
    first = admin.post("/v1/operators", NEW).get_json()["position"]

    second = admin.post("/v1/operators", {**NEW, "name": "other.example.com"}).get_json()

    assert second["position"] == first + 1


def test_name_of_an_operator_is_taken_once(admin):
    admin.post("/v1/operators", NEW)

    again = admin.post("/v1/operators", NEW)

    assert (again.status_code, slug(again)) == (409, "name-taken")
    assert len(admin.get("/v1/operators").get_json()["items"]) == 2


@pytest.mark.parametrize(
    ("change", "field", "kind"),
    [
        ({"name": "no-dot"}, "name", "invalid-value"),
        ({"name": "Upper.example.com"}, "name", "invalid-value"),
        ({"name": "-a.example.com"}, "name", "invalid-value"),
        ({"name": "new.example.com\n"}, "name", "invalid-value"),
        ({"name": "a" * 64 + ".example.com"}, "name", "invalid-value"),
        ({"name": 7}, "name", "invalid-value"),
        ({"name": None}, "name", "invalid-value"),
        ({"kind": "bank"}, "kind", "invalid-value"),
        ({"contacts": []}, "contacts", "invalid-value"),
        ({"contacts": [{"purpose": "security"}]}, "contacts.0.email", "missing-field"),
        (
            {"contacts": [{"purpose": "security", "email": "canary"}]},
            "contacts.0.email",
            "invalid-value",
        ),
        ({"sandbox": "false"}, "sandbox", "invalid-value"),
        ({"sandbox": 0}, "sandbox", "invalid-value"),
        ({"canary": 1}, None, "unknown-field"),
        ({"contacts": [{**NEW["contacts"][0], "canary": 1}]}, "contacts.0", "unknown-field"),
    ],
)
def test_operator_that_breaks_a_rule_is_refused_by_field_and_not_kept(admin, change, field, kind):
    answer = admin.post("/v1/operators", {**NEW, **change})

    assert (answer.status_code, slug(answer)) == (422, "bad-input")
    (flaw,) = answer.get_json()["errors"]
    assert (flaw.get("field"), flaw["type"]) == (field, f"urn:breakwater:problem:{kind}")
    assert "canary" not in answer.text
    assert len(admin.get("/v1/operators").get_json()["items"]) == 1


@pytest.mark.parametrize("body", ["[]", '[{"name": "x"}]', '"text"', "1", "null", "true"])
def test_body_that_is_no_object_is_refused(admin, body):
    answer = admin.post("/v1/operators", data=body, content_type="application/json")

    assert (answer.status_code, slug(answer)) == (422, "bad-input")


def test_pages_hold_everybody_once_in_order(admin, house):
    names = [f"op{n}.example.com" for n in range(7)]
    ids = [house.operator(name) for name in names]

    found, query = [], "limit=3"
    while query:
        page = admin.get(f"/v1/operators?{query}").get_json()
        assert len(page["items"]) <= 3
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        query = cursor and f"limit=3&cursor={cursor}"

    assert found == [admin.operator, *ids]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=1001", 422),
        ("limit=٣", 422),
        ("limit=1e2", 422),
        ("limit=", 422),
        ("canary=1", 422),
        ("cursor=canary", 400),
        ("cursor=", 422),
        ("cursor=%00", 422),
    ],
)
def test_odd_question_is_refused(admin, query, status):
    answer = admin.get(f"/v1/operators?{query}")

    assert answer.status_code == status
    assert "canary" not in answer.text


def test_cursor_of_one_list_is_refused_by_another(admin, house):
    house.operator("more.example.com")
    cursor = admin.get("/v1/operators?limit=1").get_json()["next_cursor"]

    answer = admin.get(f"/v1/members?cursor={cursor}")

    assert (answer.status_code, slug(answer)) == (400, "malformed-cursor")


def test_cursor_of_another_timeline_is_gone(admin, house):
    house.operator("more.example.com")
    cursor = admin.get("/v1/operators?limit=1").get_json()["next_cursor"]
    with house.database.writer.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE head SET timeline = 'tl_other'")

    answer = admin.get(f"/v1/operators?cursor={cursor}")

    assert (answer.status_code, slug(answer)) == (410, "cursor-gone")


def test_own_operator_and_member_are_seen_and_anothers_look_absent(alpha, beta):
    assert alpha.get(f"/v1/operators/{alpha.operator}").status_code == 200
    assert alpha.get(f"/v1/members/{alpha.member}").status_code == 200

    for kind, others in (("operators", beta.operator), ("members", beta.member)):
        prefix = others.partition("_")[0]
        hidden = alpha.get(f"/v1/{kind}/{others}", headers={"X-Request-Id": "the-same"})
        absent = alpha.get(f"/v1/{kind}/{prefix}_{'a' * 26}", headers={"X-Request-Id": "the-same"})
        assert (hidden.status_code, hidden.data) == (absent.status_code, absent.data)
        assert hidden.status_code == 404


def test_members_are_listed_by_operator(admin, alpha, beta, house):
    second = house.member(alpha.operator, "second")

    page = admin.get(f"/v1/members?operator={alpha.operator}").get_json()

    assert [item["id"] for item in page["items"]] == [alpha.member, second]
    everybody = admin.get("/v1/members").get_json()["items"]
    assert {item["id"] for item in everybody} == {admin.member, alpha.member, beta.member, second}


def test_member_of_an_unknown_operator_is_not_added(admin):
    answer = admin.post("/v1/members", {"operator": "op_" + "a" * 26, "name": "x"})

    assert (answer.status_code, slug(answer)) == (404, "not-found")


@pytest.mark.parametrize("what", ["operators", "members"])
def test_suspended_is_shut_out_at_once_and_let_in_again_with_the_same_key(
    admin, alpha, beta, what
):
    public_id = alpha.operator if what == "operators" else alpha.member

    suspended = admin.post(f"/v1/{what}/{public_id}/suspend")

    assert suspended.get_json()["state"] == "suspended"
    assert alpha.get("/v1/status").status_code == 401
    assert beta.get("/v1/status").status_code == 200
    resumed = admin.post(f"/v1/{what}/{public_id}/resume")
    assert resumed.get_json()["state"] == "active"
    assert alpha.get("/v1/status").status_code == 200


@pytest.mark.parametrize("what", ["operators", "members"])
def test_who_holds_the_last_administrators_key_is_not_suspended(admin, what, house):
    public_id = admin.operator if what == "operators" else admin.member

    refused = admin.post(f"/v1/{what}/{public_id}/suspend")

    assert (refused.status_code, slug(refused)) == (409, "last-admin-key")
    assert admin.get("/v1/operators").status_code == 200
    other = house.admit("second.example.com", role="admin")
    assert admin.post(f"/v1/{what}/{public_id}/suspend").status_code == 200
    assert other.get("/v1/operators").status_code == 200


@pytest.mark.parametrize("path", ["/v1/operators", "/v1/members"])
def test_lists_are_the_administrators(alpha, path):
    answer = alpha.get(path)

    assert (answer.status_code, slug(answer)) == (403, "forbidden")
