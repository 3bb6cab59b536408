# SPDX-License-Identifier: Apache-2.0
"""Carry what a hub says in a file: for partners that no network reaches, or that reach none.

What is written is what the partner would be served, and what is read is believed as far as what is
served would be: the same verification, the same rules, the same commit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from federation.believing import Partner
from federation.errors import Alarm, RefusedError
from federation.following import next_page
from federation.identity.values import HubFile
from federation.pages import MAX_RECORDS, Page
from federation.transport.bundle import BundleWire, write
from hub.domain.errors import NotFoundError
from hub.ports import Hub
from hub.ports.exchange import ACTIVE, Enrolled, Voice
from hub.services.exchange import partners, serving
from hub.services.exchange.learning import learn
from hub.services.exchange.receiving import take
from hub.services.exchange.witnessing import settle

Told = Callable[[int], None]
"""Told how many more entries were gone through."""


def _nobody(_entries: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Read:
    """What came of a bundle.

    Attributes:
        hub: whose it was.
        applied: index of the next entry of its log.
        kept: operations that changed something.
        refused: operations that are not believed.
    """

    hub: str
    applied: int
    kept: int
    refused: int


def write_bundle(
    name: str, file: BinaryIO, *, start: int, hub: Hub, voice: Voice, told: Told
) -> int:
    """Write what a partner may have from an entry on; returns how many entries.

    Raises:
        NotFoundError: There is no such partner.
        ConflictError: The log is not so long, or has no checkpoint yet.
    """
    with hub.begin.reading() as work:
        partner = work.partners.named(name)
    if partner is None:
        raise NotFoundError("partner")
    pages = _pages(partner, start, hub, voice, told)
    return write(voice.hub, hub.abroad.files(), pages, file)


def _pages(partner: Enrolled, start: int, hub: Hub, voice: Voice, told: Told) -> Iterator[Page]:
    """Pages against one checkpoint, however the log grows meanwhile."""
    page = serving.page(partner, start=start, size=None, limit=MAX_RECORDS, hub=hub, voice=voice)
    while True:
        yield page
        told(page.end - page.start)
        if page.end == page.size:
            return
        page = serving.page(
            partner, start=page.end, size=page.size, limit=MAX_RECORDS, hub=hub, voice=voice
        )


def read_bundle(
    file: BinaryIO, *, hub: Hub, voice: Voice, told: Told = _nobody, sender: str | None = None
) -> Read:
    """Take what a partner wrote into a bundle, page by page; what was taken stays taken.

    Args:
        file: the bundle.
        hub: ours.
        voice: by what we speak.
        told: told how far it is.
        sender: from whom it must be; None: whoever it says that is a partner.

    Raises:
        NotFoundError: It is of no partner that is followed.
        RefusedError: It is not to be believed, from some page on; that was kept against the
            partner.
    """
    wire = BundleWire(file)
    name = wire.hub
    with hub.begin.reading() as work:
        partner = work.partners.named(name)
    if partner is None or partner.state != ACTIVE or sender not in {None, name}:
        raise NotFoundError("partner")
    try:
        known, is_told = _identity(partner, wire, hub)
        kept, refused = 0, 0
        while True:
            taken = _take(name, known, wire, hub, voice, anew=None if is_told else _unknown)
            kept, refused = kept + taken.kept, refused + taken.refused
            told(taken.entries)
            if taken.is_last:
                return Read(name, taken.applied, kept, refused)
    except RefusedError as error:
        # Anybody may have spoilt a file, or kept it back; two signed histories prove a lie.
        partners.accuse(partner, error, is_over=error.alarm is Alarm.FORK, hub=hub)
        raise


def _identity(partner: Enrolled, wire: BundleWire, hub: Hub) -> tuple[HubFile, bool]:
    """Who the partner is, and whether the repository in the bundle says so.

    What was known is not undone by it.
    """
    try:
        known = hub.abroad.identity_by(partner, wire)
    except RefusedError as error:
        before = partners.identity_of(partner)
        # A bundle may have been on its way for longer than a repository stays fresh.
        if error.alarm is not Alarm.STALE or before is None:
            raise
        return before, False
    learn(partner, known, hub)
    return known, True


def _unknown() -> Partner:
    """Nobody here can say whether a key of an old bundle is its hub's."""
    raise RefusedError(
        Alarm.UNKNOWN_KEY, "no known key signed it, and the bundle is too old to tell"
    )


def _take(
    name: str,
    known: HubFile,
    wire: BundleWire,
    hub: Hub,
    voice: Voice,
    *,
    anew: Callable[[], Partner] | None,
) -> "_Taken":
    """Take a page."""
    with hub.begin.reading() as work:
        partner = work.partners.named(name)
    if partner is None:
        raise NotFoundError("partner")
    state = partners.weight(partner, int(hub.clock().timestamp()))
    page = next_page(wire, partner.trust)
    settled = settle(partner, known, hub, voice)
    accepted, came = take(page, settled, anew=anew, partner=partner, state=state, hub=hub)
    head = accepted.trust.head
    size = head.size if head is not None else 0
    if came is None:  # a follower was quicker: what it took is taken
        return _Taken(0, 0, 0, partner.trust.applied, is_last=False)
    entries = accepted.trust.applied - partner.trust.applied
    return _Taken(entries, came.kept, came.refused, came.applied, is_last=came.applied >= size)


@dataclass(frozen=True)
class _Taken:
    entries: int
    kept: int
    refused: int
    applied: int
    is_last: bool
