# SPDX-License-Identifier: Apache-2.0
"""Who speaks: the parties of other hubs' authors, and in which sets they may speak here."""

from collections.abc import Mapping

from federation.operations.values import Operation
from hub.domain.members import ACTIVE
from hub.domain.sharing import Party
from hub.ports import Hub, Work
from hub.services.exchange.origins import UNKNOWN, Source


class Speakers:
    """Whoever speaks in one transaction.

    Args:
        sources: everybody whose word may come, by name.
        hub: ours.
        work: a transaction that writes.
    """

    def __init__(self, sources: Mapping[str, Source], hub: Hub, work: Work) -> None:
        self._sources = sources
        self._hub, self._work = hub, work
        self._now = hub.clock()
        self._operators: dict[str, int] = {}
        self._parties: dict[str, Party] = {}

    def are_heard(self, author: str) -> bool:
        """Whether an author's opinions are given here."""
        del author
        return True

    def key(self, origin: str) -> int | None:
        """Internal key of a hub; None: it is not known here any more."""
        return self._sources.get(origin, UNKNOWN).key

    def sets_of(self, origin: str) -> Mapping[str, int]:
        """The sets in which a hub may speak here."""
        return self._sources.get(origin, UNKNOWN).sets

    def party(self, said: Operation) -> Party:
        """The party of whoever says something, made if it is new."""
        party = self._parties.get(said.author)
        if party is None or party.operator_kind != said.operator_kind:
            party = self._work.directory.author_of(
                said.origin,
                said.author,
                operator=self._operator(said),
                kind=said.operator_kind,
                state=self._sources.get(said.origin, UNKNOWN).state,
            )
            self._parties[said.author] = party
        return party

    def _operator(self, said: Operation) -> int:
        """An organisation is the same through whichever hub it speaks: one vote, not two."""
        if said.operator not in self._operators:
            access = self._work.access
            found = access.operator_named(said.operator) or access.add_operator(
                id=self._hub.new_id("op_"),
                name=said.operator,
                kind=said.operator_kind,
                contacts=[],
                sandbox=False,
                state=ACTIVE,
                created_at=self._now,
            )
            found = found or access.operator_named(said.operator)
            if found is None:
                raise AssertionError("an operator that is neither there nor not")
            self._operators[said.operator] = found.key
        return self._operators[said.operator]
