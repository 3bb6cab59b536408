# SPDX-License-Identifier: Apache-2.0
"""What a replica holds: the records of its sets, and their codes in an engine of its own."""

import heapq
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from hub.client.answers import Answer, Hit, Record
from hub.client.errors import ProtocolError
from hub.client.home import Found, answer_of, batch_of, hit_of, question_of
from hub.client.values import Code, Item
from matching.batches import Hits, words_of
from matching.controls import control_chunks
from matching.derivations import derivation_id
from matching.digests import rows_digest
from matching.engine import Engine
from matching.errors import MalformedHashError, UnknownDerivationError
from matching.ports import GONE, Change, Chunk, Head, Rows, Snapshot, Total
from matching.signals import INDEX, ORDER, SIGNALS, signal_at

_HELD = 2  # the label of all that is held; 0 is gone, 1 are the controls
_VISIBLE = np.array([False, False, True])
_UNKNOWN_DERIVATION = 255  # of a newer hub: it is derived, whatever it is

Name = tuple[str, str]
"""An entry: its indicator's id and its set."""


class Holdings:
    """Records by entry, searched through an engine; any thread may ask while one changes them.

    Records are taken in the order in which they came: each says how its entry is *now*.
    """

    def __init__(self) -> None:
        self._engine = Engine(ORDER)
        self._lock = threading.RLock()
        self.load(())

    def __len__(self) -> int:
        return len(self._records)

    def load(self, records: Iterable[Record]) -> None:
        """Hold these and nothing else.

        Raises:
            ProtocolError: A code of a known signal is malformed.
        """
        held = {_name(record): record for record in records if not record.gone}
        names = dict(enumerate(held, 1))
        chunks = [*control_chunks(ORDER), *_chunks({k: held[n] for k, n in names.items()})]
        with self._lock:
            self._engine.load(Snapshot(Head("home", 0), _totals(chunks), chunks))
            self._records, self._names = held, names
            self._keys = {name: key for key, name in names.items()}
            self._ends = [
                (datetime.fromisoformat(record.until), name)
                for name, record in held.items()
                if record.until is not None
            ]
            heapq.heapify(self._ends)

    def take(self, records: Sequence[Record]) -> None:
        """Take what changed.

        Raises:
            ProtocolError: A code of a known signal is malformed; nothing was taken.
        """
        with self._lock:
            changes = [
                self._change(record, position)
                for position, record in enumerate(records, self._engine.position + 1)
            ]
            self._engine.apply(changes)
            for record in records:
                self._keep(record)
            if self._engine.is_due:
                self._engine.fold()

    def drop(self, set_id: str) -> None:
        """Forget everything of a set."""
        with self._lock:
            self.load([one for one in self._records.values() if one.set != set_id])

    def ended(self, now: datetime, most: int) -> list[Record]:
        """Name records whose standing time alone may have changed, each once."""
        with self._lock:
            found: list[Record] = []
            while self._ends and self._ends[0][0] <= now and len(found) < most:
                end, name = heapq.heappop(self._ends)
                record = self._records.get(name)
                if record and record.until and datetime.fromisoformat(record.until) == end:
                    found.append(record)
            return found

    def restand(self, record: Record, standing: str, until: str | None) -> None:
        """Say anew how an entry stands, unless it has changed since."""
        with self._lock:
            if self._records.get(_name(record)) is record:
                self._keep(replace(record, standing=standing, until=until))

    def controls_ok(self) -> bool:
        """Tell whether codes whose answers are known come out right."""
        return self._engine.controls_ok()

    def answers(self, items: Sequence[Item], *, complete: bool, now: datetime) -> list[Answer]:
        """Answer each item as a hub would, but for receipts and counts of operators."""
        questions = [question_of(item) for item in items]
        with self._lock:
            hits = self._engine.search(batch_of(questions), _VISIBLE)
            told = self._told(hits, now)
        return [
            answer_of(question, told[number], truncated=truncated, complete=complete)
            for number, (question, truncated) in enumerate(
                zip(questions, hits.truncated.tolist(), strict=True)
            )
        ]

    def _change(self, record: Record, position: int) -> Change:
        name = _name(record)
        key = self._keys.setdefault(name, len(self._keys) + 1)
        self._names[key] = name
        return Change(
            position=position,
            at_ms=0,
            indicator=key,
            label=GONE if record.gone else _HELD,
            rows=() if record.gone else tuple(_rows(record.codes)),
            totals={},
            note=b"",
        )

    def _keep(self, record: Record) -> None:
        if record.gone:
            self._records.pop(_name(record), None)
            return
        self._records[_name(record)] = record
        if record.until is not None:
            heapq.heappush(self._ends, (datetime.fromisoformat(record.until), _name(record)))

    def _told(self, hits: Hits, now: datetime) -> Mapping[int, list[Hit]]:
        """Gather what was found by item and record; nearest first, as the engine orders it."""
        columns = (hits.signal, hits.distance, hits.asked, hits.stored)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        pairs = zip(hits.item.tolist(), hits.indicator.tolist(), strict=True)
        by_pair: dict[tuple[int, int], list[Found]] = defaultdict(list)
        for pair, (signal, *how) in zip(pairs, rows, strict=True):
            by_pair[pair].append(Found(ORDER[signal].name, *how))
        told: dict[int, list[Hit]] = defaultdict(list)
        for (item, key), found in by_pair.items():
            told[item].append(hit_of(self._records[self._names[key]], found, now))
        return told


def _name(record: Record) -> Name:
    return record.id, record.set


def _rows(codes: Iterable[Code]) -> Iterable[Rows]:
    """Pack the codes of one record by signal; signals of a newer hub are passed over."""
    by_signal: dict[str, list[tuple[bytes, int]]] = defaultdict(list)
    for code in codes:
        if code.signal in SIGNALS:
            signal = signal_at(SIGNALS[code.signal], code.at_ms)
            by_signal[signal.name].append((_value(code), _derivation(code)))
    for name, rows in by_signal.items():
        yield Rows(name, b"".join(value for value, _ in rows), bytes(d for _, d in rows))


def _value(code: Code) -> bytes:
    try:
        return SIGNALS[code.signal].parse(code.code)
    except MalformedHashError as error:
        raise ProtocolError("a malformed code") from error


def _derivation(code: Code) -> int:
    try:
        return derivation_id(code.derived)
    except UnknownDerivationError:
        return _UNKNOWN_DERIVATION


def _chunks(held: Mapping[int, Record]) -> Iterable[Chunk]:
    """Lay the codes of all records out as arrays, a chunk a signal."""
    packed: dict[str, list[tuple[int, Rows]]] = defaultdict(list)
    for key, record in held.items():
        for rows in _rows(record.codes):
            packed[rows.signal].append((key, rows))
    for signal, parts in packed.items():
        counts = [len(rows.derivations) for _, rows in parts]
        derivations = np.frombuffer(b"".join(rows.derivations for _, rows in parts), np.uint8)
        yield Chunk(
            signal,
            words_of(SIGNALS[signal], b"".join(rows.codes for _, rows in parts)),
            np.repeat(np.array([key for key, _ in parts], np.uint64), counts),
            derivations.astype(np.uint32) << np.uint32(24) | np.uint32(_HELD),
        )


def _totals(chunks: Iterable[Chunk]) -> dict[str, Total]:
    """Count and digest the rows: the engine takes no snapshot without."""
    totals = dict.fromkeys(SIGNALS, Total(0, 0))
    for chunk in chunks:
        digest = rows_digest(INDEX[chunk.signal], chunk.indicators, chunk.tags, chunk.codes)
        known = totals[chunk.signal]
        totals[chunk.signal] = Total(
            known.count + len(chunk.codes), (known.digest + digest) & (1 << 64) - 1
        )
    return totals
