# SPDX-License-Identifier: Apache-2.0
"""Operators and members: admit, list, suspend, resume.

Whoever administers, over HTTP or at the console, comes through here, and each thing changed is one
change in the history. Keys are in ``keys``, sets and their grants in ``sets``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from hub.domain.answers import Answer, Once, at
from hub.domain.changes import ACCESS, SYSTEM, Actor, Event
from hub.domain.errors import ConflictError, NotFoundError
from hub.domain.members import ACTIVE, ADMIN, SUSPENDED, Member, Operator
from hub.domain.sharing import Asker
from hub.ports import BeginWork, Clock, NewId, Secrets, Work
from hub.services import cursors
from hub.services.cursors import MalformedCursorError


class Office(Protocol):
    """The part of the hub that administration needs; the console has no more than this."""

    @property
    def clock(self) -> Clock:
        """The present moment."""
        ...

    @property
    def new_id(self) -> NewId:
        """Makes public ids."""
        ...

    @property
    def secrets(self) -> Secrets:
        """The hub's keys."""
        ...

    @property
    def begin(self) -> BeginWork:
        """Opens units of work."""
        ...


@dataclass(frozen=True)
class Caller:
    """Who administers: with which scopes, for which member and operator, for the audit."""

    actor: Actor
    scopes: frozenset[str]
    member: int | None = None
    operator: int | None = None

    @classmethod
    def of(cls, asker: Asker) -> "Caller":
        """The caller that a key stands for."""
        actor = Actor(asker.operator, asker.member, asker.key)
        return cls(actor, asker.scopes, asker.member, asker.operator)

    @property
    def is_admin(self) -> bool:
        """Whether everything is open to them."""
        return ADMIN in self.scopes


CONSOLE = Caller(SYSTEM, frozenset({ADMIN}))
"""Whoever may run commands on the hub's own machine."""

Kept = TypeVar("Kept")


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


# -- what keys and sets need too -----------------------------------------------------------------


def changed(work: Work, status: int, body: Mapping[str, Any], **ids: Any) -> Answer:
    """Record one change of access, and commit it with its answer."""
    offset = work.record(Event(ACCESS, details=ids))
    answer = work.commit(Answer(status, {**body, "position": at(offset)}))
    if answer is None:
        raise AssertionError("a commit with an answer returns it")
    return answer


def keep_an_admin(work: Work, before: int, now: datetime) -> None:
    """Refuse what would leave nobody to administer the hub.

    Raises:
        ConflictError: There were such keys, and none would be left.
    """
    if before and not work.access.count_admins(now):
        raise ConflictError(
            "This would end the last key that can administer the hub; add another first.",
            "last-admin-key",
        )


def known_operator(public_id: str, work: Work) -> Operator:
    """The operator of that public id; raises NotFoundError."""
    found = work.access.operator(public_id)
    if found is None:
        raise NotFoundError("operator")
    return found


def known_member(public_id: str, work: Work, *, lock: bool = False) -> Member:
    """The member of that public id; raises NotFoundError."""
    found = work.access.member(public_id, lock=lock)
    if found is None:
        raise NotFoundError("member")
    return found


def page(
    of: str,
    rows: Callable[[Work, int, int], list[Any]],
    told: Callable[[Any], dict[str, Any]],
    *,
    cursor: str | None,
    limit: int,
    hub: Office,
) -> dict[str, Any]:
    """A page of a list in the order of internal keys, with the cursor of the next one."""
    with hub.begin.reading() as work:
        timeline = work.history.head().timeline
        after = _after(of, cursor, timeline, hub)
        found = rows(work, after, limit + 1)
    next_cursor = None
    if len(found) > limit:
        values = {"of": of, "after": found[limit - 1].key}
        next_cursor = cursors.sealed(values, timeline=timeline, sealer=hub.secrets.sealer)
    return {"items": [told(one) for one in found[:limit]], "next_cursor": next_cursor}


def _after(of: str, cursor: str | None, timeline: str, hub: Office) -> int:
    if cursor is None:
        return 0
    values = cursors.opened(cursor, timeline=timeline, sealer=hub.secrets.sealer)
    if values.get("of") != of:
        raise MalformedCursorError
    return int(values["after"])


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


def shown(moment: datetime) -> str:
    """A moment as answers show it: RFC 3339, UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
