# SPDX-License-Identifier: Apache-2.0
"""The office: who administers, with what of the hub, and what all of its business has in common.

Each thing changed is one change in the history, whether over HTTP or at the console.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.domain.answers import Answer, at
from hub.domain.changes import ACCESS, SYSTEM, Actor, Event
from hub.domain.errors import ConflictError, NotFoundError
from hub.domain.members import ADMIN, Member, Operator
from hub.domain.sharing import Asker
from hub.ports import BeginWork, Clock, NewId, Secrets, Work
from hub.services import cursors


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
        values = {"after": found[limit - 1].key}
        next_cursor = cursors.sealed(values, of=of, timeline=timeline, sealer=hub.secrets.sealer)
    return {"items": [told(one) for one in found[:limit]], "next_cursor": next_cursor}


def _after(of: str, cursor: str | None, timeline: str, hub: Office) -> int:
    if cursor is None:
        return 0
    values = cursors.opened(cursor, of=of, timeline=timeline, sealer=hub.secrets.sealer)
    return int(values["after"])


def shown(moment: datetime) -> str:
    """A moment as answers show it: RFC 3339, UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
