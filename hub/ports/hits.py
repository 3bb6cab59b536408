# SPDX-License-Identifier: Apache-2.0
"""Hits that wait to be settled, as the ledger sees them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol


class Hit(NamedTuple):
    """That an operator was told of an indicator, in internal keys."""

    operator: int
    indicator: int
    at_ms: int


class HitFilePort(Protocol):
    """Hits that were written down."""

    def hits(self) -> Iterable[Hit]:
        """What was written down."""
        ...

    def close(self, *, settled: bool = True) -> None:
        """Let go of them; once they are settled, delete them."""
        ...


class HitJournalPort(Protocol):
    """Hits that wait to be settled, where they outlive the process."""

    def note(self, hits: Iterable[Hit]) -> None:
        """Write hits down before anybody is told of them."""
        ...

    def turn(self) -> Sequence[HitFilePort]:
        """Begin anew; returns what was written so far, to be closed once it is settled."""
        ...

    def left(self) -> Iterable[HitFilePort]:
        """What processes left that are gone, each to be closed once it is settled."""
        ...
