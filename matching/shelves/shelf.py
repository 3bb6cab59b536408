# SPDX-License-Identifier: Apache-2.0
"""What an engine needs of the place where its segments lie."""

from contextlib import AbstractContextManager
from typing import Protocol

from matching.ports import Chunk, Head
from matching.search.plan import Plan
from matching.search.segment import Segment
from matching.search.table import State
from matching.signals import Signal


class Shelf(Protocol):
    """Segments, and the *base* made of them: all rows of all signals at one position.

    A base is published whole or not at all. Everything on a shelf can be made again from the
    truth, so what is damaged there is as good as not there.
    """

    def building(self, patience: float) -> AbstractContextManager[bool]:
        """Let one builder at a time in; tell whether it was let in.

        Args:
            patience: seconds to wait while another one builds.
        """
        ...

    def make(self, signal: Signal, rows: Chunk, plan: Plan) -> Segment:
        """Make a segment of rows.

        Raises:
            OSError: There is no room, or no permission; nothing of it stays.
        """
        ...

    def publish(self, base: State) -> None:
        """Say that this is the base from now on; segments it does not name go away.

        Raises:
            OSError: It could not be written, or a segment went away, or it is older than what
                was cleared; the base before stays.
        """
        ...

    def published(self) -> bool:
        """Tell whether there is a base that can be opened, as far as is known."""
        ...

    def has(self, segment: Segment) -> bool:
        """Tell whether a segment lies here, so that a base may name it."""
        ...

    def takes(self, head: Head) -> bool:
        """Tell whether a base of that position may be published: not one from before a `clear`."""
        ...

    def clear(self, head: Head) -> None:
        """Forget everything, and never take again what is older than a position.

        Nobody is waited for. Whoever has it mapped keeps that until the next base.

        Args:
            head: where something was erased for good.

        Raises:
            OSError: It could not be cleared.
        """
        ...

    def latest(self) -> State | None:
        """Open the base if it was published since the last call; None else, or if damaged."""
        ...
