# SPDX-License-Identifier: Apache-2.0
"""A hub's first start: two sandbox operators that may try it, a set between them, their keys."""

from typing import Any

from hub.domain.access import scopes_of
from hub.domain.sharing import CONTRIBUTE, LOOKUP, REPLICA
from hub.services.access import add_member, add_operator
from hub.services.keys import add_key
from hub.services.office import CONSOLE, Office
from hub.services.sets import add_set, grant

OPERATORS = ("harbour.example.com", "lighthouse.example.com")
RIGHTS = frozenset({CONTRIBUTE, LOOKUP, REPLICA})


def first_start(hub: Office) -> dict[str, Any]:
    """Make the sandbox; returns what is shown once: the set's id, and each operator's key."""
    sharing = add_set(
        {"name": "sandbox", "tlp": "TLP:GREEN", "onward": "none", "sandbox": True},
        by=CONSOLE,
        hub=hub,
    )
    set_id = str(sharing.body["id"])
    return {"set": set_id, "operators": [_operator(name, set_id, hub) for name in OPERATORS]}


def _operator(name: str, set_id: str, hub: Office) -> dict[str, str]:
    operator = add_operator(
        {"name": name, "kind": "platform", "contacts": (), "sandbox": True}, by=CONSOLE, hub=hub
    )
    member = add_member(str(operator.body["id"]), "main", by=CONSOLE, hub=hub)
    member_id = str(member.body["id"])
    grant(set_id, member_id, RIGHTS, by=CONSOLE, hub=hub)
    wanted = {"name": "first", "scopes": scopes_of("contributor")}
    key = add_key(member_id, wanted, by=CONSOLE, hub=hub)
    return {"operator": name, "member": member_id, "key": str(key.body["secret"])}
