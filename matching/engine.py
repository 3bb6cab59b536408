# SPDX-License-Identifier: Apache-2.0
"""The engine: search a batch, apply changes, say how far it is. Start here.

Readers never wait: a search works on one immutable state, which holds the rows *and* their
position. A writer makes the next state beside it and swaps it in with one assignment, so rows and
position are never seen apart. Exact by promise: everything within the radius, nothing beyond.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.batches import Batch, Hits
from matching.controls import control_batch
from matching.errors import DigestError, GapError, MalformedBatchError
from matching.ports import CONTROLS, GONE, LABEL_MASK, Change, Chunk, Snapshot, Total
from matching.search.scan import Scan
from matching.search.selection import Found, Gathering, Limits, Pairs, rows_of
from matching.search.table import Draft, State, Table
from matching.signals import INDEX, ORDER, Signal


class Engine:
    """Nearest match over the rows of some signals.

    Any number of threads may search while one applies.

    Args:
        signals: what it holds; rows of other signals are passed over.
    """

    def __init__(self, signals: Iterable[Signal] = ORDER) -> None:
        self._signals = tuple(sorted(signals, key=lambda signal: INDEX[signal.name]))
        self._state = State()
        self._writing = threading.Lock()

    @property
    def state(self) -> State:
        """What is searched now: rows and their position; not to be changed."""
        return self._state

    @property
    def timeline(self) -> str:
        """The history it follows; empty before the first load."""
        return self._state.timeline

    @property
    def position(self) -> int:
        """The last change it holds; 0 before the first load."""
        return self._state.position

    @property
    def totals(self) -> Mapping[str, Total]:
        """Count and digest of live rows of each signal, kept running."""
        return {name: table.total for name, table in self._state.tables.items()}

    def whole(self, signal: str) -> bool:
        """Tell whether all rows of a signal are here, as of the position."""
        return signal in self._state.tables

    def load(self, snapshot: Snapshot) -> None:
        """Replace everything by a snapshot; on an error what was here stays.

        Raises:
            DigestError: Its rows are not what its totals say.
            MatchingError: Whatever reading its chunks raises.
        """
        with self._writing:
            chunks: dict[str, list[Chunk]] = {signal.name: [] for signal in self._signals}
            for chunk in snapshot.chunks:
                chunks.get(chunk.signal, []).append(chunk)
            tables = {s.name: Table.of(s, chunks.pop(s.name)) for s in self._signals}
            for name, table in tables.items():
                if table.total != snapshot.totals.get(name, Total(0, 0)):
                    raise DigestError(name, snapshot.head.position)
            self._state = State(snapshot.head.timeline, snapshot.head.position, tables)

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply changes that follow the position, all or none, rows and position together.

        Raises:
            GapError: They do not continue the position.
            DigestError: The rows after a change are not what its totals say.
            MalformedBatchError: A change contradicts itself.
        """
        with self._writing:
            state = self._state
            for expected, change in enumerate(changes, state.position + 1):
                if change.position != expected:
                    raise GapError(expected, change.position)
            drafts = {name: Draft(table) for name, table in state.tables.items()}
            for change in changes:
                _draw(change, drafts)
            tables = {name: draft.table() for name, draft in drafts.items()}
            self._state = State(state.timeline, state.position + len(changes), tables)

    def search(
        self,
        batch: Batch,
        allowed: NDArray[np.bool_],
        *,
        per_item: int = 100,
        per_request: int = 20_000,
        radius: Mapping[str, int] | None = None,
        capped: bool = True,
        state: State | None = None,
    ) -> Hits:
        """Find the indicators within the radius of a batch's codes.

        Args:
            batch: what is asked.
            allowed: bool over labels, what the asker may see. Applied before any cap. Label 0
                and labels beyond its length are never allowed.
            per_item: most distinct indicators told of one item.
            per_request: most distinct (item, indicator) pairs told in all. Every item keeps its
                best before any keeps its second best.
            radius: bits for some signals, by name; else each signal's own.
            capped: False tells everything.
            state: what to search, if not the present state. Whoever makes *allowed* from labels
                that changes bring takes the state first: then no row of it carries a label that
                is younger than the mask.

        Returns:
            The hits, with the timeline and position of the state that was searched.
        """
        state = state or self._state
        search = _Search(state, batch, _mask(allowed), radius or {})
        found, truncated = search.found(per_item, per_request) if capped else search.everything()
        return _hits(found.ordered(), truncated, state)

    def controls_ok(self) -> bool:
        """Ask for codes whose answers are known; tell whether all came out right.

        False before the first load, and where a snapshot held no controls.
        """
        batch, expected = control_batch(self._signals)
        allowed = np.zeros(CONTROLS + 1, np.bool_)
        allowed[CONTROLS] = True
        hits = self.search(batch, allowed)
        found = np.zeros(batch.items, np.bool_)
        found[hits.item] = True
        return bool((found == expected).all())


@dataclass(frozen=True, eq=False)
class _Search:
    state: State
    batch: Batch
    allowed: NDArray[np.bool_]
    radius: Mapping[str, int]

    def everything(self) -> tuple[Found, NDArray[np.bool_]]:
        gathering = Gathering(Limits.none(self.batch.items), None)
        self._gather(self.state.tables, gathering)
        return gathering.best(), np.zeros(self.batch.items, np.bool_)

    def found(self, per_item: int, per_request: int) -> tuple[Found, NDArray[np.bool_]]:
        gathering = Gathering(Limits.none(self.batch.items), per_item)
        self._gather(self.state.tables, gathering)
        best = gathering.best()
        truncated = np.zeros(self.batch.items, np.bool_)
        if len(best) <= min(1, per_item, per_request):
            return best, truncated
        pairs = Pairs.of(best)
        chosen = pairs.first(per_item, per_request)
        truncated[pairs.item[~chosen]] = True
        if not gathering.reduced or len(self.batch.parts) == 1:
            return rows_of(best, pairs, chosen), truncated
        # Some rows of the chosen pairs may have been left out for being worse than the pair's
        # best; there are few pairs, so their indicators are simply searched again.
        return self._again(pairs.item[chosen], pairs.indicator[chosen]), truncated

    def _gather(self, tables: Mapping[str, Table], gathering: Gathering) -> None:
        for part in self.batch.parts:
            if part.signal.name in tables:
                bits = self.radius.get(part.signal.name, part.signal.near)
                table = tables[part.signal.name]
                for found in Scan(table, part, bits, self.allowed, gathering.limits).found():
                    gathering.add(found)

    def _again(self, item: NDArray[np.uint32], indicator: NDArray[np.uint64]) -> Found:
        gathering = Gathering(Limits.none(self.batch.items), None, pairs=(item, indicator))
        tables = {name: table.only(indicator) for name, table in self.state.tables.items()}
        self._gather(tables, gathering)
        return gathering.best()


def _draw(change: Change, drafts: Mapping[str, Draft]) -> None:
    """Draw one change into the drafts and hold it against what it says of itself."""
    if not 0 <= change.label <= LABEL_MASK:
        raise MalformedBatchError("a label has 24 bits")
    if change.indicator:
        # Rows that are given replace all others, whatever signal those were of.
        label = change.label if change.rows is None else GONE
        for draft in drafts.values():
            draft.relabel(change.indicator, label)
        for rows in change.rows or ():
            if rows.signal in drafts:
                drafts[rows.signal].append(change.indicator, change.label, rows)
    for name, total in change.totals.items():
        if name in drafts and drafts[name].total != total:
            raise DigestError(name, change.position)


def _mask(allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    mask = np.array(allowed, np.bool_)
    mask[:1] = False
    return mask


def _hits(found: Found, truncated: NDArray[np.bool_], state: State) -> Hits:
    return Hits(
        item=found.item,
        indicator=found.indicator,
        signal=found.signal,
        distance=(found.rank >> np.uint64(16)).astype(np.uint16),
        asked=(found.rank >> np.uint64(8)).astype(np.uint8),
        stored=found.rank.astype(np.uint8),
        truncated=truncated,
        timeline=state.timeline,
        position=state.position,
    )
