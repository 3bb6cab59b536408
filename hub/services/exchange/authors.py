# SPDX-License-Identifier: Apache-2.0
"""Who says something to partners: a pseudonym, stable, and nothing to who has not our pepper."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from hub.ports import Work

MEMBER, OPERATOR = "m", "o"
AT_ONCE = 1000


def author_of(pepper: bytes, hub: str, what: str, public_id: str) -> str:
    """The author by which a member, or an operator, speaks abroad.

    Args:
        pepper: a secret of this hub.
        hub: its name.
        what: MEMBER or OPERATOR.
        public_id: of the member or the operator, here.
    """
    mac = hmac.digest(pepper, f"author:{public_id}".encode(), hashlib.sha256)
    return f"{hub}/{what}/{base64.b32encode(mac)[:16].decode().lower()}"


def members_by_author(hub: str, pepper: bytes, work: Work) -> Mapping[str, int]:
    """Internal keys of members by the authors that they are abroad; of an operator, its first."""
    found: dict[str, int] = {}
    last = 0
    while some := work.access.members(after=last, limit=AT_ONCE):
        for member in some:
            found[author_of(pepper, hub, MEMBER, member.id)] = member.key
            found.setdefault(author_of(pepper, hub, OPERATOR, member.operator_id), member.key)
        last = some[-1].key
    return found
