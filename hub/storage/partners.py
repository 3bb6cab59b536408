# SPDX-License-Identifier: Apache-2.0
"""Other hubs, and what is believed of them, in SQL."""

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from federation.believing import Head
from federation.errors import RefusedError
from federation.log.merkle import Frontier
from federation.trust import Trust
from federation.witnessing import Seen
from hub.domain.errors import ConflictError
from hub.domain.indicators import LIVE
from hub.domain.pace import DAY, USUAL_DAYS, Pace
from hub.ports.exchange import ACTIVE, Enrolled
from hub.storage import tables
from hub.storage.columns import dumped
from hub.storage.dialects import insert

_p, _ps, _s, _b, _v = (
    tables.partner,
    tables.partner_set,
    tables.sharing_set,
    tables.backfill,
    tables.evidence,
)
_w, _pace = tables.witnessed, tables.partner_pace
ENOUGH = 100_000
"""Indicators beyond which it is of no matter how many a partner has."""
MOST_EVIDENCE = 100
"""Of one partner and kind; the last of them is written over."""
MOST_PROOF = 4_194_304
"""Bytes of proof of one partner and kind, from which on the last is written over too."""


class SqlPartners:
    """The partners of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[Enrolled]:
        """Everybody who was paired, by name."""
        return self._read(~_p.c.relayed)

    def known(self) -> list[Enrolled]:
        """The same, and whoever is known by manifests only."""
        return self._read(sa.true())

    def named(self, hub: str) -> Enrolled | None:
        """The partner of that name."""
        return next(iter(self._read(sa.and_(_p.c.hub == hub, ~_p.c.relayed))), None)

    def heard_of(self, hub: str) -> Enrolled | None:
        """The partner of that name, or the hub that is known by a manifest only."""
        return next(iter(self._read(_p.c.hub == hub)), None)

    def keyed(self, key: int, *, lock: bool = False) -> Enrolled | None:
        """The hub of that internal key; *lock*: nobody else changes it meanwhile."""
        if lock:
            self._connection.execute(sa.select(_p.c.key).where(_p.c.key == key).with_for_update())
        return next(iter(self._read(_p.c.key == key)), None)

    def hear(self, key: int, told: Mapping[str, str]) -> None:
        """Note by which manifests both hubs went while all of a partner's log was read."""
        for name, operation in told.items():
            named = sa.select(_s.c.key).where(_s.c.id == name).scalar_subquery()
            self._connection.execute(
                _ps.update()
                .where(_ps.c.partner == key, _ps.c.set_key == named)
                .values(told=operation)
            )

    def unhear(self, keys: Collection[int]) -> None:
        """Note that of none of some partners: what they passed on is to be read once more."""
        self._connection.execute(
            _ps.update().where(_ps.c.partner.in_(keys), _ps.c.told.is_not(None)).values(told=None)
        )

    def meet(self, hub: str, root: str, *, level: int, at: datetime) -> None:
        """Keep a hub that a manifest names, if nobody of that name is known."""
        values = _new(hub=hub, base="", root=root, operators=(), level=level, at=at)
        values["relayed"] = True
        statement = insert(self._connection, _p).values(values)
        self._connection.execute(statement.on_conflict_do_nothing())

    def add(
        self,
        *,
        hub: str,
        base: str,
        root: str,
        operators: Collection[str],
        level: int,
        at: datetime,
    ) -> int:
        """Enrol a hub; returns its internal key.

        One that was known by a manifest is one's own partner now, and nothing that was believed of
        it in between is: what people told each other comes first.
        """
        values = _new(hub=hub, base=base, root=root, operators=operators, level=level, at=at)
        statement = insert(self._connection, _p).values(values)
        enrolled = statement.on_conflict_do_update(
            index_elements=["hub"], set_=values | {"via": None, "identity": None},
            where=_p.c.relayed,
        )  # fmt: skip
        key = self._connection.scalar(enrolled.returning(_p.c.key))
        if key is None:
            raise ConflictError(f"{hub} is a partner already.")
        return int(key)

    def change(self, key: int, **values: object) -> None:
        """Set columns of a partner."""
        self._connection.execute(_p.update().where(_p.c.key == key).values(values))

    def keep(self, key: int, *, expected: int, trust: Trust) -> bool:
        """Keep what is believed of its log, if nothing was applied since *expected*."""
        kept = self._connection.execute(
            _p.update().where(_p.c.key == key, _p.c.applied == expected).values(_believed(trust))
        )
        return kept.rowcount == 1

    def share(self, key: int, set_key: int) -> None:
        """Share a set with a partner; what is in it is to be published."""
        pair = {"partner": key, "set_key": set_key, "heard": False}
        self._connection.execute(
            insert(self._connection, _ps).values(pair).on_conflict_do_nothing()
        )
        # From the start once more: what came while it was shared with nobody was never said.
        self.say_again(set_key)

    def unshare(self, key: int, set_key: int) -> bool:
        """Share it no more; whether it was."""
        gone = self._connection.execute(
            _ps.delete().where(_ps.c.partner == key, _ps.c.set_key == set_key)
        )
        return gone.rowcount == 1

    def say_again(self, set_key: int) -> None:
        """Hold everything in a set against what was said of it, once more."""
        begun = {"after": 0, "done": False}
        self._connection.execute(
            insert(self._connection, _b)
            .values(set_key=set_key, **begun)
            .on_conflict_do_update(index_elements=["set_key"], set_=begun)
        )

    def heard(self, key: int, sets: Collection[str]) -> None:
        """Note which of the sets that are shared with a partner it shares with us."""
        named = sa.select(_s.c.key).where(_s.c.id.in_(list(sets)))
        self._connection.execute(
            _ps.update().where(_ps.c.partner == key).values(heard=_ps.c.set_key.in_(named))
        )

    def shared_sets(self) -> dict[int, str]:
        """Internal keys and public ids of all sets that are shared with anybody."""
        rows = self._connection.execute(
            sa.select(_s.c.key, _s.c.id).where(_s.c.key.in_(sa.select(_ps.c.set_key)))
        )
        return {row.key: row.id for row in rows}

    def backfills(self) -> list[tuple[int, int]]:
        """Sets of which not everything was published yet, each with how far it is."""
        rows = self._connection.execute(sa.select(_b).where(~_b.c.done).order_by(_b.c.set_key))
        return [(row.set_key, row.after) for row in rows]

    def backfilled(self, set_key: int, *, expected: int, after: int | None) -> bool:
        """Note how far a set is published; None: all of it. False: somebody was quicker."""
        values = {"done": True} if after is None else {"after": after}
        moved = self._connection.execute(
            _b.update().where(_b.c.set_key == set_key, _b.c.after == expected).values(values)
        )
        return moved.rowcount == 1

    def mark(self, hub: str, state: str) -> int:
        """Set the state of all parties that speak through a hub; returns how many changed."""
        party = tables.party
        marked = self._connection.execute(
            party.update().where(party.c.hub == hub, party.c.state != state).values(state=state)
        )
        return marked.rowcount

    # -- pace ---------------------------------------------------------------------------------

    def pace(self, key: int, now: datetime) -> Pace:
        """What a partner did of late."""
        hour = _hour(now)
        rows = self._connection.execute(
            sa.select(_pace).where(
                _pace.c.partner == key, _pace.c.hour > hour - 24 * (USUAL_DAYS + 1)
            )
        ).all()
        today = [row for row in rows if row.hour > hour - 24]
        enrolled = self._connection.execute(
            sa.select(_p.c.created_at).where(_p.c.key == key)
        ).one()
        is_known = now - enrolled.created_at >= DAY * (USUAL_DAYS + 1)
        days = [0] * USUAL_DAYS if is_known else []
        for row in rows if is_known else ():
            if row.hour <= hour - 24:
                days[(hour - 24 - row.hour) // 24] += row.added
        return Pace(
            revoked=sum(row.revoked for row in today),
            added=sum(row.added for row in today),
            before=days,
        )

    def paced(self, key: int, now: datetime, *, added: int, revoked: int) -> None:
        """Count what a partner did just now."""
        values = {"partner": key, "hour": _hour(now), "added": added, "revoked": revoked}
        statement = insert(self._connection, _pace).values(values)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["partner", "hour"],
                set_={"added": _pace.c.added + added, "revoked": _pace.c.revoked + revoked},
            )
        )

    def live(self, hub: str) -> int:
        """How many live indicators of a hub's authors there are, counted as far as it matters."""
        party, indicator = tables.party, tables.indicator
        some = (
            sa.select(indicator.c.key)
            # By operator, of which there is an index.
            .join(party, party.c.operator == indicator.c.operator)
            .where(party.c.hub == hub, indicator.c.party == party.c.key, indicator.c.state == LIVE)
            .limit(ENOUGH)
        )
        counted = sa.select(sa.func.count()).select_from(some.subquery())
        return int(self._connection.scalar(counted) or 0)

    # -- witnessing ---------------------------------------------------------------------------

    def witnessed(self, origin: str) -> Seen | None:
        """What was cosigned last of a log; None: nothing."""
        row = self._connection.execute(sa.select(_w).where(_w.c.origin == origin)).one_or_none()
        return None if row is None else Seen(row.origin, row.size, row.root_hash, row.note)

    def witness(self, expected: Seen, seen: Seen) -> bool:
        """Keep what was cosigned, if what was before is as expected; whether it is kept."""
        values = {"size": seen.size, "root_hash": seen.root, "note": seen.note}
        if not expected.note:
            statement = insert(self._connection, _w).values(origin=seen.origin, **values)
            added = statement.on_conflict_do_nothing().returning(_w.c.origin)
            return self._connection.scalar(added) is not None
        kept = self._connection.execute(
            _w.update()
            .where(
                _w.c.origin == seen.origin,
                _w.c.size == expected.size,
                _w.c.root_hash == expected.root,
            )
            .values(values)
        )
        return kept.rowcount == 1

    # -- evidence -----------------------------------------------------------------------------

    def accuse(self, key: int | None, error: RefusedError, at: datetime) -> None:
        """Keep evidence: the first of a kind and the latest, never more than so many."""
        mine = sa.and_(_v.c.partner.is_not_distinct_from(key), _v.c.alarm == error.alarm.value)
        proof = [base64.b64encode(one).decode() for one in error.evidence]
        values = {
            "what": str(error),
            "digest": hashlib.sha256(dumped([str(error), proof]).encode()).digest(),
            "size": sum(map(len, error.evidence)),
            "proof": proof,
            "at": at,
        }
        # The proofs themselves may be megabytes, and are not asked for.
        last = self._connection.execute(
            sa.select(_v.c.key, _v.c.digest, _v.c.size).where(mine).order_by(_v.c.key.desc())
        ).all()
        is_full = len(last) >= MOST_EVIDENCE or sum(one.size for one in last) >= MOST_PROOF
        again = next(
            (one for one in last if one.digest == values["digest"]), last[0] if is_full else None
        )
        if again is None:
            told = {"partner": key, "alarm": error.alarm.value, "count": 1}
            self._connection.execute(_v.insert().values(values | told))
            return
        # What is said again, or once too often, is counted.
        self._connection.execute(
            _v.update().where(_v.c.key == again.key).values(**values, count=_v.c.count + 1)
        )

    def evidence(self, key: int | None) -> list[dict[str, object]]:
        """What is kept against a partner, oldest first."""
        rows = self._connection.execute(
            sa.select(_v).where(_v.c.partner.is_not_distinct_from(key)).order_by(_v.c.key)
        )
        return [
            {
                "alarm": row.alarm,
                "what": row.what,
                "at": row.at,
                "count": row.count,
                "proof": [base64.b64decode(one) for one in row.proof],
            }
            for row in rows
        ]

    # -- steps --------------------------------------------------------------------------------

    def _read(self, which: sa.ColumnElement[bool]) -> list[Enrolled]:
        rows = self._connection.execute(sa.select(_p).where(which).order_by(_p.c.hub)).all()
        sets = self._sets([row.key for row in rows])
        return [_enrolled(row, sets.get(row.key, [])) for row in rows]

    def _sets(self, keys: list[int]) -> dict[int, list[Any]]:
        rows = self._connection.execute(
            sa.select(_ps.c.partner, _ps.c.heard, _ps.c.told, _s.c.id, _s.c.key)
            .join(_s, _s.c.key == _ps.c.set_key)
            .where(_ps.c.partner.in_(keys), _s.c.state == "active")
        )
        found: dict[int, list[Any]] = {}
        for row in rows:
            found.setdefault(row.partner, []).append(row)
        return found


def _new(
    *, hub: str, base: str, root: str, operators: Collection[str], level: int, at: datetime
) -> dict[str, Any]:
    """The columns of a hub of which nothing is believed yet."""
    return {
        "hub": hub,
        "base": base,
        "root": root,
        "operators": sorted(operators),
        "level": level,
        "state": ACTIVE,
        "created_at": at,
        **_believed(Trust()),
        "revoked_to": 0,
        "refused": 0,
        "relayed": False,
    }


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // 3600


def _believed(trust: Trust) -> dict[str, Any]:
    head = trust.head
    return {
        "note": None if head is None else head.note,
        "size": 0 if head is None else head.size,
        "root_hash": None if head is None else head.root,
        "alive_at": 0 if head is None else head.alive_at,
        "witnessed_at": None if head is None else head.witnessed_at,
        "frontier": trust.frontier.encoded(),
        "applied": trust.applied,
    }


def _enrolled(row: Row[Any], sets: Sequence[Any]) -> Enrolled:
    head = None
    if row.note is not None:
        head = Head(row.size, row.root_hash, row.note, row.alive_at, row.witnessed_at)
    return Enrolled(
        key=row.key,
        hub=row.hub,
        base=row.base,
        root=row.root,
        operators=frozenset(row.operators),
        level=row.level,
        state=row.state,
        sets={one.id: one.key for one in sets},
        heard=frozenset(one.id for one in sets if one.heard),
        identity=row.identity,
        trust=Trust(head, Frontier.parse(row.frontier)),
        revoked_to=row.revoked_to,
        refused=row.refused,
        released_until=row.released_until,
        reached_at=row.reached_at,
        error=row.error,
        created_at=row.created_at,
        told={one.id: one.told for one in sets if one.told is not None},
        relayed=row.relayed,
        via=row.via,
    )
