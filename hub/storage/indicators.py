# SPDX-License-Identifier: Apache-2.0
"""Indicators, their versions, codes and entries in SQL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from hub.domain.changes import Delta
from hub.domain.indicators import LIVE, Account, Code, Draft, Indicator, Words
from hub.domain.sharing import GONE, Party
from hub.storage import tables
from hub.storage.dialects import insert
from hub.storage.totals import difference, total
from hub.storage.words import packed, unpacked

_i, _v, _c, _e = tables.indicator, tables.version, tables.code, tables.entry

_SELECT = sa.select(_i, _v.c.words, _v.c.sets).join(
    _v, sa.and_(_v.c.indicator == _i.c.key, _v.c.n == _i.c.n)
)


class SqlIndicators:
    """The indicators of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # -- reading ------------------------------------------------------------------------------

    def find(self, public_id: str, *, lock: bool = False) -> Indicator | None:
        """The indicator of that public id, as it stands; *lock* keeps other writers off it."""
        return self._one(_SELECT.where(_i.c.id == public_id), lock=lock)

    def find_external(self, operator: int, external_id: str) -> Indicator | None:
        """The operator's indicator of that name of its own, locked against other writers."""
        return self._one(
            _SELECT.where(_i.c.operator == operator, _i.c.external_id == external_id), lock=True
        )

    def by_keys(self, keys: Iterable[int]) -> dict[int, Indicator]:
        """The indicators of those internal keys."""
        found: dict[int, Indicator] = {}
        for some in _slices(sorted(set(keys))):
            rows = self._connection.execute(_SELECT.where(_i.c.key.in_(some)))
            found.update({row.key: _indicator(row) for row in rows})
        return found

    def of_operator(self, operator: int, *, after: int, limit: int) -> list[Indicator]:
        """The operator's indicators, oldest first, from beyond an internal key."""
        rows = self._connection.execute(
            _SELECT.where(_i.c.operator == operator, _i.c.key > after)
            .order_by(_i.c.key)
            .limit(limit)
        )
        return [_indicator(row) for row in rows]

    def keys_in_set(self, set_key: int, *, after: int, limit: int) -> list[int]:
        """Internal keys of the live entries of a set beyond one, in order."""
        rows = self._connection.scalars(
            sa.select(_e.c.indicator)
            .where(_e.c.set_key == set_key, _e.c.live, _e.c.indicator > after)
            .order_by(_e.c.indicator)
            .limit(limit)
        )
        return list(rows)

    def codes(self, keys: Iterable[int]) -> dict[int, tuple[Code, ...]]:
        """The codes that the latest versions of those indicators carry."""
        found: dict[int, list[Code]] = {}
        for some in _slices(sorted(set(keys))):
            rows = self._connection.execute(
                sa.select(_c)
                .where(_c.c.indicator.in_(some), _c.c.n_to.is_(None))
                .order_by(_c.c.key)
            )
            for row in rows:
                found.setdefault(row.indicator, []).append(_code(row))
        return {key: tuple(codes) for key, codes in found.items()}

    def versions(self, key: int) -> list[Row[Any]]:
        """Every version of an indicator, oldest first, as rows of the version table."""
        rows = self._connection.execute(
            sa.select(_v).where(_v.c.indicator == key).order_by(_v.c.n)
        )
        return list(rows)

    def sealed_account(self, key: int) -> Row[Any] | None:
        """The sealed account of an account indicator, or None once it was erased."""
        table = tables.sealed_account
        return self._connection.execute(
            sa.select(table).where(table.c.indicator == key)
        ).one_or_none()

    def due(self, now: datetime, limit: int) -> list[str]:
        """Public ids of live indicators whose time is over."""
        rows = self._connection.scalars(
            sa.select(_i.c.id).where(_i.c.state == LIVE, _i.c.expires <= now).limit(limit)
        )
        return list(rows)

    # -- writing ------------------------------------------------------------------------------

    def intern(self, sets: Sequence[int]) -> tuple[int, bool]:
        """The label of a combination of sets, and whether this transaction is its first use."""
        if not sets:
            return GONE, False
        table = tables.label
        named = sorted(set(sets))
        label = self._connection.scalar(
            insert(self._connection, table)
            .values(sets=named)
            .on_conflict_do_nothing()
            .returning(table.c.label)
        )
        if label is not None:
            return label, True
        found = self._connection.scalar(sa.select(table.c.label).where(table.c.sets == named))
        return int(found or GONE), False

    def add(
        self, draft: Draft, *, public_id: str, party: Party, label: int, at: datetime
    ) -> tuple[Indicator, Mapping[str, Delta]]:
        """Keep a new indicator; returns it with what it does to the totals."""
        strong = any(code.signal != "phash" for code in draft.codes)
        values = {
            "id": public_id,
            "operator": party.operator,
            "operator_kind": party.operator_kind,
            "party": party.key,
            "item_kind": draft.item_kind,
            "external_id": draft.external_id,
            "profile": draft.profile,
            "strong": strong,
            "created_at": at,
            "n": 1,
            "state": LIVE,
            "expires": draft.expires,
            "label": label,
            "copied": False,
        }
        key = self._connection.scalar(_i.insert().values(values).returning(_i.c.key))
        indicator = Indicator(**{**values, "key": key, "sets": draft.sets, "words": draft.words})
        self._add_codes(indicator.key, draft.codes, n=1)
        self._add_version(indicator, "assert", party.key, at, None)
        self._enter(indicator.key, draft.sets, at)
        return indicator, total(indicator.key, label, draft.codes)

    def keep_account(self, key: int, account: Account, sealed: bytes) -> None:
        """Keep the sealed value of an account indicator."""
        self._connection.execute(
            tables.sealed_account.insert().values(
                indicator=key, kind=account.kind, subject=account.subject, sealed=sealed
            )
        )

    def revise(
        self,
        known: Indicator,
        *,
        words: Words,
        sets: tuple[int, ...],
        expires: datetime,
        label: int,
        party: int,
        at: datetime,
        derived: Sequence[Code] | None = None,
    ) -> tuple[Indicator, Mapping[str, Delta]]:
        """Add a version; *derived* replaces the derived codes, None leaves them."""
        codes = self.codes([known.key]).get(known.key, ())
        before = total(known.key, known.label, codes)
        after_codes = codes
        fresh = replace(
            known, n=known.n + 1, words=words, sets=sets, expires=expires, label=label, state=LIVE
        )
        if derived is not None:
            self._drop_derived(known.key, fresh.n)
            self._add_codes(known.key, derived, n=fresh.n)
            after_codes = tuple(code for code in codes if not code.derivation) + tuple(derived)
        self._advance(fresh, "assert", party, at, None)
        self._enter(known.key, sets, at)
        return fresh, difference(before, total(known.key, label, after_codes))

    def end(
        self,
        known: Indicator,
        *,
        kind: str,
        state: str,
        at: datetime,
        party: int | None = None,
        reason: str | None = None,
    ) -> tuple[Indicator, Mapping[str, Delta]]:
        """Add the version by which an indicator says nothing more; its words stay behind."""
        before = total(known.key, known.label, self.codes([known.key]).get(known.key, ()))
        gone = replace(known, n=known.n + 1, label=GONE, state=state)
        self._advance(gone, kind, known.party if party is None else party, at, reason)
        self._connection.execute(_e.update().where(_e.c.indicator == known.key).values(live=False))
        return gone, difference(before, {})

    def purge(self, key: int) -> None:
        """Delete every code and value of an indicator; its versions keep only their place."""
        self._connection.execute(_c.delete().where(_c.c.indicator == key))
        self._connection.execute(
            tables.sealed_account.delete().where(tables.sealed_account.c.indicator == key)
        )
        blank = packed(Words(harm=(), use="unknown", depicts="unknown", basis="self-report"))
        self._connection.execute(
            _v.update().where(_v.c.indicator == key).values(words=blank, reason=None)
        )
        self._connection.execute(_i.update().where(_i.c.key == key).values(external_id=None))

    def mark_copied(self, key: int) -> None:
        """Note that its operator had seen a neighbour here before it contributed."""
        self._connection.execute(_i.update().where(_i.c.key == key).values(copied=True))

    # -- steps --------------------------------------------------------------------------------

    def _one(self, select: sa.Select[Any], *, lock: bool) -> Indicator | None:
        if lock:
            select = select.with_for_update(of=_i)
        row = self._connection.execute(select).one_or_none()
        return None if row is None else _indicator(row)

    def _add_codes(self, key: int, codes: Sequence[Code], n: int) -> None:
        rows = [
            {
                "indicator": key,
                "signal": code.signal,
                "value": code.value,
                "derivation": code.derivation,
                "quality": code.quality,
                "at_ms": code.at_ms,
                "n_from": n,
            }
            for code in codes
        ]
        if rows:
            self._connection.execute(_c.insert(), rows)

    def _drop_derived(self, key: int, n: int) -> None:
        self._connection.execute(
            _c.update()
            .where(_c.c.indicator == key, _c.c.derivation != 0, _c.c.n_to.is_(None))
            .values(n_to=n)
        )

    def _advance(
        self, fresh: Indicator, kind: str, party: int, at: datetime, reason: str | None
    ) -> None:
        self._connection.execute(
            _i.update()
            .where(_i.c.key == fresh.key)
            .values(n=fresh.n, state=fresh.state, expires=fresh.expires, label=fresh.label)
        )
        self._add_version(fresh, kind, party, at, reason)

    def _add_version(
        self, fresh: Indicator, kind: str, party: int, at: datetime, reason: str | None
    ) -> None:
        self._connection.execute(
            _v.insert().values(
                indicator=fresh.key,
                n=fresh.n,
                kind=kind,
                party=party,
                at=at,
                words=packed(fresh.words),
                sets=list(fresh.sets),
                expires=fresh.expires,
                label=fresh.label,
                reason=reason,
            )
        )

    def _enter(self, key: int, sets: Sequence[int], at: datetime) -> None:
        self._connection.execute(
            _e.update()
            .where(_e.c.indicator == key, _e.c.set_key.not_in(sets), _e.c.live)
            .values(live=False)
        )
        for set_key in sets:
            statement = insert(self._connection, _e).values(
                indicator=key,
                set_key=set_key,
                live=True,
                since=at,
                agree_total=0,
                disagree_total=0,
            )
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["indicator", "set_key"], set_={"live": True}
                )
            )


def _indicator(row: Row[Any]) -> Indicator:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["words"] = unpacked(values["words"])
    values["sets"] = tuple(values["sets"])
    return Indicator(**values)


def _code(row: Row[Any]) -> Code:
    return Code(row.signal, row.value, row.derivation, row.quality, row.at_ms)


def _slices(keys: list[int], size: int = 5000) -> Iterable[list[int]]:
    # SQLite takes 32,766 bound values a statement.
    return (keys[start : start + size] for start in range(0, len(keys), size))
