# SPDX-License-Identifier: Apache-2.0
"""Making bases: everything from a snapshot, or the next one from what is known now.

A fold merges the youngest rows with the smallest segments, so that there are always few segments,
each at least `RATIO` times as large as all younger ones together; a row is written again only as
often as the logarithm of their number. Segments of which much has changed since are made anew.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from matching.digests import MASK
from matching.errors import DigestError
from matching.ports import Chunk, Snapshot, Total
from matching.search.planning import Considered
from matching.search.recent import Recent
from matching.search.segment import Segment, in_memory
from matching.search.table import Piece, State, Table, living, total_of
from matching.shelves.shelf import Shelf
from matching.signals import Signal

log = logging.getLogger(__name__)

YOUNG = 8_192
"""Rows that are searched by brute force, about; with more a fold is due."""
RATIO = 4
CHANGED, LEAST_CHANGED = 16, 4_096
"""A segment of which a sixteenth, and at least so many rows, has changed is made anew."""

Planner = Callable[[Signal, int], Considered]


def is_due(table: Table) -> bool:
    """Tell whether a table should be folded."""
    return table.recent.rows >= YOUNG or any(_is_worn(piece) for piece in table.pieces)


@dataclass(eq=False)
class Folding:
    """One making of a base.

    Attributes:
        shelf: where its segments go.
        planner: chooses how their codes are cut.
        kept: whether all of them could be kept there; what could not is in memory.
    """

    shelf: Shelf
    planner: Planner
    kept: bool = True

    def loaded(self, signals: Sequence[Signal], snapshot: Snapshot) -> State:
        """Make a base of a snapshot.

        Raises:
            DigestError: Its rows are not what its totals say.
            MatchingError: Whatever reading its chunks raises.
        """
        chunks: dict[str, list[Chunk]] = {signal.name: [] for signal in signals}
        for chunk in snapshot.chunks:
            chunks.get(chunk.signal, []).append(chunk)
        head, tables = snapshot.head, {}
        for signal in signals:
            rows = _joined(signal, [living(signal, one) for one in chunks.pop(signal.name)])
            total = snapshot.totals.get(signal.name, Total(0, 0))
            if total_of(signal, [rows]) != total:
                raise DigestError(signal.name, head.position)
            pieces = (self._piece(signal, rows),) if len(rows.tags) else ()
            tables[signal.name] = Table(signal, pieces, Recent.none(signal), total)
        return State(head.timeline, head.position, tables)

    def folded(self, state: State) -> State:
        """Make the next base of a state; segments that are not on the shelf are made anew.

        Raises:
            DigestError: The rows are not what their running totals say.
        """
        tables = {
            name: self._folded(table, state.position) for name, table in state.tables.items()
        }
        return State(state.timeline, state.position, tables)

    def _folded(self, table: Table, position: int) -> Table:
        merged = self._to_merge(table)
        left = tuple(piece for piece in table.pieces if piece not in merged)
        signal, none = table.signal, Recent.none(table.signal)
        if not merged and not table.recent.rows:
            return Table(signal, left, none, table.total)
        rows = _joined(signal, [*(piece.live() for piece in merged), table.young()])
        # A merge never changes what there is, only where it lies.
        if total_of(signal, [rows]) != _less(table.total, [piece.total for piece in left]):
            raise DigestError(signal.name, position)
        made = (self._piece(signal, rows),) if len(rows.tags) else ()
        pieces = sorted((*left, *made), key=lambda piece: -piece.segment.rows)
        return Table(signal, tuple(pieces), none, table.total)

    def _to_merge(self, table: Table) -> list[Piece]:
        """Choose segments to be made anew together with the youngest rows."""
        pieces = table.pieces
        merged = [one for one in pieces if _is_worn(one) or not self.shelf.has(one.segment)]
        rows = table.recent.rows + sum(piece.segment.rows for piece in merged)
        for piece in sorted(pieces, key=lambda piece: piece.segment.rows):
            if piece not in merged and piece.segment.rows < RATIO * rows:
                merged.append(piece)
                rows += piece.segment.rows
        return merged

    def _piece(self, signal: Signal, rows: Chunk) -> Piece:
        plan = self.planner(signal, len(rows.tags)).plan
        try:
            segment: Segment = self.shelf.make(signal, rows, plan)
        except OSError as error:
            # No room on the disk makes no answer wrong: this process holds them by itself.
            log.warning("a segment was not kept: %s", type(error).__name__)
            self.kept = False
            segment = in_memory(signal, rows, plan)
        return Piece.of(segment, rows)


def _is_worn(piece: Piece) -> bool:
    return len(piece.overlay) >= max(LEAST_CHANGED, piece.segment.rows // CHANGED)


def _joined(signal: Signal, chunks: Sequence[Chunk]) -> Chunk:
    if len(chunks) == 1 and chunks[0].codes.flags.c_contiguous:
        return chunks[0]
    none = np.empty((0, signal.words), np.uint64)
    return Chunk(
        signal.name,
        np.concatenate([none, *(chunk.codes for chunk in chunks)]),
        np.concatenate([none[:, 0], *(chunk.indicators for chunk in chunks)]),
        np.concatenate([np.empty(0, np.uint32), *(chunk.tags for chunk in chunks)]),
    )


def _less(total: Total, parts: Sequence[Total]) -> Total:
    count = total.count - sum(part.count for part in parts)
    return Total(count, (total.digest - sum(part.digest for part in parts)) & MASK)
