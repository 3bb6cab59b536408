# SPDX-License-Identifier: Apache-2.0
"""Registers, and the operations in them, in SQL."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from federation.operations.envelopes import Sealed
from federation.operations.values import Register
from hub.domain.indicators import LIVE
from hub.ports.exchange import Kept, Statement, Told
from hub.storage import tables
from hub.storage.sending import slices, write

_r, _o, _leaf, _i = tables.register, tables.operation, tables.log_leaf, tables.indicator
_proof = tables.inclusion
_twin = tables.operation.alias("twin")
_KEPT = (
    sa.select(_r, _o.c.id.label("operation_id"), _twin.c.id.label("twin_id"))
    .outerjoin(_o, _o.c.key == _r.c.operation)
    .outerjoin(_twin, _twin.c.key == _r.c.other)
)
# Where an operation is in its origin's log, whoever brought it.
_PLACE = sa.func.coalesce(_proof.c.at_index, _o.c.at_index)
_ADD = _r.insert().inline()
_ADD_OPERATION = _o.insert().returning(_o.c.key, _o.c.id)
_CHANGE = (
    _r.update()
    .where(_r.c.key == sa.bindparam("at"))
    .values({name: sa.bindparam(f"to_{name}") for name in (
        "epoch", "n", "keep", "operation", "other", "indicator", "said"
    )})
)  # fmt: skip


def _is_of(partner: int, name: str) -> sa.ColumnElement[bool]:
    """Whether an operation is a partner's own: it came from there, or is proven to be in its log.

    What has a proof says whose it is; what a partner passes on always has one.
    """
    return sa.func.coalesce(_proof.c.source == name, _o.c.partner == partner)


class SqlExchange:
    """What was said between hubs, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def registers(self, names: Iterable[Register]) -> dict[Register, Kept]:
        """Those that are kept, locked against other writers."""
        wanted = set(names)
        found: dict[Register, Kept] = {}
        kinds = sorted({one.kind for one in wanted})
        for some in slices(sorted({one.target for one in wanted})):
            # The kinds too: the index begins with them.
            named = sa.and_(_r.c.kind.in_(kinds), _r.c.target.in_(some))
            statement = _KEPT.where(named).with_for_update(of=_r)
            for row in self._connection.execute(statement):
                kept = _kept(row)
                if kept.register in wanted:
                    found[kept.register] = kept
        return found

    def of_earlier_epochs(self, origin: str, epoch: int, now: int, limit: int) -> list[Kept]:
        """Registers to be written in an epoch, all but policies."""
        rows = self._connection.execute(
            _KEPT.where(
                _r.c.origin == origin,
                _r.c.kind != "policy",
                _r.c.epoch < epoch,
                _r.c.keep > now,
                _o.c.payload.is_not(None),
            )
            .order_by(_r.c.key)
            .limit(limit)
        )
        return [_kept(row) for row in rows]

    def told_by(
        self, partner: int, name: str, *, start: int, after: int, limit: int
    ) -> list[Told]:
        """Operations of a partner's own, by internal key from *after* on."""
        rows = self._connection.execute(
            sa.select(_o, _PLACE.label("place"))
            .outerjoin(_proof, _proof.c.operation == _o.c.key)
            .where(
                _o.c.key > after,
                _is_of(partner, name),
                start <= _PLACE,
                _o.c.payload.is_not(None),
            )
            .order_by(_o.c.key)
            .limit(limit)
        )
        return [
            Told(row.key, row.place, Sealed(row.payload, row.key_id, row.signature))
            for row in rows
        ]

    def about(self, public_ids: Collection[str], kinds: Collection[str]) -> list[Kept]:
        """All registers of some kinds that are about some indicators, whoever wrote them."""
        found: list[Kept] = []
        for some in slices(sorted(set(public_ids))):
            rows = self._connection.execute(
                _KEPT.where(_r.c.about.in_(some), _r.c.kind.in_(kinds)).order_by(_r.c.key)
            )
            found.extend(map(_kept, rows))
        return found

    def foreign(self, after: int, limit: int) -> list[Kept]:
        """Registers of indicators that others write, beyond one, in the order of internal keys."""
        rows = self._connection.execute(
            _KEPT.where(_r.c.key > after, _r.c.kind == "indicator", _r.c.said.is_(None))
            .order_by(_r.c.key)
            .limit(limit)
        )
        return [_kept(row) for row in rows]

    def of_indicator(self, key: int) -> Kept | None:
        """The register of an indicator, from which it came or in which it was said; or None."""
        row = self._connection.execute(
            _KEPT.where(_r.c.indicator == key, _r.c.kind == "indicator")
            .order_by(_r.c.key)
            .limit(1)
        ).one_or_none()
        return None if row is None else _kept(row)

    def sealed(self, operations: Iterable[int]) -> dict[int, Sealed]:
        """The signed bytes of operations, by internal key; what was purged is missing."""
        found: dict[int, Sealed] = {}
        for some in slices(sorted(set(operations))):
            rows = self._connection.execute(
                sa.select(_o).where(_o.c.key.in_(some), _o.c.payload.is_not(None))
            )
            found |= {row.key: Sealed(row.payload, row.key_id, row.signature) for row in rows}
        return found

    def keep(self, registers: Sequence[Kept]) -> None:
        """Add registers, or change them."""
        known = [one for one in registers if one.key]
        if known:
            self._connection.execute(_CHANGE, [_change(one) for one in known])
        write(self._connection, _ADD, [_row(one) for one in registers if not one.key])

    def add(self, statements: Sequence[Statement]) -> dict[bytes, int]:
        """Keep operations, no two alike; returns their internal keys by their ids."""
        if not statements:
            return {}
        rows = self._connection.execute(_ADD_OPERATION, [_operation(one) for one in statements])
        return {row.id: row.key for row in rows}

    def drop(self, operations: Iterable[int]) -> None:
        """Forget operations that nothing needs any more and that are in no log of ours."""
        for some in slices(sorted(set(operations))):
            logged = sa.select(_leaf.c.operation).where(_leaf.c.operation.in_(some))
            self._connection.execute(
                _o.delete().where(_o.c.key.in_(some), _o.c.key.not_in(logged))
            )
            # A key may be given again: what proves an operation goes with it.
            is_there = sa.exists().where(_o.c.key == _proof.c.operation)
            self._connection.execute(
                _proof.delete().where(_proof.c.operation.in_(some), ~is_there)
            )

    def void(self, partner: int, name: str, cuts: Mapping[str, int]) -> list[Kept]:
        """Registers in which something holds that a partner's key signed after it was stolen."""
        stolen = (
            sa.select(_o.c.key)
            .outerjoin(_proof, _proof.c.operation == _o.c.key)
            .where(
                _is_of(partner, name),
                sa.or_(
                    *(sa.and_(_o.c.key_id == key, first <= _PLACE) for key, first in cuts.items())
                ),
            )
        )
        holds = sa.or_(_r.c.operation.in_(stolen), _r.c.other.in_(stolen))
        rows = self._connection.execute(_KEPT.where(holds).order_by(_r.c.key))
        return [_kept(row) for row in rows]

    def let_go(self, registers: Sequence[Kept]) -> None:
        """Forget registers, and what was said in them unless it is in a log of ours."""
        for some in slices([one.key for one in registers]):
            self._connection.execute(_r.delete().where(_r.c.key.in_(some)))
        self.drop(
            key for one in registers for key in (one.operation, one.other) if key is not None
        )

    def purge(self, register: Register) -> int:
        """Erase what was said in a register of an indicator; its place in logs stays."""
        is_sqlite = self._connection.dialect.name == "sqlite"
        said = {
            "op": b'"op":"assert"',
            # Whoever else used the id said something of their own.
            "author": b'"author":"%b"' % register.author.encode(),
            "target": b'"target":"%b"' % register.target.encode(),
        }
        holds = (
            f"instr(payload, :{name}) > 0" if is_sqlite else f"position(:{name} in payload) > 0"
            for name in said
        )
        found = sa.and_(
            *(
                sa.text(one).bindparams(**{name: said[name]})
                for one, name in zip(holds, said, strict=True)
            )
        )
        there = sa.and_(_o.c.said_in == _number(register), _o.c.payload.is_not(None))
        emptied = _o.update().where(there, found).values(payload=None)
        return self._connection.execute(emptied).rowcount

    def forget(self, now: int, *, own: int, limit: int) -> int:
        """Forget registers that nobody needs any more; what is in our own log is emptied."""
        is_live = sa.exists().where(_i.c.key == _r.c.indicator, _i.c.state == LIVE)
        due = sa.case((_o.c.partner.is_(None), own), else_=now)
        rows = self._connection.execute(
            sa.select(_r.c.key, _r.c.operation, _r.c.other)
            .outerjoin(_o, _o.c.key == _r.c.operation)
            .where(_r.c.keep <= max(now, own), _r.c.keep <= due, ~is_live)
            .order_by(_r.c.keep, _r.c.key)
            .limit(limit)
            .with_for_update(of=_r)
        ).all()
        if rows:
            self._connection.execute(_r.delete().where(_r.c.key.in_([row.key for row in rows])))
            said = {key for row in rows for key in (row.operation, row.other) if key is not None}
            self.drop(said)
            self._empty(own)
        return len(rows)

    def _empty(self, before: int) -> None:
        """Leave of what is in our log, and over, its id only: also of the versions before it."""
        self._connection.execute(
            _o.update()
            .where(
                _o.c.partner.is_(None),
                _o.c.keep <= before,
                _o.c.payload.is_not(None),
            )
            .values(payload=None)
        )


def _number(register: Register) -> int:
    """A number that hardly two registers have."""
    name = f"{register.origin} {register.author} {register.kind} {register.target}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _row(one: Kept) -> dict[str, Any]:
    name = one.register
    return {
        "origin": name.origin,
        "author": name.author,
        "kind": name.kind,
        "target": name.target,
        "about": one.about,
        **_values(one),
    }


def _values(one: Kept) -> dict[str, Any]:
    epoch, n = one.version
    return {
        "epoch": epoch,
        "n": n,
        "keep": one.keep,
        "operation": one.operation,
        "other": one.other,
        "indicator": one.indicator,
        "said": one.said,
    }


def _change(one: Kept) -> dict[str, Any]:
    return {"at": one.key, **{f"to_{name}": value for name, value in _values(one).items()}}


def _operation(one: Statement) -> dict[str, Any]:
    epoch, n = one.version
    return {
        "id": one.id,
        "epoch": epoch,
        "n": n,
        "keep": one.keep,
        "payload": one.sealed.payload,
        "key_id": one.sealed.key_id,
        "signature": one.sealed.signature,
        "partner": one.partner,
        "at_index": one.index,
        "said_in": _number(one.register),
    }


def _kept(row: Row[Any]) -> Kept:
    return Kept(
        key=row.key,
        register=Register(row.origin, row.author, row.kind, row.target),
        about=row.about,
        version=(row.epoch, row.n),
        keep=row.keep,
        ids=tuple(one for one in (row.operation_id, row.twin_id) if one is not None),
        operation=row.operation,
        other=row.other,
        indicator=row.indicator,
        said=row.said,
    )
