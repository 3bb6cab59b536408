# SPDX-License-Identifier: Apache-2.0
"""Canonical bytes: one value has one writing, and every other writing of it is refused.

The bytes are those of RFC 8785 for what this protocol says: member names in ASCII, whole numbers
below 2**53, no fractions. Within these bounds they are what orjson writes with sorted members,
twenty times as fast as the plain scheme; the tests hold the two against each other.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from federation.errors import Alarm, MalformedError
from federation.forms.fields import LARGEST

MAX_BYTES = 512 * 1024  # of one operation
MAX_DEPTH = 64  # of lists and objects in what is not read


def written(value: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a value that keeps to the bounds above."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def read(payload: bytes, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Read canonical bytes.

    Raises:
        MalformedError: They are too many, no object, or not the one writing of what they say:
            two members of one name, another order, a space, a number beyond 64 bits.
    """
    if len(payload) > max_bytes:
        raise MalformedError(f"more than {max_bytes} bytes", Alarm.TOO_LARGE)
    try:
        value = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise MalformedError("not JSON") from error
    if not isinstance(value, dict):
        raise MalformedError("not a JSON object")
    try:
        again = written(value)
    except TypeError as error:
        # It reads deeper than it writes.
        raise MalformedError("deeper than anything here is") from error
    if again != payload:
        raise MalformedError("not in canonical form", Alarm.NON_CANONICAL)
    return value


def within_bounds(value: Any) -> Any:
    """A check of what nobody here reads member by member: it keeps to the bounds above.

    Raises:
        MalformedError: It is deeper than MAX_DEPTH. NON_CANONICAL: two readers might write it in
            two ways.
    """
    left = [(value, 0)]
    while left:
        one, depth = left.pop()
        if depth > MAX_DEPTH:
            raise MalformedError("deeper than anything here is")
        if isinstance(one, dict):
            if not all(map(str.isascii, one)):
                raise MalformedError("a name that is not ASCII", Alarm.NON_CANONICAL)
            left.extend((each, depth + 1) for each in one.values())
        elif isinstance(one, list):
            left.extend((each, depth + 1) for each in one)
        elif isinstance(one, float) or (isinstance(one, int) and abs(one) > LARGEST):
            raise MalformedError("a number that is no small whole one", Alarm.NON_CANONICAL)
    return value
