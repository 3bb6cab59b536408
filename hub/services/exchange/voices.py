# SPDX-License-Identifier: Apache-2.0
"""By what this hub speaks, while that may be changed by another process."""

from hub.ports import Hub
from hub.ports.exchange import Voice


def is_current(voice: Voice, hub: Hub) -> bool:
    """Whether our log, and the key that signs what is in it, are what they were."""
    now = hub.abroad.voice()
    # Without an identity it was given its voice, and nobody changes that.
    return now is None or (now.op_id, now.log.origin) == (voice.op_id, voice.log.origin)
