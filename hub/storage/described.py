# SPDX-License-Identifier: Apache-2.0
"""Describing entries: ONE statement joins each link to its voter's live version, party and expiry.

So a loss (withdrawal, expiry, quarantine) counts at once and rewrites nothing. The lookup's hot
path
runs the statement on the driver itself, prepared once a connection; a unit of work runs the same
text
on its own connection.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy.engine import Connection, Engine

from hub.domain.entries import Described
from hub.domain.errors import UnavailableError
from hub.domain.indicators import EXPIRED, LIVE, MATCH
from hub.domain.standing import Entry, Vote, says_alike
from hub.domain.votes import Said, heard
from hub.storage.columns import moment

VOTE_DELAY = timedelta(seconds=3)
"""A vote counts this long after it was said: by then every hit that would make it a copy is
flushed."""

_COLUMNS = """
SELECT e.indicator, e.set_key, e.live, e.since, e.agree_total, e.disagree_total,
       i.id, i.operator, i.operator_kind, i.item_kind, i.strong, i.copied, i.expires, i.state, i.n,
       i.label, v.words, p.state,
       EXISTS (SELECT 1 FROM appeal a WHERE a.indicator = e.indicator
               AND (a.closed_at IS NULL OR a.upheld)),
       l.side, l.operator, l.voter,
       vi.operator_kind, vi.copied, vi.expires, vi.state, vi.item_kind, vv.words,
       ve.live, ve.since, vp.state,
       o.operator_kind, o.stance, o.reason, o.basis, o.assessed_by, o.at, o.live, op.state,
       x.operator_kind, x.reason, x.at, x.expires, o.indicator
FROM entry e
JOIN indicator i ON i.key = e.indicator
JOIN version v ON v.indicator = i.key AND v.n = i.n
JOIN party p ON p.key = i.party
LEFT JOIN link l ON l.indicator = e.indicator AND l.set_key = e.set_key
LEFT JOIN indicator vi ON vi.key = l.voter
LEFT JOIN version vv ON vv.indicator = vi.key AND vv.n = vi.n
LEFT JOIN entry ve ON ve.indicator = l.voter AND ve.set_key = l.set_key
LEFT JOIN party vp ON vp.key = vi.party
LEFT JOIN opinion o ON o.key = l.opinion
LEFT JOIN exclusion x ON x.key = l.exclusion
LEFT JOIN party op ON op.key = COALESCE(o.party, x.party)
"""
_SQLITE = f"""{_COLUMNS}
WHERE e.indicator IN (SELECT value FROM json_each(?))
  AND e.set_key IN (SELECT value FROM json_each(?))
ORDER BY e.indicator, e.set_key, l.key"""  # noqa: S608 - constant text, values are bound
_POSTGRESQL = f"""{_COLUMNS}
WHERE e.indicator = ANY(%s) AND e.set_key = ANY(%s)
ORDER BY e.indicator, e.set_key, l.key"""

Run = Callable[[str, Sequence[Any]], Iterable[Sequence[Any]]]


def described(connection: Connection, keys: Iterable[int], sets: Iterable[int]) -> list[Described]:
    """Describe entries inside a unit of work, tombstones included; one row an entry."""
    is_sqlite = connection.dialect.name == "sqlite"

    def run(text: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        return connection.exec_driver_sql(text, tuple(values)).fetchall()

    return _described(run, list(keys), list(sets), is_sqlite=is_sqlite)


class SqlDescriber:
    """The lookup's describing statement, one connection a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._local = threading.local()

    def described(self, keys: Iterable[int], sets: Iterable[int]) -> list[Described]:
        """Describe the live entries of those indicators in those sets."""
        try:
            found = _described(self._run, list(keys), list(sets), is_sqlite=self._is_sqlite)
        except Exception as error:
            # A broken connection must not stay with the thread; the next call opens a new one.
            self.close()
            raise UnavailableError("The database does not answer.") from error
        return [entry for entry in found if not entry.entry.withdrawn]

    def close(self) -> None:
        """Close this thread's connection; the next call opens a new one."""
        kept = getattr(self._local, "connection", None)
        self._local.connection = None
        if kept is not None:
            kept.close()

    def _run(self, text: str, values: Sequence[Any]) -> Iterable[Sequence[Any]]:
        connection = self._connection()
        how = {} if self._is_sqlite else {"prepare": True}
        rows: list[Sequence[Any]] = connection.execute(text, values, **how).fetchall()
        return rows

    def _connection(self) -> Any:
        kept: Any = getattr(self._local, "connection", None)
        if kept is None:
            pooled = self._engine.raw_connection()
            kept = pooled.driver_connection
            # One statement is one transaction here; the connection never goes back to the pool.
            pooled.detach()
            if not self._is_sqlite:
                kept.autocommit = True
            self._local.connection = kept
        return kept


def _described(run: Run, keys: list[int], sets: list[int], *, is_sqlite: bool) -> list[Described]:
    if not keys or not sets:
        return []
    if is_sqlite:
        rows = run(_SQLITE, (orjson.dumps(keys).decode(), orjson.dumps(sets).decode()))
    else:
        rows = run(_POSTGRESQL, (keys, sets))
    grouped: dict[tuple[int, int], list[Sequence[Any]]] = {}
    for row in rows:
        grouped.setdefault((row[0], row[1]), []).append(row)
    read = _Read()
    return [_entry(group, read) for group in grouped.values()]


class _Read(dict[str, dict[str, Any]]):
    """Words by their text: hundreds of entries say the same few, which are read but once."""

    def __missing__(self, text: str) -> dict[str, Any]:
        words: dict[str, Any] = orjson.loads(text)
        self[text] = words
        return words


def _entry(rows: list[Sequence[Any]], read: _Read) -> Described:
    (
        indicator, set_key, live, since, agree_total, disagree_total,
        public_id, operator, operator_kind, item_kind, strong, copied, expires, state, n,
        label, words_text, party_state, appealed,
    ) = rows[0][:19]  # fmt: skip
    words = read[words_text]
    entry = Entry(
        operator=operator,
        operator_kind=operator_kind,
        item_kind=item_kind,
        basis=words.get("basis", ""),
        assessed_by=words.get("assessed_by", 0),
        list_name=words.get("list_name"),
        # The word of a stale or quarantined partner counts as little as a copy.
        copied=bool(copied) or party_state != "good",
        counts_from=moment(since) + VOTE_DELAY,
        expires=moment(expires),
        # What a quarantined partner said is told to nobody, until somebody lifts that.
        withdrawn=not live or state not in (LIVE, EXPIRED) or party_state == "quarantined",
        strong=bool(strong),
        open_appeal=bool(appealed),
        agree_total=agree_total,
        disagree_total=disagree_total,
        only_review=words.get("act", MATCH) != MATCH,
    )
    harm = words.get("harm", ())
    # An entry without links has one row, with nothing in its right half.
    linked = (row for row in rows if row[19] is not None)
    said = [Said(_vote(row[19:-1], harm, read), row[-1], row[19]) for row in linked]
    return Described(
        indicator=indicator,
        indicator_id=public_id,
        set_key=set_key,
        n=n,
        operator=operator,
        item_kind=item_kind,
        label=label,
        words=words,
        entry=entry,
        votes=heard(said, indicator),
    )


def _vote(row: Sequence[Any], harm: Sequence[str], read: _Read) -> Vote:
    _side, operator, voter = row[:3]
    if voter is not None:
        return _contribution(operator, row[3:12], harm, read)
    if row[13] is not None:
        return _opinion(operator, row[12:20])
    return _exclusion(operator, row[19:])


def _contribution(operator: int, row: Sequence[Any], harm: Sequence[str], read: _Read) -> Vote:
    kind, copied, expires, state, _item_kind, words_text, live, since, party_state = row
    words = read[words_text]
    is_live = bool(live) and state == LIVE and party_state == "good"
    # What may only be looked at itself lends no other entry its voice.
    is_live = is_live and words.get("act", MATCH) == MATCH
    return Vote(
        operator=operator,
        operator_kind=kind,
        stance="agree",
        source="contribution",
        basis=words.get("basis", ""),
        assessed_by=words.get("assessed_by", 0),
        list_name=words.get("list_name"),
        reason=None,
        copied=bool(copied),
        counts_from=moment(since) + VOTE_DELAY,
        expires=moment(expires),
        # It may have been linked when it still spoke of the same.
        live=is_live and says_alike(words.get("harm", ()), harm),
    )


def _opinion(operator: int, row: Sequence[Any]) -> Vote:
    kind, stance, reason, basis, assessed_by, at, live, party_state = row
    return Vote(
        operator=operator,
        operator_kind=kind,
        stance=stance,
        source="opinion",
        basis=basis or "",
        assessed_by=assessed_by,
        list_name=None,
        reason=reason,
        copied=False,
        counts_from=moment(at) + VOTE_DELAY,
        expires=None,
        live=bool(live) and party_state == "good",
    )


def _exclusion(operator: int, row: Sequence[Any]) -> Vote:
    party_state, kind, reason, at, expires = row
    return Vote(
        operator=operator,
        operator_kind=kind,
        stance="disagree",
        source="opinion",
        basis="",
        assessed_by=0,
        list_name=None,
        reason=reason,
        copied=False,
        counts_from=moment(at) + VOTE_DELAY,
        expires=moment(expires),
        live=party_state == "good",
    )
