# SPDX-License-Identifier: Apache-2.0
"""A truth in memory: a plain dict of indicators, the changes that made it, and their totals.

It is the model that the engine is held against, and the feed that followers are tested with.
"""

import threading
from collections.abc import Sequence

import numpy as np

from matching.batches import words_of
from matching.controls import control_chunks
from matching.digests import rows_digest
from matching.ports import Change, Chunk, Head, Rows, Snapshot, Total
from matching.signals import INDEX, ORDER, SIGNALS


class FakeFeed:
    """A `ChangeFeed` over a dict: indicator -> (label, rows). It can forget."""

    def __init__(self, timeline: str = "t", *, controls: bool = True) -> None:
        self.timeline = timeline
        self.kept_from = 1  # changes before it are no longer had
        self.changes: list[Change] = []
        self.rows: dict[int, tuple[int, tuple[Rows, ...]]] = {}
        self._controls = control_chunks(ORDER) if controls else []
        self._lock = threading.Lock()

    def change(self, indicator: int, label: int, rows: tuple[Rows, ...] | None = None) -> Change:
        """Commit one change and return it."""
        with self._lock:
            before = self.rows.get(indicator, (0, ()))
            touched = {r.signal for r in (*before[1], *(rows or ()))}
            after = before[1] if rows is None else rows
            self.rows[indicator] = (label, after)
            if label == 0 or (rows is None and before[0] == 0):
                self.rows.pop(indicator, None)
            change = Change(
                position=len(self.changes) + 1,
                at_ms=0,
                indicator=indicator,
                label=label,
                rows=rows,
                totals={name: total for name, total in self.totals().items() if name in touched},
                note=b"{}",
            )
            self.changes.append(change)
            return change

    def totals(self) -> dict[str, Total]:
        """Count everything anew: nothing is kept running here."""
        totals = {signal.name: Total(0, 0) for signal in ORDER}
        for chunk in self.chunks():
            digest = rows_digest(INDEX[chunk.signal], chunk.indicators, chunk.tags, chunk.codes)
            before = totals[chunk.signal]
            totals[chunk.signal] = Total(
                before.count + len(chunk.tags), (before.digest + digest) % (1 << 64)
            )
        return totals

    def chunks(self) -> list[Chunk]:
        """Return all rows, a chunk for each indicator and signal, and the controls."""
        chunks = list(self._controls)
        for indicator, (label, rows) in self.rows.items():
            chunks += [_chunk(indicator, label, row) for row in rows]
        return chunks

    def head(self) -> Head:
        return Head(self.timeline, len(self.changes))

    def after(self, position: int, limit: int) -> Sequence[Change]:
        return self.changes[max(position, self.kept_from - 1) : position + limit]

    def snapshot(self) -> Snapshot:
        with self._lock:
            head = Head(self.timeline, len(self.changes))
            return Snapshot(head, self.totals(), self.chunks())


def plain(signal: str, *codes: bytes) -> Rows:
    """Rows of plain codes."""
    return Rows(signal, b"".join(codes), bytes(len(codes)))


def _chunk(indicator: int, label: int, rows: Rows) -> Chunk:
    codes = words_of(SIGNALS[rows.signal], rows.codes)
    derivations = np.frombuffer(rows.derivations, np.uint8).astype(np.uint32)
    tags = derivations << np.uint32(24) | np.uint32(label)
    return Chunk(rows.signal, codes, np.full(len(codes), indicator, np.uint64), tags)
