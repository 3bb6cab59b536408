# SPDX-License-Identifier: Apache-2.0
"""What must be true of a hub whatever was done to it, each worked out anew from its rows."""

from collections import defaultdict
from typing import Any

import numpy as np
import sqlalchemy as sa

from hub.domain.changes import GENESIS, Actor, Event, chained
from hub.storage import tables
from hub.storage.controls import slot_chunk
from matching.batches import words_of
from matching.controls import control_chunks
from matching.digests import rows_digest
from matching.engine import Engine
from matching.ports import Chunk, Total
from matching.signals import INDEX, ORDER, SIGNALS
from tests.support.house import House


def check_history(house: House) -> list[Any]:
    """Positions are dense and the chain of hashes is whole; returns the changes."""
    with house.database.reader.connect() as connection:
        changes = connection.execute(
            sa.select(tables.change).order_by(tables.change.c.position)
        ).all()
        head = connection.execute(sa.select(tables.head)).one()
    assert [row.position for row in changes] == list(range(1, head.position + 1))
    digest = GENESIS
    for row in changes:
        actor = Actor(row.operator, row.member, row.api_key, row.request_id)
        event = Event(row.kind, row.subject, row.n, row.details)
        digest = chained(digest, row.position, row.at, actor, event)
        assert row.hash == digest, f"the chain breaks at {row.position}"
    assert head.hash == digest
    return list(changes)


def check_names(house: House) -> None:
    """What names somebody without a foreign key (decision 10) names somebody who is there."""
    t = tables
    with house.database.reader.connect() as connection:
        for named, there in (
            (t.indicator.c.operator, t.operator.c.key),
            (t.indicator.c.party, t.party.c.key),
            (t.version.c.party, t.party.c.key),
            (t.entry.c.set_key, t.sharing_set.c.key),
            (t.idempotency.c.member, t.member.c.key),
        ):
            nowhere = sa.select(named).where(named.not_in(sa.select(there)))
            assert connection.scalars(nowhere).all() == [], f"{named} names nobody"


def check_totals(house: House) -> dict[str, Total]:
    """Head, rows and engine agree on count and digest of each signal; returns them."""
    with house.database.reader.connect() as connection:
        kept = connection.scalar(sa.select(tables.head.c.totals)) or {}
    totals = {name: Total(count, int(digest, 16)) for name, (count, digest) in kept.items()}
    counted = {signal.name: totals.get(signal.name, Total(0, 0)) for signal in ORDER}
    assert counted == counted_anew(house)
    assert dict(house.hub.engine.totals) == counted
    return counted


def counted_anew(house: House) -> dict[str, Total]:
    """Count and digest of every row that can be found, from the tables of codes alone."""
    found: dict[str, list[Chunk]] = defaultdict(list)
    for chunk in _chunks(house):
        found[chunk.signal].append(chunk)
    return {signal.name: _total(signal.name, found[signal.name]) for signal in ORDER}


def _total(signal: str, chunks: list[Chunk]) -> Total:
    digests = (rows_digest(INDEX[signal], c.indicators, c.tags, c.codes) for c in chunks)
    return Total(sum(len(chunk.codes) for chunk in chunks), sum(digests) % 2**64)


def _chunks(house: House) -> list[Chunk]:
    code, indicator = tables.code, tables.indicator
    live = (
        sa.select(code.c.signal, code.c.value, code.c.derivation, indicator.c.key,
                  indicator.c.label)
        .join(indicator, indicator.c.key == code.c.indicator)
        .where(code.c.n_to.is_(None), indicator.c.label != 0)
    )  # fmt: skip
    with house.database.reader.connect() as connection:
        rows = connection.execute(live).all()
        films = connection.execute(
            sa.select(tables.frames.c.codes, indicator.c.key, indicator.c.label)
            .join(indicator, indicator.c.key == tables.frames.c.indicator)
            .where(indicator.c.label != 0)
        ).all()
        slots = connection.scalars(sa.select(tables.control.c.slot).where(tables.control.c.live))
        chunks = [*control_chunks(ORDER), *(slot_chunk(slot) for slot in slots)]
    for row in rows:
        tag = row.derivation << 24 | row.label
        chunks.append(
            Chunk(
                row.signal,
                words_of(SIGNALS[row.signal], row.value),
                np.array([row.key], np.uint64),
                np.array([tag], np.uint32),
            )
        )
    for film in films:
        words = words_of(SIGNALS["vpdq"], film.codes)
        owners = np.full(len(words), film.key, np.uint64)
        chunks.append(Chunk("vpdq", words, owners, np.full(len(words), film.label, np.uint32)))
    return chunks


def check_rebuilt(house: House) -> None:
    """An engine loaded anew, from the truth or from the shared copy, holds the same rows."""
    pointer = house.hub.store.pointer()
    assert pointer is not None
    stored = Engine()
    stored.load(house.hub.store.load(pointer))
    while changes := house.hub.feed.after(stored.position, 100):
        if any(change.resync for change in changes):
            break  # an erased code is in the checkpoint and not in the feed: it is loaded anew
        stored.apply(changes)
    else:
        assert stored.totals == house.hub.engine.totals
    loaded = Engine()
    loaded.load(house.hub.feed.snapshot())
    assert loaded.totals == house.hub.engine.totals
    assert loaded.controls_ok()
