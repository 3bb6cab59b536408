# SPDX-License-Identifier: Apache-2.0
"""Text, numbers and bytes as lines write them: one way each, and any other is refused.

What could be written in two ways could be signed in one and read in the other.
"""

import base64
import binascii
import re

from federation.errors import Alarm, MalformedError

MAX_NUMBER = 2**63 - 1  # what every implementation can count to
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_DECIMAL = re.compile(rb"0|[1-9][0-9]{0,18}")


def checked_text(data: bytes) -> str:
    """Read UTF-8 in which newlines are the only ASCII control characters.

    Raises:
        MalformedError: It is other bytes.
    """
    if _CONTROL.search(data):
        raise MalformedError("control characters in a text")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("not UTF-8") from error


def number(text: bytes) -> int:
    """Read a number: decimal digits without leading zeros, at most MAX_NUMBER.

    Raises:
        MalformedError: It is not one.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_NUMBER:
        raise MalformedError("a number is not written in plain decimal digits")
    return int(text)


def base64_of(data: bytes) -> bytes:
    """Write bytes in standard base64, with padding."""
    return base64.b64encode(data)


def from_base64(text: bytes) -> bytes:
    """Read bytes from standard base64, with padding, written as :func:`base64_of` writes it.

    Raises:
        MalformedError: It is not base64, or not the one way to write these bytes.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise MalformedError("not base64") from error
    if base64_of(data) != text:
        raise MalformedError("base64 that could be written otherwise", Alarm.NON_CANONICAL)
    return data
