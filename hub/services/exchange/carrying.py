# SPDX-License-Identifier: Apache-2.0
"""Carry what a hub says in bundles: to partners that do not reach it, or that no network reaches.

What is written is what the partner would be served.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import BinaryIO

from federation.pages import MAX_RECORDS, Page
from federation.transport.bundle import MAX_BUNDLE, write
from hub.domain.errors import NotFoundError
from hub.ports import Hub
from hub.ports.exchange import Voice
from hub.services.exchange import serving
from hub.services.exchange.pulling import FAR

Told = Callable[[int], None]
"""Told how many more entries were gone through."""


def nobody(_entries: int) -> None:
    """Nobody watches."""


def introduce(file: BinaryIO, hub: Hub, voice: Voice) -> None:
    """Write a bundle that tells who we are, and nothing that we say."""
    write(voice.hub, hub.abroad.files(), (), file)


class Telling:
    """What a partner may have from an entry of our log on, bundle by bundle.

    Args:
        name: the partner's.
        start: the first entry that it wants.
        size: of the checkpoint to hold them against, which the partner has; None: the newest.
        hub: ours.
        voice: by what we speak.
        told: told how far it is.
        is_ahead: whether the first bundle of a long way tells first what is taken back.

    Raises:
        NotFoundError: There is no such partner.
    """

    def __init__(
        self, name: str, *, start: int, size: int | None = None, hub: Hub, voice: Voice,
        told: Told = nobody, is_ahead: bool = True,
    ) -> None:  # fmt: skip
        with hub.begin.reading() as work:
            partner = work.partners.named(name)
        if partner is None:
            raise NotFoundError("partner")
        self._partner, self._hub, self._voice, self._told = partner, hub, voice, told
        self._pages = self._from(start, size)
        self._next: Page | None = None
        self._is_ahead, self._is_over = is_ahead, False
        self.size = 0
        """Of the checkpoint that it leads to, as far as it was written."""

    @property
    def is_over(self) -> bool:
        """Whether all of it was written."""
        return self._is_over and self._next is None

    def write(
        self, file: BinaryIO, *, max_bytes: int = MAX_BUNDLE, max_pages: int | None = None
    ) -> int:
        """Write as much as fits into a bundle; returns how many entries.

        Raises:
            ConflictError: The log is not so long, or has no checkpoint yet.
            RefusedError: TOO_LARGE: not even one page fits.
        """
        first = self._peek()
        is_far = self._is_ahead and first is not None and first.size - first.start > FAR
        written = write(
            self._voice.hub,
            self._hub.abroad.files(),
            islice(self._left(), max_pages),
            file,
            revokes=self._taken_back(first.start) if first is not None and is_far else (),
            mirror=self._mirror,
            max_bytes=max_bytes,
        )
        self._next, self._is_ahead = written.rest or self._next, False
        self._told(written.entries)
        return written.entries

    def _peek(self) -> Page | None:
        if self._next is None:
            self._next = next(self._pages, None)
        return self._next

    def _left(self) -> Iterator[Page]:
        while (page := self._peek()) is not None:
            self._next, self._is_over = None, page.end == page.size
            self.size = page.size
            yield page

    def _from(self, start: int, size: int | None) -> Iterator[Page]:
        """Pages against one checkpoint, however the log grows meanwhile."""
        while True:
            page = serving.page(
                self._partner, start=start, size=size, limit=MAX_RECORDS, hub=self._hub,
                voice=self._voice,
            )  # fmt: skip
            yield page
            if page.end == page.size:
                return
            start, size = page.end, page.size

    def _taken_back(self, start: int) -> Iterator[Page]:
        while True:
            page = serving.revokes(
                self._partner, start=start, limit=MAX_RECORDS, hub=self._hub, voice=self._voice
            )
            if page.end <= start:
                return
            yield page
            start = page.end

    def _mirror(self, name: str) -> Mapping[str, bytes]:
        """What shows who another hub is, as we would show it over the network."""
        with self._hub.begin.reading() as work:
            known = work.partners.heard_of(name)
        files = {f"{serving.TUF}{path}": it for path, it in self._hub.abroad.mirror(name).items()}
        head = None if known is None else known.trust.head
        return files if head is None else files | {serving.CHECKPOINT: head.note}
