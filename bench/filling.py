# SPDX-License-Identifier: Apache-2.0
"""Fill a hub's database with many contributions before the hub is started.

Through the API a million codes take the better part of ten minutes. Here one contribution of each
giver to each set goes through the hub's own unit of work; all others are copies of its rows with a
key, a public id, a code and a place in the history of their own. Positions are dense, the chain
holds, totals and digests are those of every row: what stands in SQL is what the API would have
left, and the hub's own checks say so when it loads (SQLite only).

What is left out: the checks of what somebody sends (these codes are ours), idempotency rows, and
the search for neighbours. Random codes have none within 16 bits, so the cursors of the jobs that
would look for some are set to the head.
"""

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson

from bench.codes import Bits, packed_codes
from hub.adapters import clock
from hub.adapters.secrets import load_keys
from hub.domain.changes import INDICATOR, SYSTEM, Event, chained
from hub.domain.indicators import DEFAULT_LIFE, Code, Draft, Indicator, Words
from hub.ports import Work
from hub.services.neighbours.job import CURSOR as NEIGHBOURS
from hub.services.ripening import CURSOR as RIPENING
from hub.settings import Settings
from hub.storage.columns import dumped
from hub.storage.work import DIGEST_MODULUS, SqlBegin
from hub.wiring import open_database
from matching.batches import words_of
from matching.digests import rows_digest
from matching.signals import INDEX, PDQ

AT_ONCE = 50_000
AGE = timedelta(minutes=5)
"""How long ago all of it was said: every voice counts by now, and can be seen to."""
WORDS = Words(
    harm=("solicitation",),
    use="profile-picture",
    depicts="no-person",
    basis="own-service-human",
)
DETAILS = {"what": "assert"}
_KEYED_BY = {
    "indicator": "key",
    "version": "indicator",
    "code": "indicator",
    "entry": "indicator",
    "change": "subject",
}
"""The tables that a contribution writes to, each with the column that names its indicator."""
_Made = tuple[int, bytes, Indicator]
"""A copy: its key, its code, and what it is a copy of."""


def fill(settings: Settings, codes: Bits, given: Sequence[tuple[str, str]] = ()) -> None:
    """Keep each code as an indicator of its own, in turn by each giver and in each set.

    Args:
        settings: of a hub that does not run, and whose members and sets are there.
        codes: more of them than there are pairs of a giver and a set.
        given: public ids of each giver and set, in turn; without, each member gives to each set
            but the one that came last, which gives nothing.
    """
    values = packed_codes(codes)
    pairs = _named(settings, given) if given else _pairs(settings)
    at = clock.now() - AGE
    firsts = _contributed(settings, pairs, values[: len(pairs)], at)
    with closing(sqlite3.connect(settings.database_file or ":memory:")) as sql:
        # Should the machine die meanwhile, the folder is thrown away with it.
        sql.execute("PRAGMA synchronous = OFF")
        sql.execute("PRAGMA cache_size = -400000")
        copies = _Copies(sql, firsts, at)
        for start in range(len(pairs), len(values), AT_ONCE):
            copies.add(values[start : start + AT_ONCE])
        sql.commit()
    _pass_over(settings, at)


def _pairs(settings: Settings) -> list[tuple[int, int]]:
    """Each giver with each set, by internal key."""
    with closing(sqlite3.connect(settings.database_file or ":memory:")) as sql:
        members = sql.execute("SELECT key FROM member ORDER BY key").fetchall()
        sets = sql.execute("SELECT key FROM sharing_set").fetchall()
    return [(member, into) for (member,) in members[:-1] for (into,) in sets]


def _named(settings: Settings, given: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """Givers and sets by internal key."""
    with closing(sqlite3.connect(settings.database_file or ":memory:")) as sql:
        members = dict(sql.execute("SELECT id, key FROM member").fetchall())
        sets = dict(sql.execute("SELECT id, key FROM sharing_set").fetchall())
    return [(members[member], sets[into]) for member, into in given]


def _contributed(
    settings: Settings, pairs: Iterable[tuple[int, int]], values: Iterable[bytes], at: datetime
) -> list[Indicator]:
    """One contribution of each pair, as the hub itself keeps it."""
    database = open_database(settings)
    begin = SqlBegin(database, clock=lambda: at, sealer=load_keys(settings.data).sealer)
    with closing(database), begin.writing(SYSTEM) as work:
        kept = [
            _add(member, into, value, at, work)
            for (member, into), value in zip(pairs, values, strict=True)
        ]
        work.commit()
    return kept


def _add(member: int, into: int, value: bytes, at: datetime, work: Work) -> Indicator:
    code = Code(PDQ.name, value, quality=90)
    draft = Draft("picture", (code,), WORDS, (into,), at + DEFAULT_LIFE)
    label, is_new = work.indicators.intern([into])
    party = work.directory.party_of(member)
    [(one, deltas)] = work.indicators.add(
        [draft], public_ids=[clock.new_id("ind_")], party=party, labels={(into,): label}, at=at
    )
    details = {**DETAILS, "label_sets": [into]} if is_new else DETAILS
    work.record(Event(INDICATOR, one.key, one.n, details, deltas))
    return one


def _pass_over(settings: Settings, at: datetime) -> None:
    """Let the jobs that look for neighbours begin at the head: here there are none."""
    database = open_database(settings)
    begin = SqlBegin(database, clock=lambda: at, sealer=load_keys(settings.data).sealer)
    with closing(database), begin.writing(SYSTEM) as work:
        head = work.history.head().position
        for cursor in (NEIGHBOURS, RIPENING):
            work.history.advance(cursor, expected=work.history.cursor(cursor), position=head)
        work.commit()


class _Copies:
    """Adds copies of contributions to a history, each with a key, id, code and place of its own.

    Args:
        sql: the hub's database.
        firsts: what is copied, in turn.
        at: when it was said.
    """

    def __init__(self, sql: sqlite3.Connection, firsts: Sequence[Indicator], at: datetime) -> None:
        self._sql, self._at = sql, at
        self._firsts = itertools.cycle(firsts)
        self._rows = {
            table: {one.key: _row(sql, table, by, one.key) for one in firsts}
            for table, by in _KEYED_BY.items()
        }
        self._key = max(one.key for one in firsts)
        self._head = _row(sql, "head", "id", 1)

    def add(self, values: Sequence[bytes]) -> None:
        """Add an indicator of each value."""
        keys = range(self._key + 1, self._key + 1 + len(values))
        self._key = keys[-1]
        # An endless cycle comes last, or it would lose one more than is taken.
        made = list(zip(keys, values, self._firsts, strict=False))
        changes = list(self._chained(made))
        self._copy("indicator", made, ({"key": k, "id": clock.new_id("ind_")} for k in keys))
        self._copy("version", made, ({"indicator": key} for key in keys))
        self._copy("code", made, ({"key": None, "indicator": k, "value": v} for k, v, _ in made))
        self._copy("entry", made, ({"indicator": key} for key in keys))
        self._copy("change", made, changes)
        values_of_head = {name: changes[-1][name] for name in ("position", "hash")}
        self._head.update(values_of_head)
        self._sql.execute(
            "UPDATE head SET position = :position, hash = :hash, totals = :totals", self._head
        )

    def _chained(self, made: Sequence[_Made]) -> Iterator[dict[str, Any]]:
        """The change of each, over the one before it, with the totals after it."""
        totals, last = orjson.loads(self._head["totals"]), self._head["hash"]
        count, total = totals[PDQ.name][0], int(totals[PDQ.name][1], 16)
        digests = _digests(made)
        for position, (key, _, _) in enumerate(made, self._head["position"] + 1):
            event = Event(INDICATOR, key, 1, DETAILS)
            last = chained(last, position, self._at, SYSTEM, event)
            count, total = count + 1, (total + next(digests)) % DIGEST_MODULUS
            totals[PDQ.name] = [count, f"{total:016x}"]
            yield {
                "position": position,
                "subject": key,
                "details": dumped(DETAILS),
                "totals": dumped({PDQ.name: totals[PDQ.name]}),
                "hash": last,
            }
        self._head["totals"] = dumped(totals)

    def _copy(self, table: str, made: Sequence[_Made], changed: Iterable[dict[str, Any]]) -> None:
        rows = self._rows[table]
        names = list(next(iter(rows.values())))
        places = ", ".join("?" * len(names))
        self._sql.executemany(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})",  # noqa: S608 - names of our own tables
            (
                tuple((rows[first.key] | its).values())
                for (_, _, first), its in zip(made, changed, strict=True)
            ),
        )


def _digests(made: Sequence[_Made]) -> Iterator[int]:
    """What each adds to the digest of the signal."""
    keys, values, firsts = zip(*made, strict=True)
    owners, words = np.array(keys, np.uint64), words_of(PDQ, b"".join(values))
    tags = np.array([first.label for first in firsts], np.uint32)
    for i in range(len(made)):
        one = slice(i, i + 1)
        yield rows_digest(INDEX[PDQ.name], owners[one], tags[one], words[one])


def _row(sql: sqlite3.Connection, table: str, by: str, key: int) -> dict[str, Any]:
    found = sql.execute(f"SELECT * FROM {table} WHERE {by} = ?", (key,))  # noqa: S608 - names of our own tables
    names = [column[0] for column in found.description]
    return dict(zip(names, found.fetchone(), strict=True))
