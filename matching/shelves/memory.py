# SPDX-License-Identifier: Apache-2.0
"""Segments in this process's memory: for replicas, tools and tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from matching.ports import Chunk, Head
from matching.search.plan import Plan
from matching.search.segment import Segment, in_memory
from matching.search.table import State
from matching.signals import Signal


class MemoryShelf:
    """A `Shelf` that nobody else sees: what is published there, its engine holds already."""

    @contextmanager
    def building(self, patience: float) -> Iterator[bool]:
        """Nobody else builds here."""
        del patience
        yield True

    def make(self, signal: Signal, rows: Chunk, plan: Plan) -> Segment:
        """Make a segment of rows."""
        return in_memory(signal, rows, plan)

    def publish(self, base: State) -> None:
        """There is nobody to tell."""

    def published(self) -> bool:
        """The engine itself holds it."""
        return True

    def has(self, segment: Segment) -> bool:
        """What an engine holds is here."""
        del segment
        return True

    def takes(self, head: Head) -> bool:
        """Nothing old can come back."""
        del head
        return True

    def clear(self, head: Head) -> None:
        """The engine itself forgets, with the next fold."""

    def latest(self) -> State | None:
        """Nobody else has published anything."""
        return None
