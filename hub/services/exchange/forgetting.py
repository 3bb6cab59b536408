# SPDX-License-Identifier: Apache-2.0
"""Forget what was said between hubs once nobody needs it, not even to know that it was revoked."""

from hub.domain.changes import SYSTEM
from hub.ports import Hub

AT_ONCE = 500
GRACE = 86_400
"""Seconds for which a hub remembers its own words longer than others do. Clocks differ: who begins
a register anew, at version 1, must be sure that nobody holds the old one any more."""


def forget(hub: Hub) -> int:
    """Forget registers that are past their time; returns how many.

    What they became has ended before: nothing is live for longer than it is kept.
    """
    now = int(hub.clock().timestamp())
    with hub.begin.writing(SYSTEM) as work:
        gone = work.exchange.forget(now, own=now - GRACE, limit=AT_ONCE)
        if gone:
            work.relays.sweep(now)
            work.commit()
    return gone
