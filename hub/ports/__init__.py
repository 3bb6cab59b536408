# SPDX-License-Identifier: Apache-2.0
"""Everything the hub needs from outside, a page for each topic; and Hub, which holds it.

A docstring here is a promise, and the suite in tests/ports asks it of every implementation.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from federation.operations.values import Register
from hub.domain.answers import Answer, Once
from hub.domain.changes import Actor, Delta, Event
from hub.domain.entries import Described
from hub.ports.access import Access
from hub.ports.exclusions import Exclusions
from hub.ports.manifests import Manifests
from hub.ports.memory import (
    DirectoryPort,
    FollowerPort,
    LedgerPort,
    MetricsPort,
    ReceiptsPort,
    Searcher,
    WaitingPort,
    WalksPort,
)
from hub.ports.partners import Abroad, Exchange, Logs, Partners
from hub.ports.relays import Relays
from hub.ports.repositories import Facts, History, Indicators, Opinions, Parties, Votes
from matching.ports import ChangeFeed, CodeStore

Clock = Callable[[], datetime]
"""The present moment, aware, UTC."""

NewId = Callable[[str], str]
"""A new public id with this prefix: 128 random bits, so that it tells nothing of when."""


class Sealer(Protocol):
    """Seals what may lie on a disk but must not be read from it (AES-256-GCM)."""

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        """Seal *plain* so that it opens only beside the same *bound_to*."""

    def open(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Open what was sealed; raises SealBrokenError when it was changed or moved."""


@dataclass(frozen=True)
class Secrets:
    """The keys of this hub, 32 bytes each, from files 0600."""

    pepper: bytes
    receipts: bytes
    sealer: Sealer

    def __repr__(self) -> str:
        return "Secrets(…)"


class SealBrokenError(Exception):
    """What was to be opened is not what was sealed here, or not for this place."""

    def __init__(self) -> None:
        super().__init__("The sealed value was changed, moved, or sealed with another key.")


# -- the truth -----------------------------------------------------------------------------------


class Work(Protocol):
    """One transaction and what can be done in it."""

    @property
    def access(self) -> Access:
        """Operators, members, keys, sets and grants."""
        ...

    @property
    def directory(self) -> Parties:
        """Who there is."""
        ...

    @property
    def indicators(self) -> Indicators:
        """What is said."""
        ...

    @property
    def votes(self) -> Votes:
        """Who agrees, and who does not."""
        ...

    @property
    def opinions(self) -> Opinions:
        """Opinions, appeals, outcomes."""
        ...

    @property
    def exclusions(self) -> Exclusions:
        """Pictures that must not be found."""
        ...

    @property
    def partners(self) -> Partners:
        """Other hubs, and what is believed of them."""
        ...

    @property
    def exchange(self) -> Exchange:
        """What was said between hubs."""
        ...

    @property
    def logs(self) -> Logs:
        """The log of what this hub said."""
        ...

    @property
    def manifests(self) -> Manifests:
        """Whose a set is, and which hubs share it."""
        ...

    @property
    def relays(self) -> Relays:
        """What is passed on."""
        ...

    @property
    def facts(self) -> Facts:
        """What lookups and feeds leave behind."""
        ...

    @property
    def history(self) -> History:
        """Head, changes, cursors, controls."""
        ...

    def told(self, once: Once) -> Answer | None:
        """What a request was answered when it was carried out; None if it never was.

        Raises:
            ConflictError: Its name was used for another request.
        """
        ...

    def record(self, event: Event) -> int:
        """Add a change to this transaction; returns its offset from the first one."""
        ...

    def commit(self, answer: Answer | None = None) -> Answer | None:
        """Take the positions and commit; returns the answer with its positions."""
        ...


class BeginWork(Protocol):
    """Opens units of work."""

    def reading(self) -> AbstractContextManager[Work]:
        """A unit of work that sees one moment of the history and changes nothing."""
        ...

    def writing(self, actor: Actor, once: Once | None = None) -> AbstractContextManager[Work]:
        """A unit of work that writes; what is not committed is rolled back.

        Raises:
            RepeatedError: *once* was carried out before.
            ConflictError: The name of *once* was used for another request.
            BusyError: Another writer held the database for more than five seconds.
        """
        ...


class Describer(Protocol):
    """The one prepared statement of the lookup."""

    def described(self, keys: Iterable[int], sets: Iterable[int]) -> list[Described]:
        """Describe the live entries of those indicators in those sets.

        Raises:
            UnavailableError: The truth does not answer.
        """
        ...


Erased = str | Register
"""What was erased: an indicator by its id, or what another hub's author called so.

Which id such a one has here is not for long: after a restore it may be somebody else's.
"""


class Erasures(Protocol):
    """The append-only list of what was erased, outside every backup."""

    def add(self, *erased: Erased) -> None:
        """Add what was erased, at once; it is on the disk when this returns."""
        ...

    def all(self) -> list[Erased]:
        """All that was ever erased."""
        ...


class Doorbell(Protocol):
    """Tells the relay that there is something to do; it may be lost."""

    def ring(self) -> None:
        """Ring; never waits and never fails."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait for a ring; False when none came."""
        ...


@dataclass(frozen=True)
class Hub:
    """Everything assembled; ``hub.wiring`` makes it, once a process."""

    clock: Clock
    new_id: NewId
    secrets: Secrets
    begin: BeginWork
    describer: Describer
    feed: ChangeFeed
    store: CodeStore
    doorbell: Doorbell
    erasures: Erasures
    engine: Searcher
    follower: FollowerPort
    directory: DirectoryPort
    ledger: LedgerPort
    receipts: ReceiptsPort
    waiting: WaitingPort
    walks: WalksPort
    metrics: MetricsPort
    abroad: Abroad
    control_delta: Callable[[int, bool], Mapping[str, Delta]]
    """What turning a control slot on (or off) does to the totals."""
