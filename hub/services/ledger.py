# SPDX-License-Identifier: Apache-2.0
"""What lookups leave behind, gathered in a worker's memory and settled with SQL each second.

A lookup never writes: it adds to these counters. Of a lookup nothing is kept but hit facts, never
the query.
"""

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hub.domain.changes import LINKS, SYSTEM, Event
from hub.domain.errors import BudgetError
from hub.ports import BeginWork, Clock, Work
from hub.ports.hits import Hit, HitFilePort, HitJournalPort
from hub.services.neighbours import late_copies

CODES, HITS, ACCOUNTS = "codes", "hits", "accounts"


@dataclass(frozen=True)
class Budgets:
    """How many codes an operator may ask about, and how many hits it may be told, a day."""

    codes_a_day: int = 50_000_000
    hits_a_day: int = 200_000
    accounts_a_day: int = 50_000


@dataclass
class _Pending:
    hits: dict[tuple[int, int], tuple[datetime, int]] = field(default_factory=dict)
    spent: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))


class Ledger:
    """Counts hits and spends budgets; ``flush`` settles."""

    def __init__(
        self, *, begin: BeginWork, clock: Clock, budgets: Budgets, journal: HitJournalPort
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._journal = journal
        self._unsettled: list[HitFilePort] = []
        self._budgets = {
            CODES: budgets.codes_a_day,
            HITS: budgets.hits_a_day,
            ACCOUNTS: budgets.accounts_a_day,
        }
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._pending = _Pending()
        self._used: dict[tuple[str, int], int] = {}
        self._day = -1

    def spend(self, name: str, operator: int, amount: int) -> None:
        """Take from a day's budget.

        Raises:
            BudgetError: It is used up, as far as this worker knows.
        """
        with self._lock:
            self._turn(self._today())
            known = self._used.get((name, operator), 0) + self._pending.spent[name, operator]
            if known + amount > self._budgets[name]:
                raise BudgetError(f"Today's budget of {name} is used up.", self._until_tomorrow())
            self._pending.spent[name, operator] += amount

    def count_hits(self, operator: int, indicators: Collection[int]) -> None:
        """Note that the operator had a hit on each of those indicators, now."""
        now = self._clock()
        at_ms = int(now.timestamp() * 1000)
        with self._lock:
            self._journal.note(Hit(operator, indicator, at_ms) for indicator in indicators)
            for indicator in indicators:
                first, count = self._pending.hits.get((operator, indicator), (now, 0))
                self._pending.hits[operator, indicator] = (first, count + 1)
                self._pending.spent[HITS, operator] += 1

    def flush(self) -> int:
        """Write what was gathered in one transaction; returns how many facts.

        What could not be written stays gathered.
        """
        with self._flushing:
            with self._lock:
                pending, self._pending = self._pending, _Pending()
                self._unsettled += self._journal.turn()
            if not pending.hits and not pending.spent:
                return 0
            try:
                self._settle(pending)
            except Exception:
                self._put_back(pending)
                raise
            self._mark_again(pending)
            while self._unsettled:
                self._unsettled.pop().close()
            return len(pending.hits)

    def recover(self) -> None:
        """Settle what killed processes left behind: it decides what is a copy."""
        with self._flushing:
            for file in self._journal.left():
                pending = _Pending()
                for hit in file.hits():
                    at = datetime.fromtimestamp(hit.at_ms / 1000, UTC)
                    pair = hit.operator, hit.indicator
                    first, count = pending.hits.get(pair, (at, 0))
                    pending.hits[pair] = (min(first, at), count + 1)
                settled = False
                try:
                    if pending.hits:
                        self._settle(pending)
                        self._mark_again(pending)
                    settled = True
                finally:
                    file.close(settled=settled)

    def _settle(self, pending: _Pending) -> None:
        day = self._today()
        with self._begin.writing(SYSTEM) as work:
            work.facts.add_hits(pending.hits)
            used = {
                (name, operator): work.facts.spend_today(name, operator, day, amount)
                for (name, operator), amount in pending.spent.items()
            }
            mark_late_copies(pending.hits, work)
            work.commit()
        with self._lock:
            self._turn(day)
            self._used.update(used)

    def _mark_again(self, pending: _Pending) -> None:
        """Look once more: what was contributed meanwhile has not seen the facts, nor been seen."""
        if not pending.hits:
            return
        with self._begin.writing(SYSTEM) as work:
            if mark_late_copies(pending.hits, work):
                work.commit()

    def _put_back(self, pending: _Pending) -> None:
        with self._lock:
            for pair, (first, count) in pending.hits.items():
                later, more = self._pending.hits.get(pair, (first, 0))
                self._pending.hits[pair] = (min(first, later), count + more)
            for name, amount in pending.spent.items():
                self._pending.spent[name] += amount

    def _today(self) -> int:
        return int(self._clock().timestamp()) // 86_400

    def _turn(self, day: int) -> None:
        """Begin a new day: what was used yesterday is no matter any more."""
        if day != self._day:
            self._used, self._day = {}, day

    def _until_tomorrow(self) -> int:
        now = self._clock()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return int((midnight - now).total_seconds()) + 1


def mark_late_copies(hits: Mapping[tuple[int, int], tuple[datetime, int]], work: Work) -> bool:
    """Mark contributions whose operator turns out to have had a hit on a neighbour before."""
    by_operator: dict[int, dict[int, datetime]] = defaultdict(dict)
    for (operator, indicator), (first, _) in hits.items():
        by_operator[operator][indicator] = first
    copies: set[int] = set()
    for operator, told in by_operator.items():
        copies |= late_copies(operator, told, work)
    for copy in sorted(copies):
        work.indicators.mark_copied(copy)
        work.record(Event(LINKS, subject=copy, details={"copied": True}))
        for entry, set_key in work.votes.linked_entries(copy):
            work.record(Event(LINKS, subject=entry, details={"set": set_key}))
    return bool(copies)
