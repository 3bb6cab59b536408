# SPDX-License-Identifier: Apache-2.0
"""Exclusions: say that a picture must not be found, and say it no more.

It counts as one operator's disagreement, with all entries of its sets that are near it, and
partners that share a set are told.
"""

from collections.abc import Collection, Mapping
from typing import Any

from hub.domain.answers import Answer, at
from hub.domain.changes import EXCLUSION, LINKS, SYSTEM, Event
from hub.domain.errors import ConflictError, ForbiddenError, NotFoundError
from hub.domain.exclusions import MOST_OF_AN_OPERATOR, Exclusion, check_code, radius_of
from hub.domain.members import ACTIVE
from hub.domain.sharing import LOOKUP
from hub.ports import Hub, Work
from hub.services.office import Caller, Office, known_member, shown
from hub.services.opinions import committed

AT_ONCE = 200


def add_exclusion(values: Mapping[str, Any], *, by: Caller, hub: Office) -> Answer:
    """Say for a member's operator that a picture must not be found in some sets.

    Args:
        values: ``member`` and ``sets``, public ids; ``code``, ``radius``, ``reason``, ``expires``.
        by: who administers.
        hub: ours.

    Raises:
        BadInputError: Nothing can be excluded by that code.
        ConflictError: The operator excludes too much already, or does not act here now.
        ForbiddenError: The member may not look into a set.
        NotFoundError: There is no such member or set.
    """
    check_code(values["code"])
    with hub.begin.writing(by.actor) as work:
        member = known_member(values["member"], work)
        if member.state != ACTIVE:
            raise ConflictError("This member is suspended.")
        party = work.directory.party_of(member.key)
        name = hub.new_id("exc_")
        for set_id in dict.fromkeys(values["sets"]):
            found = work.access.set(set_id, member=member.key)
            if found is None:
                raise NotFoundError("set")
            if LOOKUP not in found.rights:
                raise ForbiddenError("This member may not look into the set, nor speak of it.")
            one = Exclusion(
                id=name,
                operator=party.operator,
                operator_kind=party.operator_kind,
                party=party.key,
                set_key=found.key,
                code=values["code"],
                radius=radius_of(values["code"], values["radius"]),
                reason=values["reason"],
                expires=values["expires"],
            )
            if not keep(one, hub, work):
                raise ConflictError("This operator excludes too much in this set already.")
        told = _told(work.exclusions.own(name), work)
        return committed(work, Answer(201, {**told, "position": at(0)}))


def end_exclusion(public_id: str, *, by: Caller, hub: Office) -> Answer:
    """Say an exclusion no more.

    Raises:
        NotFoundError: There is no such exclusion of this hub.
    """
    with hub.begin.writing(by.actor) as work:
        found = work.exclusions.own(public_id)
        if not found:
            raise NotFoundError("exclusion")
        end(found, work)
        return committed(work, Answer(200, {"id": public_id, "ended": True, "position": at(0)}))


def list_exclusions(*, hub: Office) -> list[dict[str, Any]]:
    """What this hub's members exclude now."""
    by_id: dict[str, list[Exclusion]] = {}
    with hub.begin.reading() as work:
        for one in work.exclusions.own():
            by_id.setdefault(one.id, []).append(one)
        return [_told(some, work) for some in by_id.values()]


def end_over(hub: Hub) -> int:
    """End exclusions whose time is over; returns how many."""
    with hub.begin.reading() as work:
        due = work.exclusions.due(hub.clock(), AT_ONCE)
    if not due:
        return 0
    with hub.begin.writing(SYSTEM) as work:
        end([one for key in due if (one := work.exclusions.keyed(key)) is not None], work)
        work.commit()
    return len(due)


# -- shared with what partners say ---------------------------------------------------------------


def keep(one: Exclusion, hub: Office, work: Work) -> bool:
    """Keep an exclusion, which the neighbours job lets vote; False: its operator has too many."""
    if work.exclusions.count(one.operator, one.set_key) >= MOST_OF_AN_OPERATOR:
        return False
    key = work.exclusions.add(one, hub.clock())
    work.record(Event(EXCLUSION, details={"exclusion": one.id, "set": one.set_key, "row": key}))
    return True


def end(some: Collection[Exclusion], work: Work) -> None:
    """End exclusions: their voices are gone at once."""
    for indicator, set_key in work.exclusions.end([one.key for one in some]):
        work.record(Event(LINKS, subject=indicator, details={"set": set_key}))
    for one in some:
        details = {"exclusion": one.id, "set": one.set_key, "ended": True}
        work.record(Event(EXCLUSION, details=details))


def _told(some: list[Exclusion], work: Work) -> dict[str, Any]:
    """One exclusion, with all its sets; whose it is, and never its code."""
    first = some[0]
    speaker = work.directory.speakers([first.party])[first.party]
    sets = {one.key: one.id for one in work.directory.load().sets.values()}
    return {
        "id": first.id,
        "operator": speaker.operator_name,
        "signal": first.code.signal,
        "radius": first.radius,
        "reason": first.reason,
        "sets": [sets[one.set_key] for one in some if one.set_key in sets],
        "expires": shown(first.expires),
    }
