# SPDX-License-Identifier: Apache-2.0
"""What a unit of work can do with operations that are passed on, and what proves them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from federation.operations.envelopes import Sealed
from federation.pages import Inclusion

Place = tuple[str, int]
"""The name of a log of another hub, and its size at one of its checkpoints."""


@dataclass(frozen=True)
class Proven:
    """An operation that may be passed on, and where it is in its origin's log.

    Attributes:
        operation: internal key.
        source: the hub that signed it.
        log: of that hub; it may have closed it since.
        inclusion: in that log.
        is_revoke: whether it takes something back.
        created: when it says that it was said; nobody passes it on before.
    """

    operation: int
    source: str
    log: str
    inclusion: Inclusion
    is_revoke: bool
    created: int


@dataclass(frozen=True)
class Due:
    """One of which nobody has seen yet whether to pass it on.

    Attributes:
        operation: internal key.
        source: the hub that signed it.
        id: of the operation.
        sealed: what proves it.
        keep: until when anybody needs it.
        is_revoke: whether it takes something back.
    """

    operation: int
    source: str
    id: bytes
    sealed: Sealed
    keep: int
    is_revoke: bool


class Relays(Protocol):
    """What is passed on."""

    def prove(self, proven: Sequence[Proven], notes: Mapping[Place, bytes]) -> None:
        """Keep what proves operations, of which none was proven before; they become due."""
        ...

    def due(self, limit: int, now: int) -> list[Due]:
        """Those that are due: first what takes back, then in the order in which they came."""
        ...

    def settle(self, operations: Collection[int]) -> None:
        """Note that they were looked at."""
        ...

    def again(self) -> None:
        """Let all be due that were not passed on in the log of now."""
        ...

    def notes(self, places: Iterable[Place]) -> dict[Place, bytes]:
        """Checkpoints of other hubs."""
        ...

    def sweep(self, now: int) -> None:
        """Forget what proved operations that are gone, and empty what is past its time."""
        ...
