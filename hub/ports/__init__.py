# SPDX-License-Identifier: Apache-2.0
"""Everything the hub needs from outside, on one page; and Hub, which holds it.

A docstring here is a promise, and the suite in tests/ports asks it of every implementation.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hub.domain.answers import Answer, Once
from hub.domain.changes import Actor, Delta, Event
from hub.domain.entries import Described
from hub.domain.sharing import Asker, SharingSet
from hub.ports.access import Access
from hub.ports.exchange import Abroad, Exchange, Logs, Partners
from hub.ports.exclusions import Exclusions
from hub.ports.manifests import Manifests
from hub.ports.relays import Relays
from hub.ports.repositories import Facts, History, Indicators, Opinions, Parties, Votes
from matching.batches import Batch, Hits
from matching.freshness import Freshness
from matching.ports import ChangeFeed, CodeStore, Total
from matching.search.table import State

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


class Erasures(Protocol):
    """The append-only list of erased ids, outside every backup."""

    def add(self, public_id: str) -> None:
        """Add an id; it is on the disk when this returns."""
        ...

    def all(self) -> list[str]:
        """Every id that was ever erased."""
        ...


class Doorbell(Protocol):
    """Tells the relay that there is something to do; it may be lost."""

    def ring(self) -> None:
        """Ring; never waits and never fails."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait for a ring; False when none came."""
        ...


# -- what a worker holds in memory ---------------------------------------------------------------


class Searcher(Protocol):
    """The engine as the services use it."""

    @property
    def state(self) -> State:
        """What is searched now. Whoever makes a mask takes it first."""
        ...

    @property
    def position(self) -> int:
        """The last change it has applied."""
        ...

    @property
    def timeline(self) -> str:
        """The history it holds."""
        ...

    @property
    def totals(self) -> Mapping[str, Total]:
        """Count and digest of every signal's live rows."""
        ...

    def whole(self, signal: str) -> bool:
        """Whether it holds every row of a signal."""
        ...

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
        """Everything within the radius under the allowed labels, nothing beyond."""
        ...

    @property
    def is_due(self) -> bool:
        """Whether it is time to fold what changed since the base into the next one."""
        ...

    def fold(self) -> bool:
        """Make the next base, beside searches and changes; tell whether one was made."""
        ...


class FollowerPort(Protocol):
    """The loop that keeps the engine true, as the services see it."""

    def freshness(self) -> Freshness:
        """How fresh the engine is."""
        ...

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop."""
        ...

    def wait_for(self, position: int, timeout: float) -> bool:
        """Wait until the engine has applied a position; False when the time is over."""
        ...

    def release(self) -> None:
        """Let nobody wait any more: the process is about to end."""
        ...


class DirectoryPort(Protocol):
    """Keys, grants, sets and labels in memory."""

    @property
    def position(self) -> int:
        """Every change up to here has been taken in."""
        ...

    def asker(self, authorization: str | None) -> Asker | None:
        """Whose key this is; None for a missing, odd, unknown, revoked or expired one."""
        ...

    def mask(self, asker: Asker) -> NDArray[np.bool_]:
        """Which labels the asker may match."""
        ...

    def label_of(self, sets: Iterable[int]) -> int | None:
        """The label of a combination of sets; None where it must be asked of the truth."""
        ...

    def mask_of_all_sets(self) -> NDArray[np.bool_]:
        """Which labels touch any set at all."""
        ...

    def set_named(self, public_id: str) -> SharingSet | None:
        """The set of that public id."""
        ...

    def set_keyed(self, key: int) -> SharingSet | None:
        """The set of that internal key."""
        ...

    def reload(self) -> None:
        """Read everything anew."""
        ...


class LedgerPort(Protocol):
    """Hits and budgets, gathered in memory and settled in the background."""

    def spend(self, name: str, operator: int, amount: int) -> None:
        """Take from a day's budget; raises BudgetError when it is used up."""
        ...

    def count_hits(self, operator: int, indicators: Collection[int]) -> None:
        """Note that the operator had a hit on each of those indicators, now."""
        ...

    def flush(self) -> int:
        """Settle with SQL; returns how many facts."""
        ...

    def recover(self) -> None:
        """Settle what killed processes left behind."""
        ...


class ReceiptsPort(Protocol):
    """Makes and reads receipts."""

    def make(self, indicator: int, set_key: int, operator: int, at: datetime) -> str:
        """A new receipt."""
        ...

    def read(self, text: str, index: int | None = None) -> "ReceiptLike":
        """What a receipt stands for; raises BadInputError when it is none of ours."""
        ...


class ReceiptLike(Protocol):
    """What a receipt stands for."""

    @property
    def indicator(self) -> int:
        """Whose entry it was."""
        ...

    @property
    def set_key(self) -> int:
        """In which set."""
        ...

    @property
    def operator(self) -> int:
        """To whom it was told."""
        ...

    @property
    def at_ms(self) -> int:
        """When, in milliseconds since 1970."""
        ...

    @property
    def number(self) -> str:
        """Its own random name."""
        ...


class WalksPort(Protocol):
    """Notices who feels along the boundary of a stored code."""

    def admit(self, operator: int) -> None:
        """Let a lookup pass; raises BudgetError while the operator is slowed down."""
        ...

    def hand_over(self, operator: int, batch: Batch, hits: Hits) -> None:
        """Take the queries of a lookup, to be looked at later."""
        ...

    def look(self) -> int:
        """Look at what was handed over; returns how many operators were noticed."""
        ...


class MetricsPort(Protocol):
    """What is counted and measured."""

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request, by its route's template."""
        ...

    def match(self, codes: Mapping[str, int], seconds: float) -> None:
        """Count the codes of one match request by signal, and the time its search took."""
        ...

    def index(self, rows: Mapping[str, int], position: int, lag_seconds: float) -> None:
        """Say what this process's engine holds and how far behind the truth it is."""
        ...

    def relayed(self, position: int) -> None:
        """Say how far the relay has come."""
        ...

    def linked(self, behind: int, seconds: float) -> None:
        """Say how many positions await the neighbours job, and how long the oldest has."""
        ...

    def probed(self, seconds: float | None) -> None:
        """Say how the last probe went; None: it failed."""
        ...

    def checkpoint(self, *, whole: bool) -> None:
        """Say whether Redis holds a whole checkpoint."""
        ...

    def partner(
        self, hub: str, *, behind: int, alive_seconds: float | None, weight: Mapping[str, bool]
    ) -> None:
        """Say how a partner is; see ``services.exchange.partners``."""
        ...

    def redis(self, *, reachable: bool) -> None:
        """Say whether Redis answers."""
        ...

    def job(self, name: str, *, failed: bool) -> None:
        """Count a run of a job."""
        ...


class WaitingPort(Protocol):
    """Places for long polls."""

    def until(self, position: int, seconds: float) -> bool:
        """Wait for a change beyond a position; False when there was no place to wait."""
        ...

    def polled(self, is_there: Callable[[], bool], seconds: float) -> bool:
        """Look again and again, until something is there or the time is over; else as above."""
        ...

    def end(self) -> None:
        """Let everybody who waits answer at once, and nobody wait any more."""
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
