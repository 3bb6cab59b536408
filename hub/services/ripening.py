# SPDX-License-Identifier: Apache-2.0
"""Tell followers when time alone has changed a standing.

A vote counts three seconds after it was said. Lookups see that by themselves; a follower sees only
what the history tells, so each change of votes is told once more when its votes have ripened.
"""

from datetime import timedelta

from hub.domain.changes import LINKS, OPINION, SYSTEM, Event
from hub.ports import Hub

CURSOR = "ripening"
AFTER = timedelta(seconds=4)
BATCH = 200


def tell_ripe(hub: Hub) -> int:
    """Record the ripening of the next votes; returns how many positions were looked at."""
    now = hub.clock()
    with hub.begin.reading() as work:
        start = work.history.cursor(CURSOR)
        rows = work.history.after(start, BATCH)
    rows = [row for row in rows if now - row.at >= AFTER]
    if not rows:
        return 0
    ripe = {
        (row.subject, row.details["set"])
        for row in rows
        if row.kind in (LINKS, OPINION) and "set" in row.details and "ripe" not in row.details
    }
    with hub.begin.writing(SYSTEM) as work:
        for subject, set_key in sorted(ripe):
            work.record(Event(LINKS, subject=subject, details={"set": set_key, "ripe": True}))
        if not work.history.advance(CURSOR, expected=start, position=rows[-1].position):
            return 0  # another job was quicker; nothing of this is kept
        work.commit()
    return len(rows)
