# SPDX-License-Identifier: Apache-2.0
"""Take what a hub says from a bundle: of partners that nobody asks, or that no network reaches.

It is believed as far as what is served would be: the same verification, the same rules, the same
commit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from federation.believing import Partner
from federation.errors import Alarm, FederationError, RefusedError, TransportError
from federation.following import early_revokes, next_page
from federation.identity.values import HubFile
from federation.operations.values import TAKES_BACK
from federation.transport.bundle import BundleWire
from federation.trust import accept
from hub.domain.changes import SYSTEM
from hub.domain.errors import NotFoundError
from hub.ports import Hub
from hub.ports.exchange import ACTIVE, Enrolled, Voice
from hub.services.exchange import partners
from hub.services.exchange.carrying import Told, nobody
from hub.services.exchange.learning import learn
from hub.services.exchange.manifests import adopt
from hub.services.exchange.meeting import meet_all
from hub.services.exchange.pulling import FLOOD, is_flood, is_over
from hub.services.exchange.receiving import receive_revokes, take
from hub.services.exchange.witnessing import settle


@dataclass(frozen=True)
class Read:
    """What came of a bundle.

    Attributes:
        hub: whose it was.
        applied: index of the next entry of its log that is wanted.
        size: of that log, as far as is known.
        kept: operations that changed something.
        refused: operations that are not believed.
    """

    hub: str
    applied: int
    size: int
    kept: int
    refused: int


def introduced(file: BinaryIO, name: str, hub: Hub) -> bool:
    """Learn from a bundle who a partner is that nobody asks; whether it says so.

    It is anybody's who sends it: what is wrong with it is held against nobody.
    """
    try:
        wire = BundleWire(file)
        with hub.begin.reading() as work:
            partner = work.partners.named(name)
        if partner is None or partner.is_asked or wire.hub != name:
            return False
        learn(partner, hub.abroad.identity_by(partner, wire), hub)
    except FederationError:
        return False
    return True


def read_bundle(
    file: BinaryIO, *, hub: Hub, voice: Voice, told: Told = nobody, sender: str | None = None
) -> Read:
    """Take what a partner wrote into a bundle, page by page; what was taken stays taken.

    One without pages tells who the partner is, and is answered how far it was read.

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
        # Whoever posts is told to begin once more; of files nobody knows what comes next.
        has_start = sender is not None or wire.begins == 0
        anew = None if is_told else _unknown
        came = _Reading(name, known, wire, hub, voice, anew=anew, has_start=has_start)
        kept, refused = came.read(partner, told)
    except RefusedError as error:
        # Anybody may have spoilt a file, or kept it back; two signed histories prove a lie. What a
        # partner posts it has signed: that is as if it had been asked.
        is_lie = error.alarm is Alarm.FORK or (sender is not None and is_over(error))
        partners.accuse(partner, error, is_over=is_lie, hub=hub)
        raise
    trust = _heard(partner, hub).trust
    # Whoever posts goes on against the checkpoint that was kept, and no other.
    return Read(name, trust.applied, trust.head.size if trust.head else 0, kept, refused)


def _heard(partner: Enrolled, hub: Hub) -> Enrolled:
    """Keep that a partner was heard, and let its word weigh what that is worth."""
    now, error = hub.clock(), FLOOD if is_flood(partner, hub) else None
    with hub.begin.writing(SYSTEM) as work:
        work.partners.change(partner.key, error=error, reached_at=now)
        fresh = work.partners.keyed(partner.key) or partner
        partners.mark(fresh, int(now.timestamp()), work)
        work.commit()
    return fresh


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


@dataclass(frozen=True)
class _Reading:
    """One bundle, while it is read."""

    name: str
    known: HubFile
    wire: BundleWire
    hub: Hub
    voice: Voice
    anew: Callable[[], Partner] | None
    has_start: bool

    def read(self, partner: Enrolled, told: Told) -> tuple[int, int]:
        """Take all of it that comes next; returns how much was kept, and how much refused."""
        meet_all(partner, self.wire, self.hub, self.voice, only_new=False)
        kept, refused, applied = 0, 0, partner.trust.applied
        if self.wire.begins is not None and self.wire.begins > applied:
            raise RefusedError(Alarm.GAP, f"it begins later than at entry {applied}, the next")
        if self.wire.has_revokes and self.wire.has_next(applied):
            kept += self._take_revokes(partner)
        if is_flood(partner, self.hub):
            # What it adds waits until somebody has looked.
            return kept + self._take_back(), refused
        while self.wire.has_next(applied):
            taken = self._take()
            kept, refused, applied = kept + taken.kept, refused + taken.refused, taken.applied
            told(taken.entries)
            # It may have said just now whose word it brings: then that is believed by now.
            if taken.is_last and not self._met():
                break
        return kept, refused

    def _met(self) -> int:
        """Learn who they are whose word it brings, by manifests that it brought itself."""
        adopt(self.hub, self.voice)
        partner = self._partner()
        return meet_all(partner, self.wire, self.hub, self.voice, only_new=True)

    def _partner(self) -> Enrolled:
        with self.hub.begin.reading() as work:
            partner = work.partners.named(self.name)
        if partner is None:
            raise NotFoundError("partner")
        return partner

    def _state(self, partner: Enrolled) -> str:
        return partners.weight(partner, int(self.hub.clock().timestamp()))

    def _take_revokes(self, partner: Enrolled) -> int:
        """Take first what is taken back: that must not wait for the rest."""
        settled = settle(partner, self.known, self.hub, self.voice)
        now, kept = int(self.hub.clock().timestamp()), 0
        start = max(partner.revoked_to, partner.trust.applied)
        while True:
            try:
                found, end = early_revokes(self.wire, settled, partner.trust, start=start, now=now)
            except TransportError:
                return kept  # there are no more
            kept += receive_revokes(
                found, end, partner=partner, state=self._state(partner), hub=self.hub
            )
            start = end

    def _take_back(self) -> int:
        """Of pages that wait, take what is taken back; returns how much that was."""
        partner, now, kept = self._partner(), int(self.hub.clock().timestamp()), 0
        settled, trust = settle(partner, self.known, self.hub, self.voice), partner.trust
        while self.wire.has_next(trust.applied):
            accepted = accept(next_page(self.wire, trust), settled, trust, now)
            found = [one for one in accepted.operations if one.operation.op in TAKES_BACK]
            kept += receive_revokes(
                found, partner.revoked_to, partner=partner, state=self._state(partner),
                hub=self.hub,
            )  # fmt: skip
            trust = accepted.trust
            if trust.is_level:
                break
        return kept

    def _take(self) -> "_Taken":
        """Take a page."""
        partner = self._partner()
        page = next_page(self.wire, partner.trust)
        settled = settle(partner, self.known, self.hub, self.voice)
        accepted, came = take(
            page, settled, anew=self.anew, partner=partner, state=self._state(partner),
            hub=self.hub, has_start=self.has_start,
        )  # fmt: skip
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
