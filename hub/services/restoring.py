# SPDX-License-Identifier: Apache-2.0
"""After a backup was put back: a new timeline, so that nobody mixes two histories."""

from hub.domain.changes import RESTORE, SYSTEM, Event
from hub.ports import BeginWork, NewId
from hub.services.exchange.healing import doubt


def new_timeline(*, begin: BeginWork, new_id: NewId) -> str:
    """Begin a new timeline; cursors, checkpoints and answers of the old one are refused from now.

    Returns:
        Its id.
    """
    timeline = new_id("tl_")
    with begin.writing(SYSTEM) as work:
        work.history.start_timeline(timeline)
        # Partners may have seen more of what we said than there is now.
        doubt(work)
        work.record(Event(RESTORE, details={"timeline": timeline}))
        work.commit()
    return timeline
