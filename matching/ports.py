# SPDX-License-Identifier: Apache-2.0
"""What the engine needs from outside: the truth it follows, and the shared copy that is faster.

The values come first, the two ports last. A port's docstring is a promise; `tests/ports/` asks it
of every implementation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

GONE = 0  # label of rows that nobody finds any more
CONTROLS = 1  # label of the control rows
LABEL_BITS = 24
LABEL_MASK = (1 << LABEL_BITS) - 1


@dataclass(frozen=True)
class Rows:
    """Codes of one signal of one indicator.

    Attributes:
        signal: name.
        codes: ``n * width`` bytes, big-endian, unpadded.
        derivations: ``n`` bytes, one for each code; 0 = plain.
    """

    signal: str
    codes: bytes
    derivations: bytes


@dataclass(frozen=True)
class Total:
    """Count and digest of the rows of a signal whose label is not 0."""

    count: int
    digest: int


@dataclass(frozen=True)
class Change:
    """One change of the truth, at its position.

    Attributes:
        position: dense, from 1.
        at_ms: wall time of the commit, milliseconds since 1970.
        indicator: whose rows it touches; 0 when it touches none.
        label: label of all rows of the indicator after this change; 0 = gone for good: rows of a
            gone indicator are forgotten, and come back only when they are given again.
        rows: None keeps its rows and only relabels; else they replace all its rows.
        totals: of the touched signals, after this change.
        note: the hub's own words, opaque here.
        resync: the feed could not pack this change any more: load everything again from it.
    """

    position: int
    at_ms: int
    indicator: int
    label: int
    rows: tuple[Rows, ...] | None
    totals: Mapping[str, Total]
    note: bytes
    resync: bool = False


@dataclass(frozen=True)
class Head:
    """The last position of a history."""

    timeline: str
    position: int


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows of one signal.

    Attributes:
        signal: name.
        codes: uint64 ``(n, words)``.
        indicators: uint64 ``(n,)``.
        tags: uint32 ``(n,)``, derivation << 24 | label.
    """

    signal: str
    codes: NDArray[np.uint64]
    indicators: NDArray[np.uint64]
    tags: NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All rows at a position. The chunks may be read only once, and may fail while being read."""

    head: Head
    totals: Mapping[str, Total]
    chunks: Iterable[Chunk]


class ChunkRef(NamedTuple):
    """Where a chunk of a checkpoint lies: its checksum is its name."""

    signal: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Pointer:
    """The one value that says what a shared copy holds.

    Attributes:
        timeline: history it belongs to.
        epoch: random id of one life of the store's contents.
        born_ms: when that life began, wall time in milliseconds.
        position: of the checkpoint.
        totals: of every signal, at that position.
        manifest: the chunks, in order.
    """

    timeline: str
    epoch: str
    born_ms: int
    position: int
    totals: Mapping[str, Total]
    manifest: tuple[ChunkRef, ...]


class EntryId(NamedTuple):
    """Place in the stream: ``(position, 0)`` is a change, ``(head, k)``, k >= 1, a beat."""

    position: int
    beat: int


@dataclass(frozen=True)
class Entry:
    """One entry of the stream.

    Attributes:
        id: its place.
        timeline: history it belongs to; empty where the entry could not be read.
        change: the change; None for a beat, and where the entry could not be read.
        epoch: of the life in which a beat was sent; empty for a change.
    """

    id: EntryId
    timeline: str
    change: Change | None
    epoch: str = ""


class ChangeFeed(Protocol):
    """The truth, read by position.

    Calls answer from committed state, later calls never from an older state than earlier ones,
    and raise FeedUnavailableError within seconds when it cannot be had.
    """

    def head(self) -> Head:
        """Return the timeline and the last committed position."""
        ...

    def after(self, position: int, limit: int) -> Sequence[Change]:
        """Return at most *limit* changes after *position*, in order and without a gap."""
        ...

    def snapshot(self) -> Snapshot:
        """Return all rows whose label is not 0, controls among them, at one position."""
        ...


class CodeStore(Protocol):
    """The shared copy: a checkpoint, and the stream of changes and beats after it.

    It may vanish, be emptied or be swapped for an older one at any moment; who reads it believes
    only what carries the right timeline and the right digest. All calls raise
    StoreUnavailableError when it does not answer.
    """

    def pointer(self) -> Pointer | None:
        """Return what the copy holds; None where there is none or it is unreadable."""
        ...

    def load(self, pointer: Pointer) -> Snapshot:
        """Return the checkpoint; reading its chunks raises CorruptIndexError where one is bad."""
        ...

    def ready(self) -> None:
        """Return if every server answers that a checkpoint needs: a truth is dear to read."""
        ...

    def renew(self, pointer: Pointer) -> bool:
        """Keep the chunks of a checkpoint from vanishing; tell whether all are there.

        To be called every few hours at least: what nobody renews is gone after a day.
        """
        ...

    def write(self, snapshot: Snapshot, *, new_epoch: bool = False) -> Pointer:
        """Write a checkpoint, then swing the pointer to it.

        The epoch is kept where the present pointer has the same timeline, else (or when
        *new_epoch* asks for it) it is new and the stream of the old life is deleted. A pointer
        of the same timeline at a later position stays, and is returned.
        """
        ...

    def append(self, changes: Sequence[Change], *, timeline: str) -> int:
        """Append changes in order; return how many were not there yet.

        Whatever breaks meanwhile, the stream never has a gap: there is no entry beyond one that
        was lost.

        Raises:
            ForeignTimelineError: The pointer is missing or of another timeline.
            GapError: The changes do not continue the stream.
        """
        ...

    def beat(self, head: Head) -> None:
        """Say that the truth's head was *head* a moment ago.

        A head that the stream has passed is not sent.

        Raises:
            ForeignTimelineError: The pointer is missing or of another timeline.
            GapError: The stream has not reached that head: append first.
        """
        ...

    def read(self, after: EntryId, block_ms: int) -> list[Entry]:
        """Return entries after a place, in order, at most `READ_LIMIT`.

        Waits up to *block_ms* milliseconds while there are none; 0 does not wait.
        """
        ...

    def last(self) -> EntryId | None:
        """Return the place of the last entry; None for an empty stream."""
        ...

    def length(self) -> int:
        """Return how many entries the stream holds, beats among them."""
        ...

    def trim(self, position: int) -> None:
        """Drop entries up to and including the changes at *position*."""
        ...


READ_LIMIT = 512
