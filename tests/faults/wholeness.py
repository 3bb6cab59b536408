# SPDX-License-Identifier: Apache-2.0
"""Looks through a database for half states: what a crash, a race or a restore must never leave.

It re-derives everything from the rows themselves and shares no code with what writes them, but the
two functions that define what a hash and a digest are.
"""

from collections import Counter, defaultdict
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa

from hub.domain.changes import GENESIS, Actor, Event, chained
from hub.storage import tables
from hub.storage.controls import known_totals, slot_delta
from matching.batches import words_of
from matching.digests import rows_digest
from matching.signals import INDEX, SIGNALS

GONE_STATES = {"withdrawn": "withdraw", "expired": "expire", "erased": "erase"}


def flaws(connection):
    """What is not whole, as sentences; none when all is well."""
    return [
        *_of_file(connection),
        *_of_history(connection),
        *_of_indicators(connection),
        *_of_codes(connection),
        *_of_totals(connection),
        *_of_answers(connection),
    ]


def flaws_of_file(path):
    """The same for an SQLite file that nobody has open."""
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            return flaws(connection)
    except sa.exc.DatabaseError as error:
        return [f"the file cannot be read: {error.orig}"]
    finally:
        engine.dispose()


def contents(connection):
    """Every row of every table, to see whether anything at all has changed."""
    return {
        table.name: sorted(map(repr, connection.execute(sa.select(table)).all()))
        for table in tables.metadata.sorted_tables
    }


def _of_file(connection):
    if connection.dialect.name != "sqlite":
        return
    for (word,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if word != "ok":
            yield f"integrity_check: {word}"
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"foreign_key_check: {tuple(row)}"


def _of_history(connection):
    head = connection.execute(sa.select(tables.head)).one()
    changes = connection.execute(sa.select(tables.change).order_by(tables.change.c.position)).all()
    if [row.position for row in changes] != list(range(1, head.position + 1)):
        yield "positions are not dense up to the head"
    digest = GENESIS
    for row in changes:
        actor = Actor(row.operator, row.member, row.api_key, row.request_id)
        event = Event(row.kind, row.subject, row.n, row.details)
        digest = chained(digest, row.position, row.at, actor, event)
        if digest != row.hash:
            yield f"the chain is broken at {row.position}"
            return
    if digest != head.hash:
        yield "the head's hash is not the last change's"


def _of_indicators(connection):
    versions, live = defaultdict(list), defaultdict(set)
    for row in connection.execute(sa.select(tables.version).order_by(tables.version.c.n)):
        versions[row.indicator].append(row)
    for row in connection.execute(sa.select(tables.entry).where(tables.entry.c.live)):
        live[row.indicator].add(row.set_key)
    for row in connection.execute(sa.select(tables.indicator)):
        mine = versions.pop(row.key, [])
        if [one.n for one in mine] != list(range(1, row.n + 1)):
            yield f"indicator {row.key} has the versions {[one.n for one in mine]} of {row.n}"
            continue
        last = mine[-1]
        wanted = set(last.sets) if row.state == "live" else set()
        if live[row.key] != wanted:
            yield f"indicator {row.key} is live in {live[row.key]}, not {wanted}"
        if last.label != row.label or last.kind != GONE_STATES.get(row.state, "assert"):
            yield f"indicator {row.key} and its last version differ"
        if (row.label == 0) != (not wanted):
            yield f"indicator {row.key} has the label {row.label} in {wanted}"
    if versions:
        yield f"versions of no indicator: {sorted(versions)}"
    yield from _of_versions(connection)


def _of_versions(connection):
    """Each version is one change, and each change of an indicator is one version."""
    version, change = tables.version, tables.change
    kept = Counter(map(tuple, connection.execute(sa.select(version.c.indicator, version.c.n))))
    told = Counter(
        map(
            tuple,
            connection.execute(
                sa.select(change.c.subject, change.c.n).where(change.c.kind == "indicator")
            ),
        )
    )
    if kept != told:
        yield f"versions and changes differ: {kept - told} and {told - kept}"


def _of_codes(connection):
    code, indicator = tables.code, tables.indicator
    coded = set(connection.scalars(sa.select(code.c.indicator).distinct()))
    for row in connection.execute(sa.select(indicator.c.key, indicator.c.state)):
        if (row.key in coded) == (row.state == "erased"):
            yield f"indicator {row.key} is {row.state} and has codes: {row.key in coded}"


def _of_totals(connection):
    head = connection.execute(sa.select(tables.head.c.totals)).scalar_one()
    sums = dict(_controls())
    live = connection.scalars(sa.select(tables.control.c.slot).where(tables.control.c.live))
    for slot in live.all():
        for name, delta in slot_delta(slot, True).items():  # noqa: FBT003  # a port's shape
            sums[name] = _sum(sums.get(name, (0, 0)), delta.count, delta.digest)
    code, indicator = tables.code, tables.indicator
    for row in connection.execute(
        sa.select(code, indicator.c.label)
        .join(indicator, indicator.c.key == code.c.indicator)
        .where(code.c.n_to.is_(None), indicator.c.label != 0)
    ):
        signal = SIGNALS[row.signal]
        digest = rows_digest(
            INDEX[signal.name],
            np.array([row.indicator], np.uint64),
            np.array([(row.derivation << 24) | row.label], np.uint32),
            words_of(signal, row.value),
        )
        sums[signal.name] = _sum(sums.get(signal.name, (0, 0)), 1, digest)
    kept = {name: (count, int(digest, 16)) for name, (count, digest) in head.items()}
    for name in sums.keys() | kept.keys():
        if sums.get(name, (0, 0)) != kept.get(name, (0, 0)):
            yield f"the totals of {name} are not those of its rows"


def _of_answers(connection):
    """A request's name is kept with its answer or not at all."""
    for row in connection.execute(sa.select(tables.idempotency)):
        if not 200 <= row.status < 300 or not row.answer:
            yield f"a request's name is kept without its answer: {row.key}"


@cache
def _controls():
    kept: Any = known_totals()
    return {name: (count, int(digest, 16)) for name, (count, digest) in kept.items()}


def _sum(total, count, digest):
    return total[0] + count, (total[1] + digest) % 2**64
