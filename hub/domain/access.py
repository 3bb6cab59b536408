# SPDX-License-Identifier: Apache-2.0
"""Keys and what they open: scopes, the roles that bundle them, and the form of a key.

A right is a scope of the key *and* a grant of its member in the set. Only the MAC of a key is
kept, so a stolen database opens nothing; the pepper is elsewhere.
"""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hub.domain.errors import BadInputError, Flaw
from hub.domain.sharing import CONTRIBUTE, LOOKUP, REPLICA, Asker

GRANT_OF_SCOPE: Mapping[str, str | None] = MappingProxyType(
    {
        "indicators:write": CONTRIBUTE,
        "indicators:read": LOOKUP,
        "match": LOOKUP,
        "opinions:write": LOOKUP,
        "outcomes:write": LOOKUP,
        "changes:read": REPLICA,
        "admin": None,  # of the hub, not of a set
    }
)
"""Every scope, and the grant that it needs in a set."""

SCOPES = frozenset(GRANT_OF_SCOPE)
GRANTS = frozenset({CONTRIBUTE, LOOKUP, REPLICA})

_CONTRIBUTOR = frozenset(
    {
        "indicators:write",
        "indicators:read",
        "match",
        "opinions:write",
        "outcomes:write",
        "changes:read",
    }
)
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "contributor": _CONTRIBUTOR,
        "reader": frozenset({"match", "indicators:read", "changes:read", "outcomes:write"}),
        "reviewer": _CONTRIBUTOR,
        "admin": SCOPES,
    }
)

SECRET_BYTES = 32
LEAST_PEPPER = 32  # bytes

_KEY = re.compile(r"bw_(?:live|test)_([a-z2-7]{26})_[a-z2-7]{52}")
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class GivenKey:
    """A key as somebody gave it, of the right form and not yet checked.

    ``secret`` is the whole text: its MAC binds the kind and the id to what is secret in it.
    """

    id: str
    secret: str = field(repr=False)


def parsed_key(authorization: str | None) -> GivenKey | None:
    """Read a key from an Authorization header; None if there is none of the right form."""
    bearer = _BEARER.fullmatch(authorization or "")
    written = bearer and _KEY.fullmatch(bearer[1])
    return GivenKey(f"key_{written[1]}", written[0]) if written else None


def key_text(key_id: str, secret: bytes, *, sandbox: bool) -> str:
    """Write a new key, to be shown once.

    Args:
        key_id: ``key_`` and 26 letters or digits.
        secret: 32 random bytes.
        sandbox: a key for trying things out, of a sandbox operator.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a key's secret has {SECRET_BYTES} bytes")
    kind = "test" if sandbox else "live"
    letters = base64.b32encode(secret).decode().rstrip("=").lower()
    written = f"bw_{kind}_{key_id.removeprefix('key_')}_{letters}"
    if not _KEY.fullmatch(written):
        raise ValueError("a key's id is key_ and 26 letters a to z or digits 2 to 7")
    return written


def key_mac(pepper: bytes, secret: str) -> bytes:
    """What is kept of a key: 32 bytes that say nothing about it without the pepper."""
    if len(pepper) < LEAST_PEPPER:
        raise ValueError(f"the pepper must have at least {LEAST_PEPPER} bytes")
    # Not hmac.digest, which lets other threads run: getting its turn again costs each request more
    # than all the rest of knowing who asks.
    return hmac.new(pepper, b"bw/key\0" + secret.encode(), "sha256").digest()


def sets_for(asker: Asker, scope: str) -> frozenset[int]:
    """The internal keys of the sets in which the asker may do what the scope allows."""
    grant = GRANT_OF_SCOPE[scope]
    return asker.sets_with(grant) if grant is not None and asker.may(scope) else frozenset()


def scopes_of(role: str) -> frozenset[str]:
    """The scopes that a role bundles.

    Raises:
        BadInputError: There is no such role.
    """
    if role not in ROLES:
        raise _unknown("role", ROLES)
    return ROLES[role]


def checked_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Return the scopes if all are known.

    Raises:
        BadInputError: One of them is not.
    """
    return _checked(scopes, "scope", SCOPES)


def checked_grants(grants: Iterable[str]) -> frozenset[str]:
    """Return the grants if all are known.

    Raises:
        BadInputError: One of them is not.
    """
    return _checked(grants, "grant", GRANTS)


def _checked(given: Iterable[str], what: str, known: frozenset[str]) -> frozenset[str]:
    for index, one in enumerate(asked := tuple(given)):
        if one not in known:
            raise _unknown(what, known, index)
    return frozenset(asked)


def _unknown(what: str, known: Iterable[str], index: int | None = None) -> BadInputError:
    detail = f"There is no such {what}; use one of: {', '.join(sorted(known))}."
    return BadInputError([Flaw(f"unknown-{what}", detail, index)])
