# SPDX-License-Identifier: Apache-2.0
"""Sets and their grants: what is shared with whom. A set without grants is shared with nobody."""

from collections.abc import Mapping
from typing import Any

from hub.domain.answers import Answer, Once
from hub.domain.errors import ConflictError, NotFoundError
from hub.domain.members import ACTIVE, Grant, MemberSet, check_grant
from hub.ports import Work
from hub.services.office import Caller, Office, changed, known_member, page, shown


def add_set(
    values: Mapping[str, Any], *, by: Caller, hub: Office, once: Once | None = None
) -> Answer:
    """Make a set; nobody is in it yet.

    Raises:
        ConflictError: Its name is taken.
    """
    with hub.begin.writing(by.actor, once) as work:
        made = work.access.add_set(
            id=hub.new_id("set_"), state=ACTIVE, created_at=hub.clock(), **values
        )
        if made is None:
            raise ConflictError("There is a set of that name already.", "name-taken")
        return changed(work, 201, told_set(made), set=made.id)


def list_sets(cursor: str | None, limit: int, *, by: Caller, hub: Office) -> dict[str, Any]:
    """A page of the sets in which the caller has a grant; for an administrator of all sets."""

    def rows(work: Work, after: int, most: int) -> list[MemberSet]:
        return work.access.sets(after=after, limit=most, member=by.member, granted=not by.is_admin)

    return page("sets", rows, told_set, cursor=cursor, limit=limit, hub=hub)


def show_set(public_id: str, *, by: Caller, hub: Office) -> dict[str, Any]:
    """One set with the caller's rights in it; an administrator sees everybody's.

    Raises:
        NotFoundError: There is none, or the caller has no grant in it.
    """
    with hub.begin.reading() as work:
        found = work.access.set(public_id, member=by.member)
        if found is None or not (by.is_admin or found.rights):
            raise NotFoundError("set")
        told = told_set(found)
        if by.is_admin:
            told["grants"] = [told_grant(one) for one in work.access.grants(found.key)]
    return told


def grant(
    set_id: str,
    member_id: str,
    rights: frozenset[str],
    *,
    by: Caller,
    hub: Office,
    once: Once | None = None,
) -> Answer:
    """Give a member exactly these rights in a set.

    Raises:
        NotFoundError: There is no such set or member.
        BadInputError: The set's label or the sandbox forbids it.
    """
    now = hub.clock()
    with hub.begin.writing(by.actor, once) as work:
        found = _known_set(set_id, work)
        member = known_member(member_id, work)
        check_grant(rights, member, found)
        work.access.put_grant(found.key, member.key, rights, now)
        told = {"set": found.id, **told_grant(Grant(found.key, member.id, rights, now))}
        return changed(work, 200, told, set=found.id, member=member.id, rights=sorted(rights))


def end_grant(
    set_id: str, member_id: str, *, by: Caller, hub: Office, once: Once | None = None
) -> Answer:
    """Take a member's grant in a set away: at once it sees nothing of it.

    Raises:
        NotFoundError: There is no such set, member or grant.
    """
    with hub.begin.writing(by.actor, once) as work:
        found = _known_set(set_id, work)
        member = known_member(member_id, work)
        if not work.access.drop_grant(found.key, member.key):
            raise NotFoundError("grant")
        told = {"set": found.id, "member": member.id, "rights": []}
        return changed(work, 200, told, set=found.id, member=member.id, rights=[])


def _known_set(public_id: str, work: Work) -> MemberSet:
    found = work.access.set(public_id)
    if found is None:
        raise NotFoundError("set")
    return found


def told_set(one: MemberSet) -> dict[str, Any]:
    """A set as answers show it."""
    return {
        "id": one.id,
        "name": one.name,
        "tlp": one.tlp,
        "onward": one.onward,
        "sandbox": one.sandbox,
        "state": one.state,
        "rights": sorted(one.rights),
        "created_at": shown(one.created_at),
    }


def told_grant(one: Grant) -> dict[str, Any]:
    """A grant as answers show it."""
    return {
        "member": one.member_id,
        "rights": sorted(one.rights),
        "changed_at": shown(one.changed_at),
    }
