# SPDX-License-Identifier: Apache-2.0
"""Sets and grants: what is shared with whom, and by which rules."""

import pytest

from hub.domain.sharing import LOOKUP
from tests.functional.access.conftest import slug


def new_set(**change):
    return {"name": "new", "tlp": "TLP:AMBER", **change}


def test_new_set_has_nobody_in_it(admin):
    made = admin.post("/v1/sets", new_set()).get_json()

    shown = admin.get(f"/v1/sets/{made['id']}").get_json()

    assert shown["grants"] == []
    assert (shown["tlp"], shown["onward"], shown["rights"]) == ("TLP:AMBER", "none", [])


def test_name_of_a_set_is_taken_once(admin):
    admin.post("/v1/sets", new_set())

    assert slug(admin.post("/v1/sets", new_set())) == "name-taken"


def test_member_sees_the_sets_it_has_a_grant_in_with_its_own_rights_only(
    admin, alpha, house, shared
):
    house.set("of others")

    (listed,) = alpha.get("/v1/sets").get_json()["items"]
    shown = alpha.get(f"/v1/sets/{shared}").get_json()

    assert listed["id"] == shared
    assert listed["rights"] == shown["rights"] == ["contribute", "lookup", "replica"]
    assert "grants" not in shown
    assert len(admin.get("/v1/sets").get_json()["items"]) == 2


def test_set_of_others_looks_absent(alpha, house):
    same = {"X-Request-Id": "the-same"}
    others = house.set("of others")

    hidden = alpha.get(f"/v1/sets/{others}", headers=same)
    absent = alpha.get(f"/v1/sets/set_{'a' * 26}", headers=same)

    assert (hidden.status_code, hidden.data) == (absent.status_code, absent.data)
    assert hidden.status_code == 404


def test_grant_replaces_the_rights_and_its_end_takes_them_all(admin, alpha, shared):
    path = f"/v1/sets/{shared}/grants/{alpha.member}"

    changed = admin.put(path, {"rights": ["lookup"]})

    assert changed.get_json()["rights"] == ["lookup"]
    assert alpha.get(f"/v1/sets/{shared}").get_json()["rights"] == ["lookup"]
    assert admin.delete(path).status_code == 200
    assert alpha.get(f"/v1/sets/{shared}").status_code == 404
    assert alpha.get("/v1/sets").get_json()["items"] == []
    assert slug(admin.delete(path)) == "not-found"


def test_grant_is_known_to_lookups_at_once(admin, alpha, shared, house):
    admin.put(f"/v1/sets/{shared}/grants/{alpha.member}", {"rights": ["lookup"]})
    asker = house.hub.directory.asker(f"Bearer {alpha.secret}")

    assert asker.sets_with(LOOKUP)
    assert not asker.sets_with("replica")


@pytest.mark.parametrize("rights", [[], ["own"], ["lookup", 1], "lookup", None, ["lookup"] * 4])
def test_odd_rights_are_refused(admin, alpha, shared, rights):
    answer = admin.put(f"/v1/sets/{shared}/grants/{alpha.member}", {"rights": rights})

    assert (answer.status_code, slug(answer)) == (422, "bad-input")
    assert alpha.get(f"/v1/sets/{shared}").get_json()["rights"] == [
        "contribute",
        "lookup",
        "replica",
    ]


@pytest.mark.parametrize("tlp", ["TLP:AMBER+STRICT", "TLP:RED"])
def test_strict_set_is_never_copied_out(admin, alpha, tlp):
    strict = admin.post("/v1/sets", new_set(tlp=tlp)).get_json()["id"]
    path = f"/v1/sets/{strict}/grants/{alpha.member}"

    refused = admin.put(path, {"rights": ["lookup", "replica"]})

    assert refused.get_json()["errors"][0]["type"].endswith(":tlp-forbids-replica")
    assert alpha.get(f"/v1/sets/{strict}").status_code == 404
    assert admin.put(path, {"rights": ["contribute", "lookup"]}).status_code == 200


@pytest.mark.parametrize(("set_sandbox", "member_sandbox"), [(True, False), (False, True)])
def test_sandbox_and_the_rest_never_share_a_set(admin, house, set_sandbox, member_sandbox):
    set_id = house.set("either", sandbox=set_sandbox)
    member = house.member(house.operator("either.example.com", sandbox=member_sandbox))

    refused = admin.put(f"/v1/sets/{set_id}/grants/{member}", {"rights": ["lookup"]})

    assert refused.get_json()["errors"][0]["type"].endswith(":sandbox-mismatch")
    assert admin.get(f"/v1/sets/{set_id}").get_json()["grants"] == []


@pytest.mark.parametrize(
    ("set_id", "member"), [("set_" + "a" * 26, None), (None, "mem_" + "a" * 26)]
)
def test_grant_of_nothing_or_to_nobody_is_not_found(admin, alpha, shared, set_id, member):
    path = f"/v1/sets/{set_id or shared}/grants/{member or alpha.member}"

    assert admin.put(path, {"rights": ["lookup"]}).status_code == 404
    assert admin.delete(path).status_code == 404


@pytest.mark.parametrize("change", [{"tlp": "AMBER"}, {"onward": "all"}, {"name": ""}, {"x": 1}])
def test_set_that_breaks_a_rule_is_refused(admin, change):
    assert slug(admin.post("/v1/sets", new_set(**change))) == "bad-input"
    assert admin.get("/v1/sets").get_json()["items"] == []
