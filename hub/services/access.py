# SPDX-License-Identifier: Apache-2.0
"""Operators and members: admit, list, suspend, resume. Keys are in ``keys``, sets in ``sets``."""

from collections.abc import Mapping
from typing import Any

from hub.domain.answers import Answer, Once
from hub.domain.errors import ConflictError, NotFoundError
from hub.domain.members import ACTIVE, SUSPENDED, Member, Operator
from hub.ports import Work
from hub.services.office import (
    Caller,
    Office,
    changed,
    keep_an_admin,
    known_member,
    known_operator,
    page,
    shown,
)

# -- operators -----------------------------------------------------------------------------------


def add_operator(
    values: Mapping[str, Any], *, by: Caller, hub: Office, once: Once | None = None
) -> Answer:
    """Admit an operator.

    Raises:
        ConflictError: Its name is taken.
    """
    with hub.begin.writing(by.actor, once) as work:
        made = work.access.add_operator(
            id=hub.new_id("op_"), state=ACTIVE, created_at=hub.clock(), **values
        )
        if made is None:
            raise ConflictError("There is an operator of that name already.", "name-taken")
        return changed(work, 201, told_operator(made), operator=made.id)


def list_operators(cursor: str | None, limit: int, *, hub: Office) -> dict[str, Any]:
    """A page of all operators."""

    def rows(work: Work, after: int, most: int) -> list[Operator]:
        return work.access.operators(after=after, limit=most)

    return page("operators", rows, told_operator, cursor=cursor, limit=limit, hub=hub)


def show_operator(public_id: str, *, by: Caller, hub: Office) -> dict[str, Any]:
    """One operator; whoever is no administrator sees their own.

    Raises:
        NotFoundError: There is none, or it is another's.
    """
    with hub.begin.reading() as work:
        found = known_operator(public_id, work)
    if not by.is_admin and found.key != by.operator:
        raise NotFoundError("operator")
    return told_operator(found)


def suspend_operator(
    public_id: str, *, suspended: bool, by: Caller, hub: Office, once: Once | None = None
) -> Answer:
    """Shut out an operator with all its members and keys, or let it in again.

    Raises:
        NotFoundError: There is no such operator.
        ConflictError: It holds the last key that can administer the hub.
    """
    state = SUSPENDED if suspended else ACTIVE
    with hub.begin.writing(by.actor, once) as work:
        work.access.lock_admins()
        found = known_operator(public_id, work)
        before = work.access.count_admins(hub.clock())
        work.access.change_operator(found.key, state=state)
        keep_an_admin(work, before, hub.clock())
        told = {**told_operator(found), "state": state}
        return changed(work, 200, told, operator=found.id, state=state)


# -- members -------------------------------------------------------------------------------------


def add_member(
    operator_id: str, name: str, *, by: Caller, hub: Office, once: Once | None = None
) -> Answer:
    """Add a service of an operator.

    Raises:
        NotFoundError: There is no such operator.
    """
    with hub.begin.writing(by.actor, once) as work:
        operator = known_operator(operator_id, work)
        made = work.access.add_member(
            id=hub.new_id("mem_"),
            operator=operator.key,
            name=name,
            state=ACTIVE,
            created_at=hub.clock(),
        )
        # Made now, so that whoever hears of the member knows by which party it speaks.
        work.directory.party_of(made.key)
        return changed(work, 201, told_member(made), member=made.id, operator=operator.id)


def list_members(
    cursor: str | None, limit: int, *, operator_id: str | None = None, hub: Office
) -> dict[str, Any]:
    """A page of all members, or of one operator's."""

    def rows(work: Work, after: int, most: int) -> list[Member]:
        operator = known_operator(operator_id, work).key if operator_id else None
        return work.access.members(after=after, limit=most, operator=operator)

    return page("members", rows, told_member, cursor=cursor, limit=limit, hub=hub)


def show_member(public_id: str, *, by: Caller, hub: Office) -> dict[str, Any]:
    """One member; whoever is no administrator sees their own.

    Raises:
        NotFoundError: There is none, or it is another's.
    """
    with hub.begin.reading() as work:
        found = known_member(public_id, work)
    if not by.is_admin and found.key != by.member:
        raise NotFoundError("member")
    return told_member(found)


def suspend_member(
    public_id: str, *, suspended: bool, by: Caller, hub: Office, once: Once | None = None
) -> Answer:
    """Shut out a member with all its keys, or let it in again.

    Raises:
        NotFoundError: There is no such member.
        ConflictError: It holds the last key that can administer the hub.
    """
    state = SUSPENDED if suspended else ACTIVE
    with hub.begin.writing(by.actor, once) as work:
        work.access.lock_admins()
        found = known_member(public_id, work)
        before = work.access.count_admins(hub.clock())
        work.access.change_member(found.key, state=state)
        keep_an_admin(work, before, hub.clock())
        return changed(
            work, 200, {**told_member(found), "state": state}, member=found.id, state=state
        )


def told_operator(operator: Operator) -> dict[str, Any]:
    """An operator as answers show it."""
    return {
        "id": operator.id,
        "name": operator.name,
        "kind": operator.kind,
        "contacts": list(operator.contacts),
        "sandbox": operator.sandbox,
        "state": operator.state,
        "created_at": shown(operator.created_at),
    }


def told_member(member: Member) -> dict[str, Any]:
    """A member as answers show it."""
    return {
        "id": member.id,
        "operator": member.operator_id,
        "name": member.name,
        "sandbox": member.sandbox,
        "state": member.state,
        "created_at": shown(member.created_at),
    }
