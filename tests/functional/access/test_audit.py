# SPDX-License-Identifier: Apache-2.0
"""Every change of access is one change in the history, with who did it, and ids only."""

import pytest
import sqlalchemy as sa

from hub.storage import tables


def changes(house):
    with house.database.reader.connect() as connection:
        rows = connection.execute(sa.select(tables.change).order_by(tables.change.c.position))
        return rows.all()


def writes(alpha, shared):
    (key,) = alpha.get("/v1/keys").get_json()["items"]
    return {
        "operator": ("POST", "/v1/operators", {
            "name": "new.example.com", "kind": "ngo",
            "contacts": [{"purpose": "legal", "email": "canary@example.com"}],
        }),
        "member": ("POST", "/v1/members", {"operator": alpha.operator, "name": "canary"}),
        "key": ("POST", "/v1/keys", {"member": alpha.member, "name": "canary", "role": "reader"}),
        "rotate": ("POST", f"/v1/keys/{key['id']}/rotate", None),
        "revoke": ("POST", f"/v1/keys/{key['id']}/revoke", None),
        "suspend": ("POST", f"/v1/operators/{alpha.operator}/suspend", None),
        "resume": ("POST", f"/v1/operators/{alpha.operator}/resume", None),
        "suspend member": ("POST", f"/v1/members/{alpha.member}/suspend", None),
        "resume member": ("POST", f"/v1/members/{alpha.member}/resume", None),
        "set": ("POST", "/v1/sets", {"name": "canary", "tlp": "TLP:GREEN"}),
        "grant": ("PUT", f"/v1/sets/{shared}/grants/{alpha.member}", {"rights": ["lookup"]}),
        "end": ("DELETE", f"/v1/sets/{shared}/grants/{alpha.member}", None),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["operator", "member", "key", "rotate", "revoke", "suspend", "resume", "suspend member",
     "resume member", "set", "grant", "end"],
)  # fmt: skip
def test_write_leaves_exactly_one_row_with_its_actor_and_no_words(
    admin, alpha, shared, house, name
):
    method, path, body = writes(alpha, shared)[name]
    before = changes(house)

    answer = admin.send(method, path, body, headers={"X-Request-Id": "the-request"})

    assert answer.status_code in {200, 201}, answer.text
    after = changes(house)
    assert len(after) == len(before) + 1
    row = after[-1]
    assert (row.kind, row.position) == ("access", answer.get_json()["position"])
    assert None not in (row.operator, row.member, row.api_key)
    assert row.request_id == "the-request"
    assert "canary" not in str(row)


def test_refused_write_leaves_nothing(admin, alpha, shared, house):
    before = changes(house)

    alpha.post("/v1/sets", {"name": "x", "tlp": "TLP:GREEN"})
    admin.post("/v1/sets", {"name": "shared", "tlp": "TLP:GREEN"})
    admin.put(f"/v1/sets/{shared}/grants/mem_{'a' * 26}", {"rights": ["lookup"]})

    assert changes(house) == before


def test_repeated_write_leaves_one_row(admin, house):
    body = {"name": "once", "tlp": "TLP:GREEN"}
    admin.post("/v1/sets", body, once="the-one")
    before = changes(house)

    admin.post("/v1/sets", body, once="the-one")

    assert changes(house) == before
