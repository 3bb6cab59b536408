# SPDX-License-Identifier: Apache-2.0
"""Operators that say things to a hub, and a plain memory of what it should make of them.

The memory is a list and loops over it: no index, no link, no label. Whatever the hub keeps so as
to be quick is held against it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hub.domain.changes import SYSTEM
from hub.services import upkeep
from hub.storage import tables
from tests.support.codes import distance, flipped, pdq
from tests.support.house import Caller, House
from tests.support.saying import WORDS

PICTURES = tuple(pdq(f"picture {number}") for number in range(2))
CODES = tuple(flipped(one, bits) for one in PICTURES for bits in (0, 10, 16, 24))
"""Few pictures in few variants, so that most of what is said is about the same."""
NEAR, NEIGHBOUR = 31, 16
VICTIM = "known-victim"


@dataclass
class Said:
    """One indicator as it should be."""

    id: str
    by: Caller
    code: str
    derived: str | None
    sets: frozenset[str]
    words: dict[str, Any]
    expires: datetime
    state: str = "live"
    opinions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """The latest of each operator, by operator and set."""


class Community:
    """A hub, who speaks to it, and what was said."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.sets = [house.set("first"), house.set("second")]
        self.callers = [
            house.admit(f"{name}.example.com", sets=sets)
            for name, sets in (("alpha", self.sets), ("beta", self.sets), ("gamma", self.sets[:1]))
        ]
        self.admin = house.admit("hub.example.com", role="admin")
        self.said: list[Said] = []

    def sets_of(self, caller: Caller) -> list[str]:
        """Where the caller may speak and look."""
        return self.sets if caller is not self.callers[2] else self.sets[:1]

    # -- what is done -------------------------------------------------------------------------

    def contribute(self, caller: Caller, code: str, derived: str | None, change: Any) -> None:
        """Say something new."""
        sets, words, days = change
        sets = [one for one in sets if one in self.sets_of(caller)] or self.sets[:1]
        expires = self.house.clock() + timedelta(days=days)
        item = {"kind": "picture", "codes": [{"signal": "pdq", "code": code}, *_derived(derived)]}
        body = {"item": item, "sets": sets, "expires": expires.isoformat(), **WORDS, **words}
        answer = caller.post("/v1/indicators", body, settle=False)
        assert answer.status_code == 201, answer.text
        self.said.append(
            Said(answer.json["id"], caller, code, derived, frozenset(sets), words, expires)
        )

    def revise(self, one: Said, derived: str | None, change: Any) -> None:
        """Say it anew, which brings back what was gone."""
        sets, words, days = change
        sets = [name for name in sets if name in self.sets_of(one.by)] or self.sets[:1]
        expires = self.house.clock() + timedelta(days=days)
        body = {"sets": sets, "expires": expires.isoformat(), **WORDS, **words}
        body["codes"] = _derived(derived)
        answer = one.by.post(f"/v1/indicators/{one.id}/versions", body, settle=False)
        assert answer.status_code == 201, answer.text
        one.sets, one.words, one.expires = frozenset(sets), words, expires
        one.derived, one.state = derived, "live"

    def withdraw(self, one: Said) -> None:
        """Take it back, once."""
        answer = one.by.post(f"/v1/indicators/{one.id}/withdraw", {}, settle=False)
        assert answer.status_code == (201 if one.state == "live" else 409), answer.text
        if one.state == "live":
            one.state = "withdrawn"

    def erase(self, one: Said) -> None:
        """Erase it for good."""
        upkeep.erase(one.id, actor=SYSTEM, hub=self.house.hub)
        self.said.remove(one)

    def opine(self, caller: Caller, one: Said, set_id: str, opinion: dict[str, Any]) -> None:
        """Give an opinion, if the caller may."""
        answer = caller.post(
            f"/v1/indicators/{one.id}/opinions", {"set": set_id, **opinion}, settle=False
        )
        seen = one.state == "live" and set_id in one.sets and set_id in self.sets_of(caller)
        if caller is one.by:
            assert answer.status_code in (403, 404), answer.text
        elif not seen:
            assert answer.status_code == 404, answer.text
        else:
            assert answer.status_code == 201, answer.text
            one.opinions[caller.operator, set_id] = opinion

    def sweep(self) -> None:
        """End what is over."""
        self.house.sweep()
        for one in self.said:
            if one.state == "live" and one.expires <= self.house.clock():
                one.state = "expired"

    # -- what should come of it ---------------------------------------------------------------

    def live(self, set_id: str) -> list[Said]:
        """What is said in a set now."""
        now = self.house.clock()
        return [
            one
            for one in self.said
            if one.state == "live" and set_id in one.sets and now < one.expires
        ]

    def found(self, caller: Caller, code: str) -> set[tuple[str, str]]:
        """What the caller should find by a code: indicator and set."""
        return {
            (one.id, set_id)
            for set_id in self.sets_of(caller)
            for one in self.live(set_id)
            if any(distance(code, held) <= NEAR for held in (one.code, one.derived) if held)
        }

    def held(self, sets: list[str]) -> dict[tuple[str, str], set[str]]:
        """What a follower of some sets should have at home: the codes of each entry."""
        return {
            (one.id, set_id): {held for held in (one.code, one.derived) if held}
            for set_id in sets
            for one in self.live(set_id)
            if one.words.get("depicts") != VICTIM
        }

    def neighbours(self, one: Said, set_id: str) -> list[Said]:
        """Who says something of the same picture in a set."""
        return [
            other
            for other in self.live(set_id)
            if other is not one
            and distance(one.code, other.code) <= NEIGHBOUR
            and other.words.get("harm") == one.words.get("harm")
        ]

    def votes(self, one: Said, set_id: str) -> set[tuple[str, str]]:
        """Who should be linked to an entry: operator, and what by; at most the first of each."""
        near = self.neighbours(one, set_id)
        votes = {(n.by.operator, "contribution") for n in near if n.by is not one.by}
        spoken = {operator for operator, where in one.opinions if where == set_id}
        direct = [(o, said) for (o, where), said in one.opinions.items() if where == set_id]
        reaching = [
            (o, said)
            for n in near
            for (o, where), said in n.opinions.items()
            if where == set_id and said.get("reach") == "near" and o not in spoken
        ]
        return votes | {
            (operator, said["stance"])
            for operator, said in (*direct, *reaching)
            if said["stance"] in ("agree", "disagree")
            and said.get("reason") != "duplicate"
            and operator != one.by.operator
        }

    def linked(self, one: Said, set_id: str) -> set[tuple[str, str]]:
        """Who is linked to an entry, as the hub has it."""
        link, operator, opinion = tables.link, tables.operator, tables.opinion
        statement = (
            sa.select(operator.c.id, opinion.c.stance)
            .select_from(link)
            .join(tables.indicator, tables.indicator.c.key == link.c.indicator)
            .join(tables.sharing_set, tables.sharing_set.c.key == link.c.set_key)
            .join(operator, operator.c.key == link.c.operator)
            .outerjoin(opinion, opinion.c.key == link.c.opinion)
            .where(tables.indicator.c.id == one.id, tables.sharing_set.c.id == set_id)
        )
        with self.house.database.reader.connect() as connection:
            rows = connection.execute(statement).all()
        return {(row.id, row.stance or "contribution") for row in rows}


def _derived(code: str | None) -> list[dict[str, str]]:
    return [{"signal": "pdq", "code": code, "derived": "trim:border"}] if code else []
