# SPDX-License-Identifier: Apache-2.0
"""Change what this hub's word is signed with, so that not one operation falls between two keys.

Both happen in the writer's turn: nothing is appended to the log meanwhile, and whoever was about
to append looks again by which key.
"""

from hub.domain.changes import SYSTEM
from hub.domain.errors import NotFoundError, flaw
from hub.ports import Hub
from hub.ports.exchange import Voice


def change_operation_key(hub: Hub, *, stolen_at: int | None = None) -> str:
    """Sign operations with another key from now on; returns its id.

    Args:
        hub: ours.
        stolen_at: the first entry of our log that is not to be believed, if the old key was
            stolen. All that holds is said anew then, and beats what the thief said.

    Raises:
        NotFoundError: This hub has no identity.
        BadInputError: The log has no such entry.
        MissingKeyError: The key that signs who it is is not here.
    """
    voice = _voice(hub)
    with hub.begin.writing(SYSTEM) as work:
        log = work.logs.open(voice.log.origin, lock=True)
        if stolen_at is not None and stolen_at > log.size:
            raise flaw(
                "beyond-the-log",
                f"The log has {log.size} entries, counted from 0: {stolen_at} would let stand all "
                "that a thief signed. Name the first entry that may be a thief's.",
            )
        return hub.abroad.change_op_key(size=log.size, stolen_at=stolen_at)


def begin_log(hub: Hub, *, size: int | None = None, root: bytes | None = None) -> str:
    """Close our log and begin another, with new keys; returns its name.

    All that holds is said anew, in the log that partners follow from then on.

    Args:
        hub: ours.
        size: entries of the old log that count, if that is not all there are.
        root: hash over them.

    Raises:
        NotFoundError: This hub has no identity.
        MissingKeyError: The key that signs who it is is not here.
    """
    voice = _voice(hub)
    with hub.begin.writing(SYSTEM) as work:
        log = work.logs.open(voice.log.origin, lock=True)
        if size is None or root is None:
            size, root = log.size, log.frontier.root()
        return hub.abroad.begin_log(size=size, root=root)


def _voice(hub: Hub) -> Voice:
    voice = hub.abroad.voice()
    if voice is None:
        raise NotFoundError("identity")
    return voice
