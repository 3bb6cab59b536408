# SPDX-License-Identifier: Apache-2.0
"""Who there is, read whole: keys, grants, sets and labels for a worker's memory; and parties."""

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.domain.sharing import FIRST_LABEL, Asker, Key, Known, Party, SharingSet, Speaker
from hub.storage import tables
from hub.storage.dialects import built

_o, _m, _k, _s, _g = (
    tables.operator,
    tables.member,
    tables.api_key,
    tables.sharing_set,
    tables.set_grant,
)
_p = tables.party
_PARTY = (
    sa.select(_p.c.key, _p.c.operator, _o.c.kind)
    .join(_o, _o.c.key == _p.c.operator)
    .where(_p.c.member == sa.bindparam("of_member"))
)
_OPERATOR = sa.select(_m.c.operator).where(_m.c.key == sa.bindparam("of_member"))
_ADD_PARTY = built(lambda insert: insert(_p).on_conflict_do_nothing())


class SqlDirectory:
    """The directory of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self) -> Known:
        """Read all of it: some thousand rows at most."""
        return Known(self._keys(), self._sets(), self.labels())

    def labels(self) -> dict[int, frozenset[int]]:
        """Each label with the internal keys of its sets."""
        table = tables.label
        rows = self._connection.execute(sa.select(table).where(table.c.label >= FIRST_LABEL))
        return {row.label: frozenset(row.sets) for row in rows}

    def party_of(self, member: int) -> Party:
        """The party by which a local member contributes, made at its first word."""
        asked = {"of_member": member}
        found = self._connection.execute(_PARTY, asked).one_or_none()
        if found is None:
            operator = self._connection.scalar(_OPERATOR, asked)
            values = {"operator": operator, "member": member, "state": "good"}
            # Another of its requests may make it at the same moment: then that one is the party.
            self._connection.execute(_ADD_PARTY(self._connection), values)
            found = self._connection.execute(_PARTY, asked).one()
        return Party(found.key, found.operator, found.kind)

    def author_of(self, hub: str, author: str, *, operator: int, kind: str, state: str) -> Party:
        """The party of a remote author, made at its first word."""
        mine = sa.and_(_p.c.hub == hub, _p.c.author == author)
        select = (
            sa.select(_p.c.key, _p.c.operator, _o.c.kind)
            .join(_o, _o.c.key == _p.c.operator)
            .where(mine)
        )
        found = self._connection.execute(select).one_or_none()
        if found is None:
            values = {"operator": operator, "state": state}
            self._connection.execute(
                _ADD_PARTY(self._connection), {**values, "hub": hub, "author": author}
            )
            found = self._connection.execute(select).one()
        return Party(found.key, found.operator, kind)

    def speakers(self, parties: Iterable[int]) -> dict[int, Speaker]:
        """Who speaks by those parties."""
        rows = self._connection.execute(
            sa.select(
                _p.c.key, _p.c.operator, _p.c.hub, _p.c.author, _o.c.id.label("operator_id"),
                _o.c.name, _o.c.kind, _m.c.id.label("member_id"),
            )
            .join(_o, _o.c.key == _p.c.operator)
            .outerjoin(_m, _m.c.key == _p.c.member)
            .where(_p.c.key.in_(set(parties)))
        )  # fmt: skip
        return {
            row.key: Speaker(
                row.operator, row.operator_id, row.name, row.kind,
                row.member_id, row.hub, row.author,
            )
            for row in rows
        }  # fmt: skip

    def mouths(self, operators: Collection[str]) -> list[tuple[str, str | None]]:
        """Through which hubs operators of those names spoke; None: one has a member here."""
        if not operators:
            return []
        named = _o.c.name.in_(list(operators))
        abroad = sa.select(_o.c.name, _p.c.hub).join(_p, _p.c.operator == _o.c.key)
        here = sa.select(_o.c.name, sa.null().label("hub")).join(_m, _m.c.operator == _o.c.key)
        rows = self._connection.execute(sa.union(abroad.where(named), here.where(named)))
        return [(row.name, row.hub) for row in rows]

    def operator_ids(self, keys: set[int]) -> dict[int, str]:
        """Public ids of operators by internal key."""
        rows = self._connection.execute(sa.select(_o.c.key, _o.c.id).where(_o.c.key.in_(keys)))
        return {row.key: row.id for row in rows}

    def _keys(self) -> dict[str, Key]:
        grants = self._grants()
        rows = self._connection.execute(
            sa.select(
                _k, _m.c.id.label("member_id"), _o.c.key.label("operator"),
                _o.c.kind.label("operator_kind"), _o.c.sandbox, _p.c.key.label("party"),
            )
            .join(_m, _m.c.key == _k.c.member)
            .join(_o, _o.c.key == _m.c.operator)
            .outerjoin(_p, _p.c.member == _m.c.key)
            .where(_k.c.revoked_at.is_(None), _m.c.state == "active", _o.c.state == "active")
        )  # fmt: skip
        return {row.id: _key(row, grants.get(row.member, {})) for row in rows}

    def _grants(self) -> dict[int, dict[int, frozenset[str]]]:
        rows = self._connection.execute(
            sa.select(_g).join(_s, _s.c.key == _g.c.set_key).where(_s.c.state == "active")
        )
        found: dict[int, dict[int, frozenset[str]]] = {}
        for row in rows:
            found.setdefault(row.member, {})[row.set_key] = frozenset(row.rights)
        return found

    def _sets(self) -> dict[str, SharingSet]:
        rows = self._connection.execute(sa.select(_s).where(_s.c.state == "active"))
        return {
            row.id: SharingSet(row.key, row.id, row.name, row.tlp, row.sandbox, row.onward)
            for row in rows
        }


def _key(row: Any, grants: dict[int, frozenset[str]]) -> Key:
    asker = Asker(
        key=row.key,
        member=row.member,
        member_id=row.member_id,
        operator=row.operator,
        operator_kind=row.operator_kind,
        sandbox=row.sandbox,
        scopes=frozenset(row.scopes),
        grants=grants,
        party=Party(row.party, row.operator, row.operator_kind) if row.party else None,
    )
    return Key(row.mac, row.expires, asker)
