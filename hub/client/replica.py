# SPDX-License-Identifier: Apache-2.0
"""Follow sets and match at home: a lookup costs no request and tells nobody anything.

    replica = Replica(client, ["set_…"])
    threading.Thread(target=replica.run, args=[stop]).start()
    ...
    if replica.match_items(items).is_clear: ...

Needs the grant ``replica`` in each set. It starts an engine, and with it a compiler.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from hub.client.answers import Entry, Index, Matches, Record
from hub.client.client import Client
from hub.client.errors import ApiError, ClientError, ProtocolError
from hub.client.files import FileMatch, file_matches, items_of
from hub.client.holdings import Holdings
from hub.client.values import Item
from matching.pictures import FilePath

log = logging.getLogger(__name__)

_RESTAND_AT_ONCE = 50  # entries asked about in one turn
_PAUSE_SECONDS = 1.0  # where the hub had no room to let us wait
_LONGEST_PAUSE_SECONDS = 30.0


class Replica:
    """The records of some sets, kept true by one thread and asked by any.

    Args:
        client: with a key whose member has ``replica`` in the sets.
        sets: their ids.
        wait_seconds: how long the hub may hold a request back until something is new.
        max_age_seconds: how old the last word of the hub may be for "none" to be said.
        clock: monotonic seconds.
        now: the time of day, for standings that end.
    """

    def __init__(
        self,
        client: Client,
        sets: Sequence[str],
        *,
        wait_seconds: int = 10,
        max_age_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not sets:
            raise ValueError("name the sets to follow")
        self._client = client
        self._sets = tuple(sets)
        self._wait = wait_seconds
        self._max_age = max_age_seconds
        self._clock = clock
        self._now = now
        self._holdings = Holdings()
        self._cursor: str | None = None
        self._lost: set[str] = set()
        self._position = self._head = 0
        self._current_at: float | None = None

    def __len__(self) -> int:
        return len(self._holdings)

    @property
    def is_complete(self) -> bool:
        """Whether "none" may be said: all sets are held, as of a moment ago."""
        age = self._age()
        return not self._lost and age is not None and age < self._max_age

    @property
    def lost(self) -> frozenset[str]:
        """Sets whose grant was taken away; nothing of them is held any more."""
        return frozenset(self._lost)

    def match_items(self, items: Sequence[Item]) -> Matches:
        """Answer each item from what is held; no receipts, for the hub knows nothing of it."""
        # Before the search: what comes after it cannot make its answer more complete.
        complete, age = self.is_complete, self._age()
        answers = self._holdings.answers(items, complete=complete, now=self._now())
        lag = None if age is None else int(age * 1000)
        return Matches(complete, Index("", self._position, self._head, lag), tuple(answers))

    def match_files(self, paths: Sequence[FilePath]) -> list[FileMatch]:
        """Hash pictures and videos and match them, all at home."""
        hashed = self._client.hasher.hash_files(paths)
        return file_matches(paths, hashed, self.match_items(items_of(hashed)))

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop; trouble is told by ``is_complete``."""
        pause = _PAUSE_SECONDS
        while not stop.is_set():
            try:
                began = self._clock()
                is_news = self.step()
                pause = _PAUSE_SECONDS
                if not is_news and self._clock() - began < _PAUSE_SECONDS:
                    stop.wait(_PAUSE_SECONDS)
            except ClientError as error:
                log.debug("not followed: %s", type(error).__name__)
                stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def step(self) -> bool:
        """Take one turn: load if need be, else take what changed; tell whether anything did.

        Raises:
            ClientError: The hub did not answer, or refused; what is held grows old.
        """
        if self._cursor is None:
            self._load()
            return True
        try:
            is_news = self._follow(self._cursor)
        except ApiError as error:
            if error.status != HTTPStatus.GONE:
                raise
            # Of another history: whatever is held may be nobody's word any more.
            self._cursor, self._current_at = None, None
            return True
        return self._restand() or is_news

    def _load(self) -> None:
        records: list[Record] = []
        follow, lost = None, set()
        for set_id in self._sets:
            try:
                page = self._client.snapshot(set_id)
            except ApiError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                lost.add(set_id)  # one that was lost must not hold up the others
                continue
            # From where the first began: what changed during the others comes again.
            follow = follow or page.follow
            records += page.records
            while page.cursor is not None:
                page = self._client.snapshot(set_id, cursor=page.cursor)
                records += page.records
        self._holdings.load(records)
        if not self._holdings.controls_ok():
            raise ProtocolError("an engine that gets its controls wrong")
        # Where all were lost, from now on: should one come back, the feed says so.
        self._cursor = follow or self._client.changes(None).cursor
        self._lost = lost

    def _follow(self, cursor: str) -> bool:
        asked_at = self._clock()
        page = self._client.changes(cursor, wait=self._wait)
        self._holdings.take([record for record in page.records if record.set in self._sets])
        changed = [one for one in page.resync if one.set in self._sets]
        for one in changed:
            if one.what == "lost":
                self._lost.add(one.set)
                self._holdings.drop(one.set)
        if any(one.what != "lost" for one in changed):
            self._cursor, self._current_at = None, None
            return True
        self._cursor, self._position = page.cursor, page.withheld_to
        self._head = max(page.head or 0, page.withheld_to)
        if page.head is not None and page.withheld_to >= page.head and not page.resync:
            self._current_at = asked_at
        return bool(page.records or page.resync) or self._position < self._head

    def _restand(self) -> bool:
        """Ask anew about standings that time alone has changed; the feed does not tell of them."""
        ended = self._holdings.ended(self._now(), _RESTAND_AT_ONCE)
        for record in ended:
            for entry in self._entries(record.id):
                if entry.set == record.set:
                    self._holdings.restand(record, entry.standing, entry.until)
        return bool(ended)

    def _entries(self, indicator: str) -> tuple[Entry, ...]:
        try:
            return self._client.get(indicator).entries
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return ()  # gone meanwhile; the feed will say so

    def _age(self) -> float | None:
        return None if self._current_at is None else self._clock() - self._current_at
