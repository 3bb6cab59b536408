# SPDX-License-Identifier: Apache-2.0
"""What an engine needs of the place where its segments lie."""

from contextlib import AbstractContextManager
from typing import Protocol

from matching.ports import Chunk
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
            OSError: It could not be written; the base before stays.
        """
        ...

    def published(self) -> bool:
        """Tell whether there is a base."""
        ...

    def latest(self) -> State | None:
        """Open the base if it was published since the last call; None else, or if damaged."""
        ...
