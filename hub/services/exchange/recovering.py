# SPDX-License-Identifier: Apache-2.0
"""After a restore that lost something: take from partners what we had said, and say all anew.

What was said after the copy was made is with the partners that heard it, signed by us. It is kept
as if it had never been lost: what members contributed is theirs again. Then the log is closed
where witnesses saw its end, and another begun, in which everything that holds is said anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from federation.believing import Received
from federation.errors import FederationError
from federation.identity.values import HubFile
from federation.operations.values import Operation, Register
from federation.returned import Own, all_own
from federation.trust import Trust
from hub.domain.changes import LINKS, SYSTEM, Event
from hub.domain.indicators import Draft
from hub.domain.sharing import Party
from hub.ports import Hub, Work
from hub.ports.exchange import ACTIVE, COUNTS, Enrolled, Voice
from hub.services.exchange import partners
from hub.services.exchange.allowing import Allowance
from hub.services.exchange.authors import members_by_author
from hub.services.exchange.effects import Effects
from hub.services.exchange.origins import Source
from hub.services.exchange.receiving import drafted, join
from hub.services.exchange.speakers import Speakers

AT_ONCE = 500


def recover(hub: Hub, voice: Voice, known: HubFile, *, start: int) -> list[str]:
    """Take from all partners what we said from an entry of our log on.

    Args:
        hub: ours.
        voice: by what we speak.
        known: what we say of ourselves: the keys that signed.
        start: entries of our log that are not lost.

    Returns:
        names of partners that did not answer: they may hold more.
    """
    with hub.begin.reading() as work:
        asked = [one for one in work.partners.all() if one.state == ACTIVE]
    missing: list[str] = []
    found: dict[str, Own] = {}
    for partner in asked:
        try:
            found |= {one.said.id: one for one in _held_by(partner, known, start, hub)}
        except FederationError:
            missing.append(partner.hub)
    lost = sorted(found.values(), key=lambda one: one.index)
    for first in range(0, len(lost), AT_ONCE):
        take_back(lost[first : first + AT_ONCE], voice, hub)
    return missing


def _held_by(partner: Enrolled, known: HubFile, start: int, hub: Hub) -> Iterable[Own]:
    said = partners.identity_of(partner)
    if said is None:
        return
    yield from all_own(hub.abroad.wire(partner, said), known, start=start)


def take_back(lost: Sequence[Own], voice: Voice, hub: Hub) -> None:
    """Keep some of what we had said, as if it had never been lost."""
    now = int(hub.clock().timestamp())
    came = [Received(one.index, one.said, one.sealed) for one in lost]
    came = [one for one in came if one.operation.keep > now]
    with hub.begin.writing(SYSTEM) as work:
        members = members_by_author(voice.hub, hub.secrets.pepper, work)
        ourselves = _ourselves(voice.hub, hub.clock(), work)
        # What a member said who was lost as well is said on: nobody else may take it back.
        theirs = [one for one in came if one.operation.author in members]
        drafts, _ = drafted(theirs, {voice.hub: Source(sets=ourselves.sets)})
        effects = OwnEffects(ourselves, drafts, members, hub, work)
        join(came, effects, None, hub, work)
        _note_said(came, work)
        work.commit()


def _note_said(came: Sequence[Received], work: Work) -> None:
    """What came back was said as it is: it need not be said again for being here."""
    kept = work.exchange.registers(one.operation.register for one in came)
    known = work.indicators.by_keys(
        one.indicator for one in kept.values() if one.indicator is not None
    )
    work.exchange.keep(
        [
            replace(one, said=known[one.indicator].n)
            for one in kept.values()
            if one.indicator in known and one.register.kind == "indicator"
        ]
    )


class Unbounded(Allowance):
    """What our own members took back they may take back."""

    def takes(self) -> bool:
        """Whatever it is."""
        return True


class OwnSpeakers(Speakers):
    """Members of this hub, and operators by their first member.

    Args:
        sources: this hub, as if it were a partner.
        members: internal keys of members by author.
        hub: ours.
        work: a transaction that writes.
    """

    def __init__(
        self, sources: Mapping[str, Source], members: Mapping[str, int], hub: Hub, work: Work
    ) -> None:
        super().__init__(sources, hub, work)
        self._members = members

    def are_heard(self, author: str) -> bool:
        """Whether that member is here still."""
        return author in self._members

    def party(self, said: Operation) -> Party:
        """The member's own."""
        return self._work.directory.party_of(self._members[said.author])


class OwnEffects(Effects):
    """Carries out once more what members of this hub had called for.

    Args:
        ourselves: this hub, as if it were a partner.
        drafts: what is said of items, by operation.
        members: internal keys of members by author.
        hub: ours.
        work: a transaction that writes.
    """

    def __init__(
        self,
        ourselves: Enrolled,
        drafts: Mapping[str, Draft],
        members: Mapping[str, int],
        hub: Hub,
        work: Work,
    ) -> None:
        who = OwnSpeakers({ourselves.hub: Source(sets=ourselves.sets)}, members, hub, work)
        super().__init__(ourselves, who, drafts, hub, work)

    def of_exclusions(self, changed: Mapping[Register, Operation | None]) -> None:
        """Nothing: what operators here exclude is not made of what they told partners of it."""
        del changed

    def key_of(self, origin: str) -> int | None:
        """Nobody: it is kept of ourselves."""
        del origin
        return None

    def _names(self, targets: Sequence[str]) -> list[str]:
        """Their own: who took one of them while it was lost goes by another from now on."""
        taken = list(self._ended(targets).values())
        speakers = self._work.directory.speakers(one.party for one in taken)
        for one in taken:
            if speakers[one.party].hub is not None:
                self._work.indicators.rename(one.key, self._hub.new_id("ind_"))
                for set_key in one.sets:
                    self._work.record(Event(LINKS, one.key, details={"set": set_key}))
        return super()._names(targets)

    def _allowance(self, origin: str) -> Allowance:
        return Unbounded(origin, None, self._now, self._work)


def _ourselves(name: str, now: datetime, work: Work) -> Enrolled:
    """This hub as if it were a partner that says what we said."""
    return Enrolled(
        key=0,
        hub=name,
        base="",
        root="",
        operators=frozenset(),
        level=COUNTS,
        state=ACTIVE,
        sets={public: key for key, public in work.partners.shared_sets().items()},
        heard=frozenset(),
        identity=None,
        trust=Trust(),
        revoked_to=0,
        refused=0,
        released_until=None,
        reached_at=None,
        error=None,
        created_at=now,
    )
