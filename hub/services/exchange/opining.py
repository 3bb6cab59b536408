# SPDX-License-Identifier: Apache-2.0
"""Opinions of other hubs' operators, on what is held here or comes later."""

from collections.abc import Collection
from datetime import UTC, datetime

from federation.operations.payloads import operation_in
from federation.operations.values import Operation, Opinion as Stated, Register
from hub.domain import statements
from hub.domain.changes import OPINION, Event
from hub.domain.indicators import Indicator, Opinion
from hub.domain.sharing import Party
from hub.ports import Hub, Work
from hub.services.exchange.speakers import Speakers
from hub.services.opinions import link_of

SEEN = "seen"
"""An opinion that counts for nothing."""


class Opinions:
    """Gives and takes back opinions in one transaction.

    Args:
        who: speaks.
        hub: ours.
        work: a transaction that writes.
    """

    def __init__(self, who: Speakers, hub: Hub, work: Work) -> None:
        self._who, self._hub, self._work = who, hub, work
        self._now = hub.clock()

    def give(self, said: Operation, body: Stated) -> None:
        """Count an opinion on what its target's hub calls so, in its set."""
        if not self._who.are_heard(said.author):
            return
        origin, name, set_name = said.target.split("/")
        for indicator in self._named(origin, name):
            self._count(said, body, indicator, set_name)

    def _named(self, origin: str, name: str) -> list[Indicator]:
        """What goes by a name at a hub: of one author, unless the hub gave one name twice."""
        keys = {
            one.indicator
            for one in self._work.exchange.about([name], ("indicator",))
            if one.indicator is not None and one.register.origin == origin
        }
        return list(self._work.indicators.by_keys(keys).values())

    def _count(self, said: Operation, body: Stated, about: Indicator, set_name: str) -> None:
        party = self._who.party(said)
        set_key = self._who.sets_of(said.origin).get(set_name)
        if set_key is None or about.operator == party.operator:
            return
        # Once it was in the set, what was said of it there holds if it comes back.
        if set_key not in about.sets and not self._work.votes.described([about.key], [set_key]):
            return
        opinion = statements.read_opinion(body, set_key, said.policy.act)
        at = min(self._now, datetime.fromtimestamp(said.created, UTC))
        if not self._is_known(opinion, about, party, said.origin, at):
            self._keep(opinion, about, party, at)

    def unsay(self, said: Operation) -> None:
        """Let an opinion count for nothing, and be older than whatever its operator says."""
        origin, name, set_name = said.target.split("/")
        set_key, party = self._who.sets_of(said.origin).get(set_name), self._who.party(said)
        for indicator in self._named(origin, name) if set_key is not None else ():
            rows = self._work.opinions.of_entries([indicator.key], set_key or 0)
            if any(row.party == party.key for row in rows):
                nothing = Opinion(set_key or 0, SEEN, None, None, 0, "this")
                self._keep(nothing, indicator, party, datetime.fromtimestamp(0, UTC))

    def _keep(self, opinion: Opinion, about: Indicator, party: Party, at: datetime) -> None:
        key, n = self._work.opinions.add(
            opinion,
            indicator=about.key,
            public_id=self._hub.new_id("opn_"),
            party=party,
            at=at,
        )
        link = link_of(opinion, party.operator, key)
        self._work.votes.link_opinion(about.key, opinion.set_key, link)
        details = {"set": opinion.set_key, "stance": opinion.stance, "reach": opinion.reach}
        self._work.record(Event(OPINION, about.key, n, details))

    def _is_known(
        self, opinion: Opinion, about: Indicator, party: Party, hub: str, at: datetime
    ) -> bool:
        """Whether its operator said that already, or something later, through the same hub."""
        rows = self._work.opinions.of_entries([about.key], opinion.set_key)
        own = [row for row in rows if (row.operator, row.hub) == (party.operator, hub)]
        return any(
            row.at > at
            or (
                row.party == party.key
                and opinion
                == Opinion(
                    row.set_key, row.stance, row.reason, row.basis, row.assessed_by, row.reach
                )
            )
            for row in own
        )

    def give_waiting(self, came: Collection[str], given: Collection[Register]) -> None:
        """Count what was said of indicators before they came, but what was *given* just now."""
        if not came:
            return
        # What was said here counts since it was said here.
        found = [
            one
            for one in self._work.exchange.about(came, ("opinion",))
            if one.said is None and one.register not in given
        ]
        sealed = self._work.exchange.sealed(
            one.operation for one in found if one.operation is not None
        )
        for one in found:
            operation = operation_in(sealed.get(one.operation or 0))
            if operation is not None and isinstance(operation.body, Stated):
                self.give(operation, operation.body)
