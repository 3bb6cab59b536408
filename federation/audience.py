# SPDX-License-Identifier: Apache-2.0
"""Who may have an operation: one rule, asked by whoever gives and by whoever receives.

Nobody is in the audience unless something says so. What shows a victim, and what its label keeps
inside one organisation, never leaves a hub, whatever else is said; nor do accounts, which cross
only as tokens.
"""

from collections.abc import Collection

from federation.operations.values import Assert, Operation

STAYS = frozenset({"red", "amber+strict"})
"""TLP labels under which nothing is handed on."""
VICTIMS = frozenset({"third-party-child", "known-victim"})
"""What a picture depicts that never leaves its hub."""
ACCOUNT = "account"


def may_have(operation: Operation, sets: Collection[str], *, is_relayed: bool = False) -> bool:
    """Whether a hub may be given an operation.

    Args:
        operation: of any origin.
        sets: public ids of the sets that are shared with the hub.
        is_relayed: whether it would come from another hub than its origin.
    """
    policy = operation.policy
    if policy.tlp in STAYS or shows_a_victim(operation):
        return False
    if is_relayed and policy.onward != "set":
        return False
    return is_released(policy.sets, sets)


def is_released(shared_in: Collection[str], sets: Collection[str]) -> bool:
    """Whether what is shared in some sets goes to somebody who has some: nowhere means nobody."""
    return any(one in sets for one in shared_in)


def shows_a_victim(operation: Operation) -> bool:
    """Whether it is about something that stays at home whatever its policy says."""
    body = operation.body
    if not isinstance(body, Assert):
        return False
    return body.item == ACCOUNT or body.words.get("depicts") in VICTIMS
