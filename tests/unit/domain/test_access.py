# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given, strategies as st

from hub.domain.access import (
    GRANT_OF_SCOPE,
    GRANTS,
    ROLES,
    SCOPES,
    GivenKey,
    checked_grants,
    checked_scopes,
    key_mac,
    key_text,
    parsed_key,
    scopes_of,
    sets_for,
)
from hub.domain.errors import BadInputError
from hub.domain.sharing import Asker

PEPPER = bytes(range(32))
ID = "key_" + "a2" * 13
TEXT = key_text(ID, bytes(32), sandbox=False)


def asker(scopes, grants):
    return Asker(
        key=1,
        member=1,
        member_id="mem_x",
        operator=1,
        operator_kind="platform",
        sandbox=False,
        scopes=frozenset(scopes),
        grants=grants,
    )


@given(st.binary(min_size=32, max_size=32), st.booleans())
def test_a_key_that_was_written_is_read_again(secret, sandbox):
    written = key_text(ID, secret, sandbox=sandbox)

    assert parsed_key(f"Bearer {written}") == GivenKey(ID, written)
    assert written.startswith("bw_test_" if sandbox else "bw_live_")


def test_different_secrets_make_different_keys():
    assert key_text(ID, bytes(32), sandbox=False) != key_text(ID, bytes(31) + b"\1", sandbox=False)


@pytest.mark.parametrize("header", [f"bearer {TEXT}", f"BEARER   {TEXT}"])
def test_the_scheme_may_be_written_as_http_allows(header):
    assert parsed_key(header) == GivenKey(ID, TEXT)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        TEXT,
        "Bearer",
        "Bearer ",
        f"Basic {TEXT}",
        f"Bearer{TEXT}",
        f" Bearer {TEXT}",
        f"Bearer {TEXT} ",
        f"Bearer {TEXT}\n",
        f"Bearer {TEXT}\x00",
        f"Bearer {TEXT}, Bearer {TEXT}",
        f"Bearer {TEXT.upper()}",
        f"Bearer {TEXT[:-1]}",
        f"Bearer {TEXT}a",
        f"Bearer {TEXT.replace('live', 'prod')}",
        f"Bearer {TEXT[:-1]}1",
        f"Bearer {TEXT[:-1]}\u0430",
    ],
)
def test_what_has_not_the_form_of_a_key_is_none(header):
    assert parsed_key(header) is None


@pytest.mark.parametrize(
    ("key_id", "secret"), [("key_short", bytes(32)), (ID.upper(), bytes(32)), (ID, bytes(31))]
)
def test_a_key_of_the_wrong_form_is_never_written(key_id, secret):
    with pytest.raises(ValueError, match="a key's"):
        key_text(key_id, secret, sandbox=False)


def test_a_key_does_not_show_its_secret_by_accident():
    assert TEXT[-52:] not in repr(parsed_key(f"Bearer {TEXT}"))


def test_pepper_kind_id_and_secret_each_change_what_is_kept():
    other_id = "key_" + "b2" * 13
    macs = {
        key_mac(PEPPER, TEXT),
        key_mac(PEPPER[::-1], TEXT),
        key_mac(PEPPER, key_text(ID, bytes(32), sandbox=True)),
        key_mac(PEPPER, key_text(other_id, bytes(32), sandbox=False)),
        key_mac(PEPPER, key_text(ID, b"\1" * 32, sandbox=False)),
    }

    assert len(macs) == 5
    assert all(len(mac) == 32 for mac in macs)


def test_a_pepper_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="pepper"):
        key_mac(PEPPER[:31], TEXT)


def test_roles_bundle_exactly_these_scopes():
    contributor = {
        "indicators:write", "indicators:read", "match", "opinions:write", "outcomes:write",
        "changes:read",
    }  # fmt: skip

    assert dict(ROLES) == {
        "contributor": contributor,
        "reader": {"match", "indicators:read", "changes:read", "outcomes:write"},
        "reviewer": contributor,
        "admin": SCOPES,
    }
    assert scopes_of("reader") == ROLES["reader"]


@pytest.mark.parametrize(
    ("grant", "scopes"),
    [
        ("contribute", {"indicators:write"}),
        ("replica", {"changes:read"}),
        (
            "lookup",
            {"match", "indicators:read", "opinions:write", "outcomes:write"},
        ),
    ],
)
def test_each_grant_opens_its_own_scopes(grant, scopes):
    everything = asker(SCOPES, {1: frozenset({grant})})

    assert {scope for scope in SCOPES if sets_for(everything, scope)} == scopes


@pytest.mark.parametrize("scope", sorted(SCOPES - {"admin"}))
def test_a_right_needs_both_the_scope_and_the_grant(scope):
    grant = GRANT_OF_SCOPE[scope]
    grants = {1: frozenset({grant}), 2: GRANTS - {grant}, 3: frozenset()}

    assert sets_for(asker({scope}, grants), scope) == {1}
    assert sets_for(asker(SCOPES - {scope, "admin"}, grants), scope) == frozenset()


def test_an_administrator_sees_into_no_set_without_a_grant():
    assert sets_for(asker({"admin"}, {1: frozenset()}), "match") == frozenset()
    assert sets_for(asker({"admin"}, {1: GRANTS}), "admin") == frozenset()


@pytest.mark.parametrize(
    ("refuse", "slug", "index"),
    [
        (lambda: scopes_of("owner"), "unknown-role", None),
        (lambda: checked_scopes(["match", "every\x00thing"]), "unknown-scope", 1),
        (lambda: checked_grants(["delete"]), "unknown-grant", 0),
    ],
)
def test_unknown_words_of_access_are_refused_with_the_known_ones(refuse, slug, index):
    with pytest.raises(BadInputError) as caught:
        refuse()

    (found,) = caught.value.flaws
    assert (found.slug, found.index) == (slug, index)
    assert "use one of" in found.detail
    assert "\x00" not in found.detail


def test_known_words_of_access_are_taken():
    assert checked_scopes(sorted(SCOPES)) == SCOPES
    assert checked_grants(["lookup", "lookup"]) == {"lookup"}
