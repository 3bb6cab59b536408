# SPDX-License-Identifier: Apache-2.0
"""Keys of members: make, list, turn, revoke. A key's text is told once and kept nowhere.

It is told once more only to whoever repeats the request that made it: the kept answer is sealed
with the hub's own key (AES-256-GCM) and goes after seven days, as every kept answer does.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from hub.domain.access import SECRET_BYTES, key_mac, key_text
from hub.domain.answers import Answer, Once
from hub.domain.errors import ConflictError, NotFoundError
from hub.domain.members import (
    ACTIVE,
    ADMIN,
    Member,
    MemberKey,
    check_expiry,
    check_power,
    check_room,
    check_scopes,
    role_of,
)
from hub.ports import Work
from hub.services.office import (
    Caller,
    Office,
    changed,
    keep_an_admin,
    known_member,
    page,
    shown,
)


def add_key(
    member_id: str, wanted: Mapping[str, Any], *, by: Caller, hub: Office, once: Once | None = None
) -> Answer:
    """Make a key for a member; *wanted* has ``name``, ``scopes`` and maybe ``expires``.

    Raises:
        NotFoundError: There is no such member.
        ForbiddenError: The key could do more than the caller.
        BadInputError: It would expire too late, or administer from a sandbox.
        ConflictError: The member has two live keys, or is suspended.
    """
    with hub.begin.writing(by.actor, once) as work:
        member = known_member(member_id, work, lock=True)
        return _made(member, wanted, by=by, hub=hub, work=work)


def rotate_key(public_id: str, *, by: Caller, hub: Office, once: Once | None = None) -> Answer:
    """Make the successor of a key, alike in all but its secret; the old one lives on till revoked.

    Raises:
        NotFoundError: There is no such key, or it is another member's.
        ForbiddenError: It can do more than the caller.
        ConflictError: It is dead, or the member has two live keys already.
    """
    with hub.begin.writing(by.actor, once) as work:
        old = _reachable(public_id, by, work)
        member = known_member(old.member_id, work, lock=True)
        if not old.is_live(hub.clock()):
            raise ConflictError("This key is revoked or expired; make a new one.", "key-dead")
        wanted = {"name": old.name, "scopes": old.scopes, "expires": old.expires}
        return _made(member, wanted, by=by, hub=hub, work=work)


def revoke_key(public_id: str, *, by: Caller, hub: Office, once: Once | None = None) -> Answer:
    """End a key.

    Raises:
        NotFoundError: There is no such key, or it is another member's.
        ForbiddenError: It can do more than the caller.
        ConflictError: It was revoked before, or is the last that can administer the hub.
    """
    now = hub.clock()
    with hub.begin.writing(by.actor, once) as work:
        if ADMIN in by.scopes:
            work.access.lock_admins()
        key = _reachable(public_id, by, work)
        check_power(by.scopes, key.scopes)
        if key.revoked_at is not None:
            raise ConflictError("This key is revoked already.", "key-dead")
        before = work.access.count_admins(now)
        work.access.revoke_key(key.key, now)
        keep_an_admin(work, before, now)
        told = {**told_key(key), "revoked_at": shown(now)}
        return changed(work, 200, told, key=key.id, revoked=True)


def list_keys(
    cursor: str | None, limit: int, *, member_id: str | None = None, by: Caller, hub: Office
) -> dict[str, Any]:
    """A page of a member's keys: the caller's own, or for an administrator anyone's.

    Raises:
        NotFoundError: There is no such member, or it is another.
    """

    def rows(work: Work, after: int, most: int) -> list[MemberKey]:
        return work.access.keys(after=after, limit=most, member=_whose(member_id, by, work))

    return page("keys", rows, told_key, cursor=cursor, limit=limit, hub=hub)


def _made(
    member: Member, wanted: Mapping[str, Any], *, by: Caller, hub: Office, work: Work
) -> Answer:
    now = hub.clock()
    check_power(by.scopes, wanted["scopes"])
    check_scopes(wanted["scopes"], sandbox=member.sandbox)
    expires = check_expiry(wanted.get("expires"), now)
    if member.state != ACTIVE:
        raise ConflictError("The member is suspended.", "suspended")
    check_room(work.access.live_keys(member.key, now))
    new_id = hub.new_id("key_")
    text = key_text(new_id, secrets.token_bytes(SECRET_BYTES), sandbox=member.sandbox)
    made = work.access.add_key(
        id=new_id,
        member=member.key,
        name=wanted["name"],
        scopes=wanted["scopes"],
        mac=key_mac(hub.secrets.pepper, text),
        created_at=now,
        expires=expires,
        revoked_at=None,
    )
    told = {**told_key(made), "secret": text}
    return changed(work, 201, told, key=made.id, member=member.id)


def _reachable(public_id: str, by: Caller, work: Work) -> MemberKey:
    key = work.access.key(public_id)
    if key is None or not (by.is_admin or key.member == by.member):
        raise NotFoundError("key")
    return key


def _whose(member_id: str | None, by: Caller, work: Work) -> int:
    if member_id is None and by.member is not None:
        return by.member
    member = known_member(member_id or "", work)
    if not by.is_admin and member.key != by.member:
        raise NotFoundError("member")
    return member.key


def told_key(key: MemberKey) -> dict[str, Any]:
    """A key as answers show it: everything but its text."""
    return {
        "id": key.id,
        "member": key.member_id,
        "name": key.name,
        "role": role_of(key.scopes),
        "scopes": sorted(key.scopes),
        "sandbox": key.sandbox,
        "created_at": shown(key.created_at),
        "expires": shown(key.expires),
        "revoked_at": shown(key.revoked_at) if key.revoked_at else None,
    }
