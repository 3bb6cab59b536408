# SPDX-License-Identifier: Apache-2.0
"""Operators, members, keys, sets and grants in SQL, as they are administered.

What a worker needs of them to answer lookups is read whole by ``hub.storage.directory``.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from hub.domain.members import ACTIVE, ADMIN, Grant, Member, MemberKey, MemberSet, Operator
from hub.storage import tables
from hub.storage.dialects import insert

_o, _m, _k, _s, _g = (
    tables.operator,
    tables.member,
    tables.api_key,
    tables.sharing_set,
    tables.set_grant,
)

_MEMBERS = sa.select(_m, _o.c.id.label("operator_id"), _o.c.sandbox).join(
    _o, _o.c.key == _m.c.operator
)
_KEYS = (
    sa.select(_k, _m.c.id.label("member_id"), _o.c.sandbox)
    .join(_m, _m.c.key == _k.c.member)
    .join(_o, _o.c.key == _m.c.operator)
)
# The scopes are a JSON list of words, so the quoted word stands in its text or does not.
_IS_ADMIN = sa.type_coerce(_k.c.scopes, sa.Text).like(f'%"{ADMIN}"%')


class SqlAccess:
    """Who may do what, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # -- operators and members -----------------------------------------------------------------

    def add_operator(self, **values: Any) -> Operator | None:
        """Keep a new operator; None when its name is taken."""
        row = self._inserted(_o, **values)
        return None if row is None else _operator(row)

    def operator(self, public_id: str) -> Operator | None:
        """The operator of that public id."""
        row = self._one(sa.select(_o).where(_o.c.id == public_id))
        return None if row is None else _operator(row)

    def operator_named(self, name: str) -> Operator | None:
        """The operator of that name, which is the same in every hub."""
        row = self._one(sa.select(_o).where(_o.c.name == name))
        return None if row is None else _operator(row)

    def operators(self, *, after: int, limit: int) -> list[Operator]:
        """All operators."""
        return [_operator(row) for row in self._page(sa.select(_o), _o, after, limit)]

    def change_operator(self, key: int, **values: Any) -> None:
        """Change an operator's contacts or state."""
        self._connection.execute(_o.update().where(_o.c.key == key).values(values))

    def add_member(self, **values: Any) -> Member:
        """Keep a new member."""
        key = self._connection.scalar(_m.insert().values(values).returning(_m.c.key))
        return _member(self._connection.execute(_MEMBERS.where(_m.c.key == key)).one())

    def member(self, public_id: str, *, lock: bool = False) -> Member | None:
        """The member of that public id; *lock* keeps other writers off it."""
        query = _MEMBERS.where(_m.c.id == public_id)
        if lock:
            # Not FOR UPDATE: that would wait for every row that refers to the member.
            query = query.with_for_update(key_share=True, of=_m)
        row = self._one(query)
        return None if row is None else _member(row)

    def members(self, *, after: int, limit: int, operator: int | None = None) -> list[Member]:
        """All members, or those of one operator."""
        query = _MEMBERS if operator is None else _MEMBERS.where(_m.c.operator == operator)
        return [_member(row) for row in self._page(query, _m, after, limit)]

    def change_member(self, key: int, **values: Any) -> None:
        """Change a member's state."""
        self._connection.execute(_m.update().where(_m.c.key == key).values(values))

    # -- keys ----------------------------------------------------------------------------------

    def add_key(self, **values: Any) -> MemberKey:
        """Keep a new key, by the MAC of its secret."""
        values["scopes"] = sorted(values["scopes"])
        key = self._connection.scalar(_k.insert().values(values).returning(_k.c.key))
        return _key(self._connection.execute(_KEYS.where(_k.c.key == key)).one())

    def key(self, public_id: str) -> MemberKey | None:
        """The key of that public id."""
        row = self._one(_KEYS.where(_k.c.id == public_id))
        return None if row is None else _key(row)

    def keys(self, *, after: int, limit: int, member: int) -> list[MemberKey]:
        """A member's keys, the dead ones too."""
        query = _KEYS.where(_k.c.member == member)
        return [_key(row) for row in self._page(query, _k, after, limit)]

    def live_keys(self, member: int, now: datetime) -> list[MemberKey]:
        """A member's keys that open something now."""
        query = _KEYS.where(_k.c.member == member, *_alive(now)).order_by(_k.c.key)
        return [_key(row) for row in self._connection.execute(query)]

    def revoke_key(self, key: int, at: datetime) -> None:
        """End a key."""
        self._connection.execute(_k.update().where(_k.c.key == key).values(revoked_at=at))

    def lock_admins(self) -> None:
        """Keep other writers off every key that can administer the hub."""
        query = sa.select(_k.c.key).where(_IS_ADMIN, _k.c.revoked_at.is_(None))
        self._connection.execute(query.order_by(_k.c.key).with_for_update(key_share=True)).all()

    def count_admins(self, now: datetime) -> int:
        """How many living keys of active members can administer the hub."""
        living = (
            sa.select(sa.func.count())
            .select_from(_k)
            .join(_m, _m.c.key == _k.c.member)
            .join(_o, _o.c.key == _m.c.operator)
            .where(_IS_ADMIN, *_alive(now), _m.c.state == ACTIVE, _o.c.state == ACTIVE)
        )
        return int(self._connection.scalar(living) or 0)

    # -- sets and grants -----------------------------------------------------------------------

    def add_set(self, **values: Any) -> MemberSet | None:
        """Keep a new set; None when its name is taken."""
        row = self._inserted(_s, **values)
        return None if row is None else _set(row, ())

    def set(self, public_id: str, *, member: int | None = None) -> MemberSet | None:
        """The set of that public id, with the rights of *member* in it."""
        row = self._one(_sets(member, outer=True).where(_s.c.id == public_id))
        return None if row is None else _set(row, row.rights or ())

    def sets(
        self, *, after: int, limit: int, member: int | None, granted: bool
    ) -> list[MemberSet]:
        """All sets with the rights of *member*; *granted*: only those where it has a grant."""
        rows = self._page(_sets(member, outer=not granted), _s, after, limit)
        return [_set(row, row.rights or ()) for row in rows]

    def grants(self, set_key: int) -> list[Grant]:
        """Every grant in a set, oldest member first."""
        query = (
            sa.select(_g, _m.c.id.label("member_id"))
            .join(_m, _m.c.key == _g.c.member)
            .where(_g.c.set_key == set_key)
            .order_by(_m.c.key)
        )
        return [
            Grant(row.set_key, row.member_id, frozenset(row.rights), row.changed_at)
            for row in self._connection.execute(query)
        ]

    def put_grant(self, set_key: int, member: int, rights: frozenset[str], at: datetime) -> None:
        """Give a member exactly these rights in a set."""
        told = {"rights": sorted(rights), "changed_at": at}
        self._connection.execute(
            insert(self._connection, _g)
            .values(set_key=set_key, member=member, **told)
            .on_conflict_do_update(index_elements=["set_key", "member"], set_=told)
        )

    def drop_grant(self, set_key: int, member: int) -> bool:
        """Take a member's grant in a set away; False when it had none."""
        mine = sa.and_(_g.c.set_key == set_key, _g.c.member == member)
        return self._connection.execute(_g.delete().where(mine)).rowcount > 0

    # -- statements ----------------------------------------------------------------------------

    def _inserted(self, table: sa.Table, **values: Any) -> Row[Any] | None:
        """The new row; None where the name is taken, also by a writer of the same moment."""
        statement = insert(self._connection, table).values(values)
        return self._connection.execute(
            statement.on_conflict_do_nothing(index_elements=["name"]).returning(table)
        ).one_or_none()

    def _one(self, query: sa.Select[Any]) -> Row[Any] | None:
        return self._connection.execute(query).one_or_none()

    def _page(
        self, query: sa.Select[Any], table: sa.Table, after: int, limit: int
    ) -> list[Row[Any]]:
        paged = query.where(table.c.key > after).order_by(table.c.key).limit(limit)
        return list(self._connection.execute(paged))


def _alive(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (_k.c.revoked_at.is_(None), _k.c.expires > now)


def _sets(member: int | None, *, outer: bool) -> sa.Select[Any]:
    mine = sa.and_(_g.c.set_key == _s.c.key, _g.c.member == (member or 0))
    return sa.select(_s, _g.c.rights).join(_g, mine, isouter=outer)


def _operator(row: Row[Any]) -> Operator:
    return Operator(
        key=row.key,
        id=row.id,
        name=row.name,
        kind=row.kind,
        contacts=tuple(row.contacts),
        sandbox=row.sandbox,
        state=row.state,
        created_at=row.created_at,
    )


def _member(row: Row[Any]) -> Member:
    return Member(
        key=row.key,
        id=row.id,
        operator=row.operator,
        operator_id=row.operator_id,
        name=row.name,
        sandbox=row.sandbox,
        state=row.state,
        created_at=row.created_at,
    )


def _key(row: Row[Any]) -> MemberKey:
    return MemberKey(
        key=row.key,
        id=row.id,
        member=row.member,
        member_id=row.member_id,
        name=row.name,
        scopes=frozenset(row.scopes),
        sandbox=row.sandbox,
        created_at=row.created_at,
        expires=row.expires,
        revoked_at=row.revoked_at,
    )


def _set(row: Row[Any], rights: Any) -> MemberSet:
    return MemberSet(
        key=row.key,
        id=row.id,
        name=row.name,
        tlp=row.tlp,
        onward=row.onward,
        sandbox=row.sandbox,
        state=row.state,
        created_at=row.created_at,
        rights=frozenset(rights),
    )
