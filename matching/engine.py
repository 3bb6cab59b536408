# SPDX-License-Identifier: Apache-2.0
"""The engine: search a batch, apply changes, say how far it is. Start here.

Readers never wait: a search works on one immutable state, which holds the rows *and* their
position. A writer makes the next state beside it and swaps it in with one assignment, so rows and
position are never seen apart. Exact by promise: everything within the radius, nothing beyond.

Most rows lie in segments, on a shelf; they and the position they stand at are the *base*. What
changed since is kept beside them, and folded into the next base every now and then.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.batches import Batch, Hits
from matching.controls import control_batch
from matching.errors import DigestError, GapError, MalformedBatchError
from matching.folding import Folding, Planner, is_due
from matching.ports import CONTROLS, GONE, LABEL_MASK, Change, Head, Snapshot, Total
from matching.search.frames import found_videos
from matching.search.planning import planned
from matching.search.scan import Scan
from matching.search.selection import Found, Gathering, Limits, Pairs, rows_of
from matching.search.table import Draft, State, Table
from matching.shelves.memory import MemoryShelf
from matching.shelves.shelf import Shelf
from matching.signals import INDEX, ORDER, VPDQ, Signal

log = logging.getLogger(__name__)

PATIENCE, HASTE = 300.0, 10.0
"""Seconds that loading waits for another process that builds: at first, and when in trouble."""
AGAIN = 60.0
"""Seconds after which a base that could not be kept, for want of room, is tried again."""
MANY = 20_000
"""Changes since the base, after which there should be another."""


class Engine:
    """Nearest match over the rows of some signals.

    Any number of threads may search while one applies.

    Args:
        signals: what it holds; rows of other signals are passed over.
        shelf: where its segments lie.
        planner: chooses how the codes of a segment are cut.
    """

    def __init__(
        self,
        signals: Iterable[Signal] = ORDER,
        *,
        shelf: Shelf | None = None,
        planner: Planner = planned,
    ) -> None:
        self._signals = tuple(sorted(signals, key=lambda signal: INDEX[signal.name]))
        self._shelf = shelf or MemoryShelf()
        self._planner = planner
        self._state = State()
        self._base, self._since = 0, list[Change]()
        self._writing = threading.Lock()
        self._doubt: DigestError | None = None
        self._fold_at = 0.0

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

    @property
    def is_due(self) -> bool:
        """Whether it is time to fold what changed since the base into the next one."""
        if not self._state.timeline or time.monotonic() < self._fold_at:
            return False
        tables = self._state.tables.values()
        many = len(self._since) >= MANY or any(is_due(table) for table in tables)
        return many or not self._shelf.published() or not self._is_kept(tables)

    def load(self, snapshot: Snapshot) -> None:
        """Replace everything by a snapshot; on an error what was here stays.

        Where another process has published the very same, that is taken.

        Raises:
            DigestError: Its rows are not what its totals say.
            MatchingError: Whatever reading its chunks raises.
        """
        with self._shelf.building(HASTE if self.timeline else PATIENCE) as alone:
            base = self._shelf.latest()
            if base is None or not _is_of(base, snapshot):
                keep = alone and self._shelf.takes(snapshot.head)
                folding = Folding(self._shelf if keep else MemoryShelf(), self._planner)
                base = folding.loaded(self._signals, snapshot)
                self._publish(base, kept=keep and folding.kept)
        with self._writing:
            self._begin(self._ours(base), ())

    def open(self) -> State | None:
        """Open the base on the shelf if it is another than before; nothing is searched yet.

        None too where it lacks one of our signals.
        """
        base = self._shelf.latest()
        if base is None or any(signal.name not in base.tables for signal in self._signals):
            return None
        return base

    def begin(self, base: State) -> None:
        """Replace everything by a base that was opened."""
        with self._writing:
            self._begin(self._ours(base), ())

    def rebase(self, base: State) -> bool:
        """Go on from a newer base of the same history, with what changed after it.

        Nothing that can be found changes. A base that is older, or ahead, or of another history
        is left alone; tell whether it was taken.

        Raises:
            DigestError: With what changed after it, it is not what the totals of changes say.
        """
        base = self._ours(base)
        if not self._can_follow(base):
            return False
        # Most of it is made beside the writer, and only the last changes while it waits.
        later = [change for change in list(self._since) if change.position > base.position]
        state = _applied(base, later)
        with self._writing:
            if not self._can_follow(base):
                return False
            rest = [change for change in self._since if change.position > state.position]
            state = _applied(state, rest)
            for name, table in state.tables.items():
                if table.total != self._state.tables[name].total:
                    raise DigestError(name, state.position)
            self._begin(base, [*later, *rest], state)
        return True

    def fold(self) -> bool:
        """Make the next base of all that is known now, and go on from it.

        Searches and changes go on meanwhile; tell whether there was anything to do. To be called
        by one thread of one process, whenever it `is_due`.

        Raises:
            DigestError: The rows are not what their running totals say.
        """
        with self._shelf.building(0.0) as alone:
            state = self._state
            head = Head(state.timeline, state.position)
            if not alone or not state.timeline or not self._shelf.takes(head):
                return False
            folding = Folding(self._shelf, self._planner)
            try:
                base = folding.folded(state)
                self._publish(base, kept=folding.kept)
                return self.rebase(base)
            except DigestError as error:
                self._doubt = error
                raise

    def check(self) -> None:
        """Raise what a fold found wrong with the rows that are searched, until they are replaced.

        Raises:
            DigestError: They are not what their running totals say.
        """
        if self._doubt is not None:
            raise self._doubt

    def forget(self, head: Head) -> None:
        """Let nothing from before a position lie on the shelf; the next fold puts it up anew.

        Args:
            head: where something was erased for good.
        """
        try:
            self._shelf.clear(head)
        except OSError as error:
            log.warning("what was erased may still be on the shelf: %s", type(error).__name__)

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply changes that follow the position, all or none, rows and position together.

        Raises:
            GapError: They do not continue the position.
            DigestError: The rows after a change are not what its totals say.
            MalformedBatchError: A change contradicts itself.
        """
        with self._writing:
            self._state = _applied(self._state, changes)
            self._since.extend(changes)

    def search(
        self,
        batch: Batch,
        allowed: NDArray[np.bool_],
        *,
        per_item: int = 100,
        per_request: int = 20_000,
        radius: Mapping[str, int] | None = None,
        capped: bool = True,
        both: bool = False,
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
            both: whether enough of the frames of both videos must be found, not only of one.
            state: what to search, if not the present state. Whoever makes *allowed* from labels
                that changes bring takes the state first: then no row of it carries a label that
                is younger than the mask.

        Returns:
            The hits, with the timeline and position of the state that was searched.
        """
        state = state or self._state
        search = _Search(state, batch, _mask(allowed), radius or {}, both)
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

    def _begin(self, base: State, since: Sequence[Change], state: State | None = None) -> None:
        self._base, self._since, self._doubt = base.position, list(since), None
        self._state = base if state is None else state

    def _can_follow(self, base: State) -> bool:
        state = self._state
        same = base.timeline == state.timeline
        return same and self._base <= base.position <= state.position

    def _ours(self, base: State) -> State:
        """The base with our signals alone."""
        tables = {s.name: base.tables[s.name] for s in self._signals if s.name in base.tables}
        return State(base.timeline, base.position, tables)

    def _is_kept(self, tables: Iterable[Table]) -> bool:
        pieces = [piece for table in tables for piece in table.pieces]
        return all(self._shelf.has(piece.segment) for piece in pieces)

    def _publish(self, base: State, *, kept: bool) -> None:
        """Publish a base of which all segments could be kept; else try again later."""
        try:
            if kept:
                self._shelf.publish(base)
        except OSError as error:
            log.warning("a base was not published: %s", type(error).__name__)
            kept = False
        self._fold_at = 0.0 if kept else time.monotonic() + AGAIN


@dataclass(frozen=True, eq=False)
class _Search:
    state: State
    batch: Batch
    allowed: NDArray[np.bool_]
    radius: Mapping[str, int]
    both: bool

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
        # Some rows of the chosen pairs may have been left out for being worse than the pair's
        # best; there are few such pairs, so their indicators are simply searched again.
        again = chosen & gathering.limits.tight[pairs.item]
        if len(self.batch.parts) == 1 or not again.any():
            return rows_of(best, pairs, chosen), truncated
        found = rows_of(best, pairs, chosen & ~again)
        whole = self._again(pairs.item[again], pairs.indicator[again])
        return Found.joined([found, whole]), truncated

    def _gather(self, tables: Mapping[str, Table], gathering: Gathering) -> None:
        for part in self.batch.parts:
            if part.signal.name in tables:
                bits = self.radius.get(part.signal.name, part.signal.near)
                table = tables[part.signal.name]
                scan = Scan(table, part, bits, self.allowed, gathering.limits)
                are_frames = part.signal is VPDQ
                for found in found_videos(scan, both=self.both) if are_frames else scan.found():
                    gathering.add(found)

    def _again(self, item: NDArray[np.uint32], indicator: NDArray[np.uint64]) -> Found:
        gathering = Gathering(Limits.none(self.batch.items), None, pairs=(item, indicator))
        tables = {name: table.only(indicator) for name, table in self.state.tables.items()}
        self._gather(tables, gathering)
        return gathering.best()


def _is_of(base: State, snapshot: Snapshot) -> bool:
    """Whether a base is what the snapshot is."""
    totals = {name: table.total for name, table in base.tables.items() if table.total.count}
    told = {name: total for name, total in snapshot.totals.items() if total.count}
    head = snapshot.head
    return (base.timeline, base.position, totals) == (head.timeline, head.position, told)


def _applied(state: State, changes: Sequence[Change]) -> State:
    """The state after some changes."""
    for expected, change in enumerate(changes, state.position + 1):
        if change.position != expected:
            raise GapError(expected, change.position)
    drafts = {name: Draft(table) for name, table in state.tables.items()}
    for change in changes:
        _draw(change, drafts)
    tables = {name: draft.table() for name, draft in drafts.items()}
    return State(state.timeline, state.position + len(changes), tables)


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
