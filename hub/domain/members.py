# SPDX-License-Identifier: Apache-2.0
"""Operators, their members, keys and sets, as values; and the rules of who may grant what to whom.

What is for trying things out stays among itself: a sandbox operator's members have test keys and
see only sandbox sets, and nobody else sees those.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.domain.access import ROLES
from hub.domain.errors import ConflictError, ForbiddenError, flaw
from hub.domain.sharing import REPLICA

ACTIVE, SUSPENDED = "active", "suspended"
TLP = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
NEVER_COPIED = frozenset({"TLP:AMBER+STRICT", "TLP:RED"})
ONWARD = ("none", "set", "any")
"""To whom a receiver may pass it on: nobody, whoever is in the set, or anybody."""

LONGEST_KEY = timedelta(days=365)
MOST_LIVE_KEYS = 2
ADMIN = "admin"


@dataclass(frozen=True)
class Operator:
    """An organisation, with a DNS-style name it controls."""

    key: int
    id: str
    name: str
    kind: str
    contacts: tuple[dict[str, str], ...] = field(repr=False)
    sandbox: bool
    state: str
    created_at: datetime


@dataclass(frozen=True)
class Member:
    """A service of an operator."""

    key: int
    id: str
    operator: int
    operator_id: str
    name: str
    sandbox: bool
    state: str
    created_at: datetime


@dataclass(frozen=True)
class MemberKey:
    """A member's key as it is administered: everything but its secret."""

    key: int
    id: str
    member: int
    member_id: str
    name: str
    scopes: frozenset[str]
    sandbox: bool
    created_at: datetime
    expires: datetime
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it opens anything at that moment."""
        return self.revoked_at is None and now < self.expires


@dataclass(frozen=True)
class MemberSet:
    """A set as it is administered; ``rights`` are the asking member's, if one asks."""

    key: int
    id: str
    name: str
    tlp: str
    onward: str
    sandbox: bool
    state: str
    created_at: datetime
    rights: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grant:
    """What one member may do in one set."""

    set_key: int
    member_id: str
    rights: frozenset[str]
    changed_at: datetime


def check_power(own: frozenset[str], scopes: Iterable[str]) -> None:
    """Let nobody make, turn or end a key that can do more than their own.

    Raises:
        ForbiddenError: The key at hand has a scope that one's own has not.
    """
    if ADMIN not in own and not own.issuperset(scopes):
        raise ForbiddenError("That key can do more than yours; ask an administrator.")


def check_scopes(scopes: frozenset[str], *, sandbox: bool) -> None:
    """Refuse a key that could administer the hub to those who only try things out.

    Raises:
        BadInputError: It could.
    """
    if sandbox and ADMIN in scopes:
        raise flaw(
            "sandbox-admin", "A sandbox operator's key cannot have the scope admin.", None, "role"
        )


def check_expiry(expires: datetime | None, now: datetime) -> datetime:
    """Return when a new key expires: as asked, or as late as may be.

    Raises:
        BadInputError: It is past already, or more than 365 days away.
    """
    latest = now + LONGEST_KEY
    if expires is not None and not now < expires <= latest:
        raise flaw("key-expiry", "A key expires within 365 days from now.", None, "expires")
    return expires or latest


def check_room(live: Iterable[MemberKey]) -> None:
    """Refuse a third living key: two are for rotation, more are forgotten.

    Raises:
        ConflictError: There are two already.
    """
    if len(tuple(live)) >= MOST_LIVE_KEYS:
        raise ConflictError(
            f"The member has {MOST_LIVE_KEYS} live keys; revoke one first.", "too-many-keys"
        )


def check_grant(rights: frozenset[str], member: Member, shared: MemberSet) -> None:
    """Refuse a grant that the set's label or the sandbox forbids.

    Raises:
        BadInputError: One of them does.
    """
    if member.sandbox != shared.sandbox:
        raise flaw(
            "sandbox-mismatch", "Sandbox sets admit sandbox members only, and others none of them."
        )
    if REPLICA in rights and shared.tlp in NEVER_COPIED:
        raise flaw(
            "tlp-forbids-replica", f"A set of {shared.tlp} is never copied out: no {REPLICA}."
        )


def role_of(scopes: frozenset[str]) -> str | None:
    """The role that bundles exactly these scopes."""
    return next((name for name, bundle in ROLES.items() if bundle == scopes), None)
