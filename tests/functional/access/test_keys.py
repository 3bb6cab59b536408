# SPDX-License-Identifier: Apache-2.0
"""Keys: told once, two alive, never above one's own, dead when revoked or expired."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.domain.access import ROLES, SCOPES
from hub.storage import tables
from tests.functional.access.conftest import slug


def new_key(of, **change):
    return {"member": of, "name": "one", "role": "reader", **change}


def test_new_key_opens_what_its_role_says_and_nothing_else(admin, house):
    member = house.member(house.operator("new.example.com"))

    made = admin.post("/v1/keys", new_key(member, role="reader")).get_json()

    caller = house.caller(made["secret"])
    assert re.fullmatch("bw_live_[a-z2-7]{26}_[a-z2-7]{52}", made["secret"])
    assert caller.get("/v1/status").status_code == 200
    assert caller.get("/v1/operators").status_code == 403
    assert made["role"] == "reader"
    assert frozenset(made["scopes"]) == ROLES["reader"]


def test_key_with_scopes_of_its_own_has_no_role(admin, house):
    member = house.member(house.operator("new.example.com"))

    made = admin.post(
        "/v1/keys", {"member": member, "name": "narrow", "scopes": ["match"]}
    ).get_json()

    assert (made["role"], made["scopes"]) == (None, ["match"])


def test_secret_is_told_once_and_kept_nowhere(admin, house):
    member = house.member(house.operator("new.example.com"))

    secret = admin.post("/v1/keys", new_key(member)).get_json()["secret"]

    assert secret not in admin.get(f"/v1/keys?member={member}").text
    assert secret.rpartition("_")[2] not in everything_stored(house)


def everything_stored(house):
    """Every value of every table, as text; bytes as they are and in hex."""
    with house.database.reader.connect() as connection:
        rows = [row for table in tables.metadata.sorted_tables
                for row in connection.execute(sa.select(table))]  # fmt: skip
    assert rows
    return "".join(
        f"{row} {[bytes(v).hex() for v in row if isinstance(v, bytes)]}" for row in rows
    )


def test_repeated_creation_tells_the_same_secret_and_makes_no_second_key(admin, house):
    member = house.member(house.operator("new.example.com"))

    first = admin.post("/v1/keys", new_key(member), once="the-one")
    second = admin.post("/v1/keys", new_key(member), once="the-one")

    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert len(admin.get(f"/v1/keys?member={member}").get_json()["items"]) == 1


def test_name_of_a_request_used_for_another_is_refused(admin, house):
    member = house.member(house.operator("new.example.com"))
    admin.post("/v1/keys", new_key(member), once="the-one")

    other = admin.post("/v1/keys", new_key(member, name="two"), once="the-one")

    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")


def test_names_of_requests_belong_to_the_member_that_used_them(admin, house):
    second = house.admit("second.example.com", role="admin")
    member = house.member(house.operator("new.example.com"))
    first = admin.post("/v1/keys", new_key(member), once="the-one").get_json()

    other = second.post("/v1/keys", new_key(member), once="the-one").get_json()

    assert first["id"] != other["id"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"role": "king"}, "invalid-value"),
        ({"role": None}, "invalid-value"),
        ({"scopes": ["match"]}, "role-or-scopes"),
        ({"name": ""}, "invalid-value"),
        ({"name": "a\u202eb"}, "invalid-value"),
        ({"name": "x" * 101}, "invalid-value"),
        ({"expires": "2020-01-01T00:00:00Z"}, "key-expiry"),
        ({"expires": "2999-01-01T00:00:00Z"}, "key-expiry"),
        ({"expires": "tomorrow"}, "invalid-value"),
        ({"expires": "2026-12-01T00:00:00"}, "invalid-value"),
        ({"expires": "0001-01-01T00:00:00+14:00"}, "invalid-value"),
        ({"member": "mem_x"}, "invalid-value"),
    ],
)
def test_key_that_breaks_a_rule_is_refused(admin, house, change, kind):
    member = house.member(house.operator("new.example.com"))

    answer = admin.post("/v1/keys", new_key(member, **change))

    assert answer.status_code == 422
    assert kind in {error["type"].rpartition(":")[2] for error in answer.get_json()["errors"]}
    assert admin.get(f"/v1/keys?member={member}").get_json()["items"] == []


@pytest.mark.parametrize(("seconds", "status"), [(0, 201), (1, 422)])
def test_key_lives_365_days_and_no_second_longer(admin, house, clock, seconds, status):
    member = house.member(house.operator("new.example.com"))
    expires = clock() + timedelta(days=365, seconds=seconds)

    answer = admin.post("/v1/keys", new_key(member, expires=expires.isoformat()))

    assert answer.status_code == status


@pytest.mark.parametrize("body", [{"role": "reader", "scopes": ["match"]}, {}])
def test_key_has_either_a_role_or_scopes(admin, alpha, body):
    answer = admin.post("/v1/keys", {"member": alpha.member, "name": "x", **body})

    assert answer.get_json()["errors"][0]["type"].endswith(":role-or-scopes")


def test_member_has_at_most_two_live_keys(admin, house):
    member = house.member(house.operator("new.example.com"))
    first = admin.post("/v1/keys", new_key(member)).get_json()
    admin.post("/v1/keys", new_key(member))

    third = admin.post("/v1/keys", new_key(member))

    assert (third.status_code, slug(third)) == (409, "too-many-keys")
    admin.post(f"/v1/keys/{first['id']}/revoke")
    assert admin.post("/v1/keys", new_key(member)).status_code == 201


def test_rotation_lets_both_keys_live_until_the_old_one_is_revoked(alpha, house):
    (old,) = alpha.get("/v1/keys").get_json()["items"]

    made = alpha.post(f"/v1/keys/{old['id']}/rotate").get_json()

    new = house.caller(made["secret"])
    assert made["scopes"] == old["scopes"]
    assert [caller.get("/v1/status").status_code for caller in (alpha, new)] == [200, 200]
    assert new.post(f"/v1/keys/{old['id']}/revoke").status_code == 200
    assert [caller.get("/v1/status").status_code for caller in (alpha, new)] == [401, 200]


def test_rotation_makes_no_key_that_lives_longer(house, clock):
    member = house.member(house.operator("new.example.com"))
    old = house.caller(house.key(member, expires=clock() + timedelta(days=1)))
    (known,) = old.get("/v1/keys").get_json()["items"]

    made = old.post(f"/v1/keys/{known['id']}/rotate").get_json()

    new = house.caller(made["secret"])
    assert made["expires"] == known["expires"]
    assert new.get("/v1/status").status_code == 200
    clock.forward(days=1)
    assert [caller.get("/v1/status").status_code for caller in (old, new)] == [401, 401]


def test_third_key_by_rotation_is_refused(alpha):
    (old,) = alpha.get("/v1/keys").get_json()["items"]
    alpha.post(f"/v1/keys/{old['id']}/rotate")

    third = alpha.post(f"/v1/keys/{old['id']}/rotate")

    assert (third.status_code, slug(third)) == (409, "too-many-keys")


def test_dead_key_is_not_rotated_nor_revoked_again(alpha, house):
    (old,) = alpha.get("/v1/keys").get_json()["items"]
    made = alpha.post(f"/v1/keys/{old['id']}/rotate").get_json()
    new = house.caller(made["secret"])
    new.post(f"/v1/keys/{old['id']}/revoke")

    for what in ("rotate", "revoke"):
        answer = new.post(f"/v1/keys/{old['id']}/{what}")
        assert (answer.status_code, slug(answer)) == (409, "key-dead")


BELOW = {
    "reader": {"reader"},
    "contributor": {"reader", "contributor", "reviewer"},
    "reviewer": {"reader", "contributor", "reviewer"},  # can do no more, until there is a queue
    "admin": set(ROLES),
}
"""Whose keys each role can handle: those that can do no more."""


@pytest.mark.parametrize("what", ["rotate", "revoke"])
@pytest.mark.parametrize("other", ROLES)
@pytest.mark.parametrize("own", ROLES)
def test_nobody_handles_a_key_that_can_do_more_than_their_own(house, what, own, other):
    house.admit("hub.example.com", role="admin")
    member = house.member(house.operator("new.example.com"))
    mine = house.caller(house.key(member, own))
    house.key(member, other)
    _, target = mine.get("/v1/keys").get_json()["items"]

    answer = mine.post(f"/v1/keys/{target['id']}/{what}")

    if other not in BELOW[own]:
        assert (answer.status_code, slug(answer)) == (403, "forbidden")
    elif what == "rotate":
        # Allowed, but for a member's two live keys.
        assert (answer.status_code, slug(answer)) == (409, "too-many-keys")
    else:
        assert answer.get_json()["revoked_at"] is not None


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_key_of_another_member_looks_absent(alpha, beta, what):
    (others,) = beta.get("/v1/keys").get_json()["items"]
    same = {"X-Request-Id": "the-same"}

    hidden = alpha.post(f"/v1/keys/{others['id']}/{what}", headers=same)
    absent = alpha.post(f"/v1/keys/key_{'a' * 26}/{what}", headers=same)

    assert (hidden.status_code, hidden.data) == (absent.status_code, absent.data)
    assert hidden.status_code == 404
    assert beta.get("/v1/status").status_code == 200


def test_sibling_member_of_the_same_operator_is_another_member(alpha, house):
    second = house.member(alpha.operator, "second")
    (others,) = house.caller(house.key(second)).get("/v1/keys").get_json()["items"]

    assert alpha.post(f"/v1/keys/{others['id']}/revoke").status_code == 404
    assert alpha.get(f"/v1/keys?member={second}").status_code == 404
    assert alpha.get(f"/v1/members/{second}").status_code == 404


def test_last_administrators_key_is_not_revoked(admin, house):
    (own,) = admin.get("/v1/keys").get_json()["items"]

    refused = admin.post(f"/v1/keys/{own['id']}/revoke")

    assert (refused.status_code, slug(refused)) == (409, "last-admin-key")
    assert admin.get("/v1/operators").status_code == 200
    house.admit("second.example.com", role="admin")
    assert admin.post(f"/v1/keys/{own['id']}/revoke").status_code == 200
    assert admin.get("/v1/operators").status_code == 401


def test_key_of_a_suspended_administrator_does_not_count_as_one_left(admin, house):
    other = house.admit("second.example.com", role="admin")
    admin.post(f"/v1/operators/{other.operator}/suspend")
    (own,) = admin.get("/v1/keys").get_json()["items"]

    assert slug(admin.post(f"/v1/keys/{own['id']}/revoke")) == "last-admin-key"


@pytest.mark.parametrize("wanted", [{"role": "admin"}, {"scopes": sorted(SCOPES)}])
def test_sandbox_gets_test_keys_and_none_that_administers(admin, house, wanted):
    member = house.member(house.operator("try.example.com", sandbox=True))

    made = admin.post("/v1/keys", new_key(member)).get_json()
    refused = admin.post("/v1/keys", {"member": member, "name": "x", **wanted})

    assert made["secret"].startswith("bw_test_")
    assert refused.get_json()["errors"][0]["type"].endswith(":sandbox-admin")


def test_suspended_member_gets_no_key(admin, alpha):
    admin.post(f"/v1/members/{alpha.member}/suspend")

    answer = admin.post("/v1/keys", new_key(alpha.member))

    assert (answer.status_code, slug(answer)) == (409, "suspended")


def test_key_dies_by_itself_when_it_expires(house, clock):
    member = house.member(house.operator("new.example.com"))
    expires = clock() + timedelta(days=1)
    caller = house.caller(house.key(member, expires=expires))
    assert caller.get("/v1/status").status_code == 200

    clock.forward(days=1)

    assert caller.get("/v1/status").status_code == 401


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1] + ("a" if key[-1] != "a" else "b"),
        lambda key: key.replace("bw_live", "bw_test"),
        lambda key: key.upper(),
        lambda key: key + "a",
        lambda key: key[:-1],
        lambda key: key.replace("_", "-"),
        lambda key: "bw_live_" + "a" * 26 + key[34:],
        lambda _key: "",
    ],
)
def test_spoilt_key_opens_nothing(alpha, house, spoil):
    caller = house.caller(spoil(alpha.secret))

    assert caller.get("/v1/status").status_code == 401
