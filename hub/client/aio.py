# SPDX-License-Identifier: Apache-2.0
"""The client for asyncio: the same methods as ``Client``, awaited.

Hashing runs in threads, so the loop stays free.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from hub.client import answers, calls, files, values
from hub.client.client import TIMEOUT_SECONDS, headers, read, request
from hub.client.retries import Retry
from matching.pictures import FilePath, Hasher

T = TypeVar("T")


class AsyncClient:
    """Talks to one hub with one key; tasks of one loop may share it.

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
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._retry = retry or Retry()
        self._timeout = timeout_seconds
        self._sleep = sleep
        self._owns_hasher = hasher is None
        self.hasher = hasher or Hasher()
        self._http = httpx2.AsyncClient(base_url=url, headers=headers(key), transport=transport)

    async def close(self) -> None:
        """Let go of connections and processes."""
        await self._http.aclose()
        if self._owns_hasher:
            await asyncio.to_thread(self.hasher.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # -- matching --------------------------------------------------------------------------------

    async def match_files(self, paths: Sequence[FilePath]) -> list[files.FileMatch]:
        """Hash pictures and videos here and ask about them; one that is refused harms no other."""
        hashed = await asyncio.to_thread(self.hasher.hash_files, paths)
        items = files.items_of(hashed)
        matches = await self.match_items(items) if items else None
        return files.file_matches(paths, hashed, matches)

    async def match_items(
        self, items: Sequence[values.Item], *, explain: bool = False
    ) -> answers.Matches:
        """Ask about items; a question of any length."""
        parts = calls.match_items(items, explain=explain)
        return answers.merged([await self.send(part) for part in parts])

    async def match_codes(self, codes: Mapping[str, Sequence[str]]) -> answers.Matches:
        """Ask about at most 10,000 plain codes by signal, each an item of its own."""
        return await self.send(calls.match_codes(codes))

    async def match_accounts(
        self, accounts: Sequence[values.Account], *, purpose: str, case: str
    ) -> answers.Matches:
        """Ask about at most 50 accounts."""
        return await self.send(calls.match_accounts(accounts, purpose=purpose, case=case))

    async def report_outcomes(
        self, outcomes: Sequence[values.Outcome], *, once: str | None = None
    ) -> tuple[answers.Row, ...]:
        """Send receipts back with what became of the hits: that is how the network learns."""
        parts = calls.report_outcomes(outcomes, once=once)
        rows = [row for part in parts for row in await self.send(part)]
        return tuple(rows)

    # -- contributing ----------------------------------------------------------------------------

    async def contribute_file(
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
        hashed = await asyncio.to_thread(self.hasher.hash_file, path)
        contribution = values.Contribution.of_file(
            hashed, words, external_id=external_id, digests_only=digests_only
        )
        return await self.contribute(contribution, once=once)

    async def contribute(
        self, contribution: values.Contribution, *, once: str | None = None
    ) -> answers.Kept:
        """Contribute one indicator."""
        return await self.send(calls.contribute(contribution, once=once))

    async def contribute_many(
        self,
        contributions: Sequence[values.Contribution],
        *,
        atomic: bool = False,
        once: str | None = None,
    ) -> tuple[answers.Row, ...]:
        """Contribute many; a bad one is told in its row and harms no other, unless *atomic*."""
        parts = calls.contribute_many(contributions, atomic=atomic, once=once)
        rows = [row for part in parts for row in await self.send(part)]
        return tuple(rows)

    async def revise(
        self,
        indicator: str,
        words: values.Words,
        *,
        derived: Sequence[values.Code] | None = None,
        once: str | None = None,
    ) -> answers.Kept:
        """Say anew what is known of one's own; *derived* replace its derived codes."""
        return await self.send(calls.revise(indicator, words, derived=derived, once=once))

    async def withdraw(
        self, indicator: str, *, reason: str | None = None, once: str | None = None
    ) -> answers.Kept:
        """Withdraw one's own: at once, and alone."""
        return await self.send(calls.withdraw(indicator, reason=reason, once=once))

    async def give_opinion(
        self, indicator: str, opinion: values.Opinion, *, once: str | None = None
    ) -> answers.Kept:
        """Say what one's operator thinks of another's entry."""
        return await self.send(calls.give_opinion(indicator, opinion, once=once))

    async def open_appeal(
        self, indicator: str, ground: str, *, once: str | None = None
    ) -> answers.Kept:
        """Open an appeal; an administrator's."""
        return await self.send(calls.open_appeal(indicator, ground, once=once))

    async def close_appeal(
        self, appeal: str, *, upheld: bool, once: str | None = None
    ) -> answers.Kept:
        """Close an appeal; an administrator's."""
        return await self.send(calls.close_appeal(appeal, upheld=upheld, once=once))

    # -- reading ---------------------------------------------------------------------------------

    async def get(self, indicator: str) -> answers.Indicator:
        """Read one indicator: the whole of one's own, what is told to others else."""
        return await self.send(calls.get(indicator))

    async def list_own(self, *, cursor: str | None = None, limit: int = 100) -> answers.Page:
        """Read a page of what one's operator contributed, oldest first."""
        return await self.send(calls.list_own(cursor=cursor, limit=limit))

    async def changes(
        self,
        cursor: str | None = None,
        *,
        wait: int = 0,
        sets: Sequence[str] = (),
        withdrawals: bool = False,
    ) -> answers.Changes:
        """Read what changed since a cursor, waiting up to 25 s for something new."""
        return await self.send(
            calls.changes(cursor=cursor, wait=wait, sets=sets, withdrawals=withdrawals)
        )

    async def snapshot(self, set_id: str, *, cursor: str | None = None) -> answers.Snapshot:
        """Read a page of everything live in a set."""
        return await self.send(calls.snapshot(set_id, cursor=cursor))

    async def status(self) -> answers.Status:
        """Read how fresh the hub's answers are."""
        return await self.send(calls.status())

    # -- sending ---------------------------------------------------------------------------------

    async def send(self, call: calls.Call[T]) -> T:
        """Send a call, again if need be, and read its answer.

        Raises:
            ApiError: The hub refused.
            UnreachableError: No answer came.
            ProtocolError: The answer is not what the API promises.
        """
        for attempt in count(1):
            outcome = await self._sent(call)
            pause = self._retry.pause(attempt, outcome)
            if pause is None:
                return read(call, outcome)
            await self._sleep(pause)
        raise AssertionError("a retry ends")

    async def _sent(self, call: calls.Call[T]) -> httpx2.Response | httpx2.TransportError:
        try:
            return await self._http.send(request(self._http, call, self._timeout))
        except httpx2.TransportError as error:
            return error
