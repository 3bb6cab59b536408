# SPDX-License-Identifier: Apache-2.0
"""Indicators, their versions, codes and entries in SQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from hub.domain.changes import Delta
from hub.domain.indicators import ERASED, LIVE, Account, Code, Draft, Indicator, Words
from hub.domain.sharing import GONE, Party
from hub.storage import tables
from hub.storage.dialects import built, insert
from hub.storage.frames import ADD as _ADD_FRAMES, frame_counts, frames_of, frames_row
from hub.storage.sending import slices, together, write
from hub.storage.totals import difference, total, totals
from hub.storage.words import packed, unpacked
from matching.signals import VPDQ

_i, _v, _c, _e = tables.indicator, tables.version, tables.code, tables.entry

_SELECT = sa.select(_i, _v.c.words, _v.c.sets).join(
    _v, sa.and_(_v.c.indicator == _i.c.key, _v.c.n == _i.c.n)
)
_EXTERNAL = sa.select(_i.c.external_id).where(
    _i.c.operator == sa.bindparam("by"),
    _i.c.external_id.in_(sa.bindparam("names", expanding=True)),
)
_l = tables.label
_LABEL = sa.select(_l.c.label).where(_l.c.sets == sa.bindparam("of_sets"))
_ADD_LABEL = built(lambda insert: insert(_l).on_conflict_do_nothing().returning(_l.c.label))
_ADD = _i.insert().returning(_i.c.key, _i.c.id)
# Inline: nobody asks for the keys of these, so no statement waits to tell them.
_ADD_CODE, _ADD_VERSION, _ADD_ENTRY = (table.insert().inline() for table in (_c, _v, _e))


class SqlIndicators:
    """The indicators of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # -- reading ------------------------------------------------------------------------------

    def find(self, public_id: str, *, lock: bool = False) -> Indicator | None:
        """The indicator of that public id, as it stands; *lock* keeps other writers off it."""
        return self._one(_i.c.id == public_id, lock=lock)

    def find_external(self, operator: int, external_id: str) -> Indicator | None:
        """The operator's indicator of that name of its own, locked against other writers."""
        mine = sa.and_(_i.c.operator == operator, _i.c.external_id == external_id)
        return self._one(mine, lock=True)

    def known_externals(self, operator: int, names: Collection[str]) -> set[str]:
        """Which of those names of its own the operator has given already."""
        if not names:
            return set()
        found = self._connection.scalars(_EXTERNAL, {"by": operator, "names": list(names)})
        return {str(name) for name in found}

    def taken(self, public_ids: Collection[str]) -> set[str]:
        """Which of those public ids there are already."""
        found: set[str] = set()
        for some in slices(sorted(set(public_ids))):
            found.update(self._connection.scalars(sa.select(_i.c.id).where(_i.c.id.in_(some))))
        return found

    def contributed_since(self, operator: int, moment: datetime) -> list[int]:
        """The operator's contributions of a moment or later that are not known to be copies."""
        found = self._connection.scalars(
            sa.select(_i.c.key).where(
                _i.c.operator == operator, _i.c.created_at >= moment, ~_i.c.copied
            )
        )
        return list(found)

    def by_keys(self, keys: Iterable[int]) -> dict[int, Indicator]:
        """The indicators of those internal keys."""
        found: dict[int, Indicator] = {}
        for some in slices(sorted(set(keys))):
            rows = self._connection.execute(_SELECT.where(_i.c.key.in_(some)))
            found.update({row.key: _indicator(row) for row in rows})
        return found

    def of_operator(self, operator: int, *, after: int, limit: int) -> list[Indicator]:
        """The operator's indicators but the erased, oldest first, from beyond an internal key."""
        rows = self._connection.execute(
            _SELECT.where(_i.c.operator == operator, _i.c.key > after, _i.c.state != ERASED)
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

    def count_in(self, set_key: int, item_kind: str) -> int:
        """How many live indicators of a kind are in a set."""
        found = self._connection.scalar(
            sa.select(sa.func.count())
            .select_from(_e.join(_i, _i.c.key == _e.c.indicator))
            .where(_e.c.set_key == set_key, _e.c.live, _i.c.item_kind == item_kind)
        )
        return int(found or 0)

    def codes(self, keys: Iterable[int]) -> dict[int, tuple[Code, ...]]:
        """The codes that the latest versions of those indicators carry."""
        found: dict[int, list[Code]] = {}
        for some in slices(sorted(set(keys))):
            rows = self._connection.execute(
                sa.select(_c)
                .where(_c.c.indicator.in_(some), _c.c.n_to.is_(None))
                .order_by(_c.c.key)
            )
            for row in rows:
                found.setdefault(row.indicator, []).append(_code(row))
            for key, frames in frames_of(self._connection, some):
                found.setdefault(key, []).extend(frames)
        return {key: tuple(codes) for key, codes in found.items()}

    def frame_counts(self, keys: Iterable[int]) -> dict[int, int]:
        """How many frames those indicators have that are of videos."""
        found: dict[int, int] = {}
        for some in slices(sorted(set(keys))):
            found |= frame_counts(self._connection, some)
        return found

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
        named = {"of_sets": sorted(set(sets))}
        label = self._connection.scalar(_LABEL, named)
        if label is not None:
            return int(label), False
        label = self._connection.scalar(_ADD_LABEL(self._connection), {"sets": named["of_sets"]})
        if label is not None:
            return int(label), True
        # Another request was quicker, and has committed.
        return int(self._connection.scalar(_LABEL, named) or GONE), False

    def add(
        self,
        drafts: Sequence[Draft],
        *,
        public_ids: Sequence[str],
        party: Party,
        labels: Mapping[tuple[int, ...], int],
        at: datetime,
    ) -> list[tuple[Indicator, Mapping[str, Delta]]]:
        """Keep new indicators; returns each with what it does to the totals."""
        rows = [
            _new_row(draft, public_id, party, labels[draft.sets], at)
            for draft, public_id in zip(drafts, public_ids, strict=True)
        ]
        # A list of one would go the long way.
        given = rows if len(rows) > 1 else rows[0]
        keys = {row.id: row.key for row in self._connection.execute(_ADD, given)}
        added = [
            Indicator(**row, key=keys[row["id"]], sets=draft.sets, words=draft.words)
            for row, draft in zip(rows, drafts, strict=True)
        ]
        codes = [
            _code_row(one.key, code, 1)
            for one, draft in zip(added, drafts, strict=True)
            for code in draft.codes
            if code.signal != VPDQ.name
        ]
        frames = [
            row
            for one, draft in zip(added, drafts, strict=True)
            if (row := frames_row(one.key, draft.codes)) is not None
        ]
        versions = [_version_row(one, "assert", party.key, at, None) for one in added]
        entries = [_entry_row(one.key, one_set, at) for one in added for one_set in one.sets]
        with together(self._connection):
            write(self._connection, _ADD_CODE, codes)
            write(self._connection, _ADD_FRAMES, frames)
            write(self._connection, _ADD_VERSION, versions)
            write(self._connection, _ADD_ENTRY, entries)
        counted = [
            (one.key, one.label, draft.codes) for one, draft in zip(added, drafts, strict=True)
        ]
        return list(zip(added, totals(counted), strict=True))

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
        for table in (_c, tables.frames):
            self._connection.execute(table.delete().where(table.c.indicator == key))
        self._connection.execute(
            tables.sealed_account.delete().where(tables.sealed_account.c.indicator == key)
        )
        blank = packed(Words(harm=(), use="unknown", depicts="unknown", basis="self-report"))
        self._connection.execute(
            _v.update().where(_v.c.indicator == key).values(words=blank, reason=None)
        )
        self._connection.execute(_i.update().where(_i.c.key == key).values(external_id=None))

    def rename(self, key: int, public_id: str) -> None:
        """Let an indicator go by another public id from now on."""
        self._connection.execute(_i.update().where(_i.c.key == key).values(id=public_id))

    def mark_copied(self, key: int) -> None:
        """Note that its operator had seen a neighbour here before it contributed."""
        self._connection.execute(_i.update().where(_i.c.key == key).values(copied=True))

    # -- steps --------------------------------------------------------------------------------

    def _one(self, which: sa.ColumnElement[bool], *, lock: bool) -> Indicator | None:
        if lock:
            # A statement of its own: PostgreSQL would join what it waited for with the version
            # of before, and find nothing.
            self._connection.execute(sa.select(_i.c.key).where(which).with_for_update())
        row = self._connection.execute(_SELECT.where(which)).one_or_none()
        return None if row is None else _indicator(row)

    def _add_codes(self, key: int, codes: Sequence[Code], n: int) -> None:
        if codes:
            self._connection.execute(_ADD_CODE, [_code_row(key, code, n) for code in codes])

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
        self._connection.execute(_ADD_VERSION, _version_row(fresh, kind, party, at, reason))

    def _enter(self, key: int, sets: Sequence[int], at: datetime) -> None:
        self._connection.execute(
            _e.update()
            .where(_e.c.indicator == key, _e.c.set_key.not_in(sets), _e.c.live)
            .values(live=False)
        )
        for set_key in sets:
            statement = insert(self._connection, _e).values(_entry_row(key, set_key, at))
            # What comes back is a new vote: it counts from now, not from when it was first said.
            since = sa.case((_e.c.live, _e.c.since), else_=statement.excluded.since)
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["indicator", "set_key"], set_={"live": True, "since": since}
                )
            )


def _new_row(
    draft: Draft, public_id: str, party: Party, label: int, at: datetime
) -> dict[str, Any]:
    return {
        "id": public_id,
        "operator": party.operator,
        "operator_kind": party.operator_kind,
        "party": party.key,
        "item_kind": draft.item_kind,
        "external_id": draft.external_id,
        "profile": draft.profile,
        "strong": any(code.signal != "phash" for code in draft.codes),
        "created_at": at,
        "n": 1,
        "state": LIVE,
        "expires": draft.expires,
        "label": label,
        "copied": False,
    }


def _code_row(key: int, code: Code, n: int) -> dict[str, Any]:
    return {
        "indicator": key,
        "signal": code.signal,
        "value": code.value,
        "derivation": code.derivation,
        "quality": code.quality,
        "at_ms": code.at_ms,
        "n_from": n,
    }


def _version_row(
    one: Indicator, kind: str, party: int, at: datetime, reason: str | None
) -> dict[str, Any]:
    return {
        "indicator": one.key,
        "n": one.n,
        "kind": kind,
        "party": party,
        "at": at,
        "words": packed(one.words),
        "sets": list(one.sets),
        "expires": one.expires,
        "label": one.label,
        "reason": reason,
    }


def _entry_row(key: int, set_key: int, at: datetime) -> dict[str, Any]:
    return {
        "indicator": key,
        "set_key": set_key,
        "live": True,
        "since": at,
        "agree_total": 0,
        "disagree_total": 0,
    }


def _indicator(row: Row[Any]) -> Indicator:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["words"] = unpacked(values["words"])
    values["sets"] = tuple(values["sets"])
    return Indicator(**values)


def _code(row: Row[Any]) -> Code:
    return Code(row.signal, row.value, row.derivation, row.quality, row.at_ms)
