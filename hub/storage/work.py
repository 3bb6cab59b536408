# SPDX-License-Identifier: Apache-2.0
"""The unit of work: one transaction, its repositories, and the position it takes at its end.

The last three statements of every writing transaction take the position, add the changes and
chain them, with nothing between them: whoever holds the head row is the next in the history, so
positions are dense and in commit order, and a reader that asks for ``position > last`` misses
nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.domain.answers import Answer, Once, RepeatedError
from hub.domain.changes import Actor, Delta, Event, chained
from hub.domain.errors import ConflictError
from hub.ports import Clock, Sealer
from hub.storage import tables
from hub.storage.access import SqlAccess
from hub.storage.columns import millis
from hub.storage.database import Database
from hub.storage.directory import SqlDirectory
from hub.storage.exchange import SqlExchange
from hub.storage.exclusions import SqlExclusions
from hub.storage.facts import SqlFacts
from hub.storage.failures import translated
from hub.storage.history import SqlHistory
from hub.storage.indicators import SqlIndicators
from hub.storage.logs import SqlLogs
from hub.storage.manifests import SqlManifests
from hub.storage.opinions import SqlOpinions
from hub.storage.partners import SqlPartners
from hub.storage.relays import SqlRelays
from hub.storage.sending import Row, ask, together, write
from hub.storage.votes import SqlVotes

DIGEST_MODULUS = 2**64

_head, _change, _once = tables.head, tables.change, tables.idempotency
_CLAIM = """INSERT INTO idempotency (member, name, fingerprint, status, answer, created_at)
VALUES (?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING RETURNING key"""
_CLAIMED = sa.select(_once).where(
    _once.c.member == sa.bindparam("by"), _once.c.name == sa.bindparam("named")
)
_FIRST = sa.select(sa.func.min(_change.c.position)).where(
    _change.c.idempotency == sa.bindparam("claimed")
)
_ANSWERED = (
    _once.update()
    .where(_once.c.key == sa.bindparam("claimed"))
    .values(status=sa.bindparam("told"), answer=sa.bindparam("sealed"))
)
_TAKE = "UPDATE head SET position = position + ? RETURNING position, hash, totals"
_ADD_CHANGE = _change.insert().inline()
_CHAIN = _head.update().values(hash=sa.bindparam("chained"), totals=sa.bindparam("counted"))


class SqlBegin:
    """Opens units of work on a database."""

    def __init__(self, database: Database, *, clock: Clock, sealer: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self.announce: Callable[[], None] = _nobody
        """Called after each commit that took a position."""

    @contextmanager
    def reading(self) -> Iterator["SqlWork"]:
        """A unit of work that sees one moment of the history and changes nothing."""
        with translated(), self._database.reader.connect() as connection:
            if not self._database.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin() as transaction:
                yield SqlWork(connection, clock=self._clock, sealer=self._sealer)
                transaction.rollback()

    @contextmanager
    def writing(self, actor: Actor, once: Once | None = None) -> Iterator["SqlWork"]:
        """A unit of work that writes; what is not committed is rolled back.

        Raises:
            RepeatedError: *once* was carried out before.
            ConflictError: The name of *once* was used for another request.
            BusyError: Another writer held the database for more than five seconds.
            UnavailableError: The database is away; nobody knows whether it committed.
        """
        with translated(), self._database.writer.connect() as connection, connection.begin():
            work = SqlWork(
                connection, clock=self._clock, sealer=self._sealer, actor=actor, once=once
            )
            work.claim()
            yield work
            if not work.committed and connection.in_transaction():
                connection.get_transaction().rollback()  # type: ignore[union-attr]  # begun above
        if work.committed and work.events:
            self.announce()


class SqlWork:
    """One transaction and what can be done in it."""

    def __init__(
        self,
        connection: Connection,
        *,
        clock: Clock,
        sealer: Sealer,
        actor: Actor | None = None,
        once: Once | None = None,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._sealer = sealer
        self._actor = _known_by(actor or Actor(), once)
        self._once = once
        self._once_key: int | None = None
        self.events: list[Event] = []
        self.committed = False
        """Whether ``commit`` went through."""
        self.access = SqlAccess(connection)
        self.indicators = SqlIndicators(connection)
        self.opinions = SqlOpinions(connection)
        self.exclusions = SqlExclusions(connection)
        self.votes = SqlVotes(connection)
        self.facts = SqlFacts(connection)
        self.history = SqlHistory(connection)
        self.directory = SqlDirectory(connection)
        self.partners = SqlPartners(connection)
        self.exchange = SqlExchange(connection)
        self.logs = SqlLogs(connection)
        self.manifests = SqlManifests(connection)
        self.relays = SqlRelays(connection)

    def claim(self) -> None:
        """Take the request's name before anything else, so that its twin waits here."""
        if self._once is None:
            return
        values = (
            self._once.member, self._once.name, self._once.fingerprint, b"", millis(self._clock()),
        )  # fmt: skip
        # Together with the transaction's own beginning.
        with together(self._connection):
            claimed = ask(self._connection, _CLAIM, values)
        row = claimed()
        self._once_key = int(row[0]) if row else None
        if self._once_key is None and (answer := self.told(self._once)) is not None:
            raise RepeatedError(answer)

    def record(self, event: Event) -> int:
        """Add a change to this transaction; returns its offset from the first one."""
        self.events.append(event)
        return len(self.events) - 1

    def commit(self, answer: Answer | None = None) -> Answer | None:
        """Keep the answer, take the positions, commit; returns the answer with its positions."""
        take = (len(self.events),)
        with together(self._connection):
            self._keep(answer)
            taken = ask(self._connection, _TAKE, take) if self.events else _nothing
        row = taken()
        first = int(row[0]) - len(self.events) + 1 if row else 0
        chain = self._chained(first, bytes(row[1]), orjson.loads(row[2])) if row else None
        # What is left travels together: others wait for the head from here to the commit.
        with together(self._connection):
            if chain is not None:
                self._add_changes(*chain)
            self._end()
        self.committed = True
        return answer.placed(first) if answer is not None else None

    def _keep(self, answer: Answer | None) -> None:
        if answer is None or self._once_key is None:
            return
        sealed = self._sealed(answer, self._once_key)
        kept = {"claimed": self._once_key, "told": answer.status, "sealed": sealed}
        self._connection.execute(_ANSWERED, kept)

    def _add_changes(
        self, rows: list[dict[str, Any]], digest: bytes, totals: dict[str, Any]
    ) -> None:
        write(self._connection, _ADD_CHANGE, rows)
        self._connection.execute(_CHAIN, {"chained": digest, "counted": totals})

    def _end(self) -> None:
        transaction = self._connection.get_transaction()
        assert transaction is not None  # noqa: S101 - writing() began it
        try:
            transaction.commit()
        except BaseException:
            # SQLAlchemy would keep the connection, its transaction open and the lock with it.
            self._connection.invalidate()
            raise

    def _chained(
        self, first: int, digest: bytes, totals: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], bytes, dict[str, Any]]:
        at = self._clock()
        rows = []
        for position, event in enumerate(self.events, first):
            digest = chained(digest, position, at, self._actor, event)
            touched = {s: _added(totals.get(s), d) for s, d in event.deltas.items()}
            totals = {**totals, **touched}
            rows.append(
                {
                    "position": position,
                    "at": at,
                    "kind": event.kind,
                    "subject": event.subject,
                    "n": event.n,
                    "operator": self._actor.operator,
                    "member": self._actor.member,
                    "api_key": self._actor.key,
                    "request_id": self._actor.request_id,
                    "idempotency": self._once_key,
                    "details": dict(event.details),
                    "totals": touched,
                    "hash": digest,
                }
            )
        return rows, digest, totals

    def told(self, once: Once) -> Answer | None:
        """What a request was answered when it was carried out; None if it never was.

        Raises:
            ConflictError: Its name was used for another request.
        """
        asked = {"by": once.member, "named": once.name}
        row = self._connection.execute(_CLAIMED, asked).one_or_none()
        if row is None:
            return None
        if row.fingerprint != once.fingerprint:
            raise ConflictError(
                "This Idempotency-Key was used for another request; take a new one.",
                "idempotency-key-reused",
            )
        first = self._connection.scalar(_FIRST, {"claimed": row.key})
        body = orjson.loads(self._sealer.open(row.answer, _bound(row.key)))
        return Answer(row.status, body).placed(first or 0)

    def _sealed(self, answer: Answer, key: int) -> bytes:
        return self._sealer.seal(orjson.dumps(answer.body), _bound(key))


def _nothing() -> Row | None:
    """What a transaction without changes takes."""
    return None


def _nobody() -> None:
    """Nobody waits for commits, as in commands and tests."""


def _known_by(actor: Actor, once: Once | None) -> Actor:
    """The actor with the request it came by."""
    return actor if once is None else replace(actor, request_id=once.request_id)


def _bound(key: int) -> bytes:
    return b"idempotency:%d" % key


def _added(total: list[Any] | None, delta: Delta) -> list[Any]:
    count, digest = (total[0], int(total[1], 16)) if total else (0, 0)
    return [count + delta.count, f"{(digest + delta.digest) % DIGEST_MODULUS:016x}"]
