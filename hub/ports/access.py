# SPDX-License-Identifier: Apache-2.0
"""What a unit of work can do with operators, members, keys, sets and grants.

Lists come in the order of internal keys, beyond *after*, at most *limit* of them. What adds
returns None where the name is taken.
"""

from datetime import datetime
from typing import Any, Protocol

from hub.domain.members import Grant, Member, MemberKey, MemberSet, Operator


class Access(Protocol):
    """Operators, members, keys, sets and grants."""

    # -- operators and members

    def add_operator(self, **values: Any) -> Operator | None:
        """Keep a new operator; None when its name is taken."""
        ...

    def operator(self, public_id: str) -> Operator | None:
        """The operator of that public id."""
        ...

    def operator_named(self, name: str) -> Operator | None:
        """The operator of that name, which is the same in every hub."""
        ...

    def operators(self, *, after: int, limit: int) -> list[Operator]:
        """All operators."""
        ...

    def change_operator(self, key: int, **values: Any) -> None:
        """Change an operator's contacts or state."""
        ...

    def add_member(self, **values: Any) -> Member:
        """Keep a new member."""
        ...

    def member(self, public_id: str, *, lock: bool = False) -> Member | None:
        """The member of that public id; *lock* keeps other writers off it."""
        ...

    def members(self, *, after: int, limit: int, operator: int | None = None) -> list[Member]:
        """All members, or those of one operator."""
        ...

    def change_member(self, key: int, **values: Any) -> None:
        """Change a member's state."""
        ...

    # -- keys

    def add_key(self, **values: Any) -> MemberKey:
        """Keep a new key, by the MAC of its secret."""
        ...

    def key(self, public_id: str) -> MemberKey | None:
        """The key of that public id."""
        ...

    def keys(self, *, after: int, limit: int, member: int) -> list[MemberKey]:
        """A member's keys, the dead ones too."""
        ...

    def live_keys(self, member: int, now: datetime) -> list[MemberKey]:
        """A member's keys that open something now."""
        ...

    def revoke_key(self, key: int, at: datetime) -> None:
        """End a key."""
        ...

    def lock_admins(self) -> None:
        """Keep other writers off every key that can administer the hub."""
        ...

    def count_admins(self, now: datetime) -> int:
        """How many living keys of active members can administer the hub."""
        ...

    # -- sets and grants

    def add_set(self, **values: Any) -> MemberSet | None:
        """Keep a new set; None when its name is taken."""
        ...

    def set(self, public_id: str, *, member: int | None = None) -> MemberSet | None:
        """The set of that public id, with the rights of *member* in it."""
        ...

    def sets(
        self, *, after: int, limit: int, member: int | None, granted: bool
    ) -> list[MemberSet]:
        """All sets with the rights of *member*; *granted*: only those where it has a grant."""
        ...

    def grants(self, set_key: int) -> list[Grant]:
        """Every grant in a set, oldest member first."""
        ...

    def put_grant(self, set_key: int, member: int, rights: frozenset[str], at: datetime) -> None:
        """Give a member exactly these rights in a set."""
        ...

    def drop_grant(self, set_key: int, member: int) -> bool:
        """Take a member's grant in a set away; False when it had none."""
        ...
