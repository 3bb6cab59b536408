# SPDX-License-Identifier: Apache-2.0
"""What a hub's log holds of an operation: a commitment, which tells nothing of what was said.

The operation's id is a hash over bytes with a salt, so the entry may be shown to every partner
and may outlive what it commits to.
"""

from enum import StrEnum

from federation.forms.canonical import written


class Kind(StrEnum):
    """Whose operation a hub serves."""

    OWN = "op"
    RELAY = "relay"


def entry(kind: Kind, operation_id: str, source: str) -> bytes:
    """The entry of an operation, about 130 bytes.

    Args:
        kind: whose it is.
        operation_id: 64 lower-case hex digits.
        source: the hub that signed it.
    """
    return written({"k": kind.value, "op": operation_id, "src": source, "v": 1})
