# SPDX-License-Identifier: Apache-2.0
"""Cursors: opaque to their holder, sealed, and bound to the history they were made in."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import orjson

from hub.domain.errors import BadInputError, Flaw, GoneError
from hub.ports import SealBrokenError, Sealer

_BOUND = b"cursor:1:"


class MalformedCursorError(BadInputError):
    """What was sent as a cursor is none of this hub's."""

    slug = "malformed-cursor"

    def __init__(self) -> None:
        detail = "This cursor was not made by this hub; begin without one."
        super().__init__([Flaw(self.slug, detail, None, "cursor")])


def sealed(values: Mapping[str, Any], *, of: str, timeline: str, sealer: Sealer) -> str:
    """A cursor of one list that holds *values* in this timeline."""
    plain = orjson.dumps({**values, "timeline": timeline})
    return base64.urlsafe_b64encode(sealer.seal(plain, _BOUND + of.encode())).decode().rstrip("=")


def opened(text: str, *, of: str, timeline: str, sealer: Sealer) -> dict[str, Any]:
    """What a cursor of one list holds.

    Raises:
        MalformedCursorError: It was not made here, or of another list, or was changed.
        GoneError: It is of another timeline: a backup was restored since.
    """
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        values: dict[str, Any] = orjson.loads(sealer.open(raw, _BOUND + of.encode()))
    except (ValueError, binascii.Error, SealBrokenError) as error:
        raise MalformedCursorError from error
    if values.pop("timeline") != timeline:
        raise GoneError("This cursor belongs to another history; take the snapshot again.")
    return values
