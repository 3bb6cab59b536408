# SPDX-License-Identifier: Apache-2.0
"""The client of a platform: hashes pictures here, asks a hub, tells it.

    with Client("https://hub.example.com", key) as client:
        for match in client.match_files(["upload.jpg"]):
            if match.is_hit:
                ...

No picture ever leaves this machine. Timeouts are on; what fails in passing is asked again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from hub.client import answers, calls, files, values
from hub.client.errors import UnreachableError
from hub.client.retries import Retry
from matching.pictures import FilePath, Hasher

T = TypeVar("T")
AGENT = "breakwater-client/1"
TIMEOUT_SECONDS = 30.0


class Client:
    """Talks to one hub with one key; threads may share it.

    Args:
        url: of the hub, without ``/v1``.
        key: ``bw_…``.
        timeout_seconds: for each attempt, beyond what the hub was asked to wait.
        retry: when to ask again.
        hasher: to hash pictures with; without one the client makes its own when first needed.
        transport: to send by; the network without one.
        sleep: how to wait between attempts.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        retry: Retry | None = None,
        hasher: Hasher | None = None,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._retry = retry or Retry()
        self._timeout = timeout_seconds
        self._sleep = sleep
        self._owns_hasher = hasher is None
        self.hasher = hasher or Hasher()
        self._http = httpx2.Client(base_url=url, headers=headers(key), transport=transport)

    def close(self) -> None:
        """Let go of connections and processes."""
        self._http.close()
        if self._owns_hasher:
            self.hasher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- matching --------------------------------------------------------------------------------

    def match_files(self, paths: Sequence[FilePath]) -> list[files.FileMatch]:
        """Hash pictures and videos here and ask about them; one that is refused harms no other."""
        hashed = self.hasher.hash_files(paths)
        items = files.items_of(hashed)
        return files.file_matches(paths, hashed, self.match_items(items) if items else None)

    def match_items(
        self, items: Sequence[values.Item], *, explain: bool = False
    ) -> answers.Matches:
        """Ask about items; a question of any length."""
        parts = calls.match_items(items, explain=explain)
        return answers.merged([self.send(part) for part in parts])

    def match_codes(self, codes: Mapping[str, Sequence[str]]) -> answers.Matches:
        """Ask about at most 10,000 plain codes by signal, each an item of its own."""
        return self.send(calls.match_codes(codes))

    def match_accounts(
        self, accounts: Sequence[values.Account], *, purpose: str, case: str
    ) -> answers.Matches:
        """Ask about at most 50 accounts."""
        return self.send(calls.match_accounts(accounts, purpose=purpose, case=case))

    def report_outcomes(
        self, outcomes: Sequence[values.Outcome], *, once: str | None = None
    ) -> tuple[answers.Row, ...]:
        """Send receipts back with what became of the hits: that is how the network learns."""
        parts = calls.report_outcomes(outcomes, once=once)
        return tuple(row for part in parts for row in self.send(part))

    # -- contributing ----------------------------------------------------------------------------

    def contribute_file(
        self,
        path: FilePath,
        words: values.Words,
        *,
        external_id: str | None = None,
        digests_only: bool = False,
        once: str | None = None,
    ) -> answers.Kept:
        """Hash a picture or a video here and contribute its codes.

        Raises:
            RefusedPictureError: It is not one that can be hashed.
        """
        contribution = values.Contribution.of_file(
            self.hasher.hash_file(path), words, external_id=external_id, digests_only=digests_only
        )
        return self.contribute(contribution, once=once)

    def contribute(
        self, contribution: values.Contribution, *, once: str | None = None
    ) -> answers.Kept:
        """Contribute one indicator."""
        return self.send(calls.contribute(contribution, once=once))

    def contribute_many(
        self,
        contributions: Sequence[values.Contribution],
        *,
        atomic: bool = False,
        once: str | None = None,
    ) -> tuple[answers.Row, ...]:
        """Contribute many; a bad one is told in its row and harms no other, unless *atomic*."""
        parts = calls.contribute_many(contributions, atomic=atomic, once=once)
        return tuple(row for part in parts for row in self.send(part))

    def revise(
        self,
        indicator: str,
        words: values.Words,
        *,
        derived: Sequence[values.Code] | None = None,
        once: str | None = None,
    ) -> answers.Kept:
        """Say anew what is known of one's own; *derived* replace its derived codes."""
        return self.send(calls.revise(indicator, words, derived=derived, once=once))

    def withdraw(
        self, indicator: str, *, reason: str | None = None, once: str | None = None
    ) -> answers.Kept:
        """Withdraw one's own: at once, and alone."""
        return self.send(calls.withdraw(indicator, reason=reason, once=once))

    def give_opinion(
        self, indicator: str, opinion: values.Opinion, *, once: str | None = None
    ) -> answers.Kept:
        """Say what one's operator thinks of another's entry."""
        return self.send(calls.give_opinion(indicator, opinion, once=once))

    def open_appeal(self, indicator: str, ground: str, *, once: str | None = None) -> answers.Kept:
        """Open an appeal; an administrator's."""
        return self.send(calls.open_appeal(indicator, ground, once=once))

    def close_appeal(self, appeal: str, *, upheld: bool, once: str | None = None) -> answers.Kept:
        """Close an appeal; an administrator's."""
        return self.send(calls.close_appeal(appeal, upheld=upheld, once=once))

    # -- reading ---------------------------------------------------------------------------------

    def get(self, indicator: str) -> answers.Indicator:
        """Read one indicator: the whole of one's own, what is told to others else."""
        return self.send(calls.get(indicator))

    def list_own(self, *, cursor: str | None = None, limit: int = 100) -> answers.Page:
        """Read a page of what one's operator contributed, oldest first."""
        return self.send(calls.list_own(cursor=cursor, limit=limit))

    def changes(
        self,
        cursor: str | None = None,
        *,
        wait: int = 0,
        sets: Sequence[str] = (),
        withdrawals: bool = False,
    ) -> answers.Changes:
        """Read what changed since a cursor, waiting up to 25 s for something new."""
        return self.send(
            calls.changes(cursor=cursor, wait=wait, sets=sets, withdrawals=withdrawals)
        )

    def snapshot(self, set_id: str, *, cursor: str | None = None) -> answers.Snapshot:
        """Read a page of everything live in a set."""
        return self.send(calls.snapshot(set_id, cursor=cursor))

    def status(self) -> answers.Status:
        """Read how fresh the hub's answers are."""
        return self.send(calls.status())

    # -- sending ---------------------------------------------------------------------------------

    def send(self, call: calls.Call[T]) -> T:
        """Send a call, again if need be, and read its answer.

        Raises:
            ApiError: The hub refused.
            UnreachableError: No answer came.
            ProtocolError: The answer is not what the API promises.
        """
        for attempt in count(1):
            outcome = self._sent(call)
            pause = self._retry.pause(attempt, outcome)
            if pause is None:
                return read(call, outcome)
            self._sleep(pause)
        raise AssertionError("a retry ends")

    def _sent(self, call: calls.Call[T]) -> httpx2.Response | httpx2.TransportError:
        try:
            return self._http.send(request(self._http, call, self._timeout))
        except httpx2.TransportError as error:
            return error


# -- shared with the asynchronous client ---------------------------------------------------------


def headers(key: str) -> dict[str, str]:
    """Give the headers of every request."""
    return {"Authorization": f"Bearer {key}", "Accept": "application/json", "User-Agent": AGENT}


def request(
    http: httpx2.Client | httpx2.AsyncClient, call: calls.Call[T], timeout_seconds: float
) -> httpx2.Request:
    """Make the request of a call."""
    return http.build_request(
        call.method,
        call.path,
        params=call.params,
        content=call.content,
        headers=call.headers,
        timeout=httpx2.Timeout(timeout_seconds, read=timeout_seconds + call.wait),
    )


def read(call: calls.Call[T], outcome: httpx2.Response | httpx2.TransportError) -> T:
    """Read what came of a call in the end."""
    if isinstance(outcome, httpx2.TransportError):
        raise UnreachableError(outcome) from outcome
    return call.result(outcome)
