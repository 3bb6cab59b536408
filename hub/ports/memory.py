# SPDX-License-Identifier: Apache-2.0
"""What a worker holds in memory, as the services see it."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hub.domain.sharing import Asker, SharingSet
from matching.batches import Batch, Hits
from matching.freshness import Freshness
from matching.ports import Total
from matching.search.table import State


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
        self,
        hub: str,
        *,
        behind: int,
        alive_seconds: float | None,
        weight: Mapping[str, bool],
        witnessed: bool,
        failing: bool,
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
