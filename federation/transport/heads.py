# SPDX-License-Identifier: Apache-2.0
"""How the head of an answer is read: its status, its length, its type; no I/O."""

import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

from federation.errors import Alarm, RefusedError, TransportError
from federation.transport.messages import Headers, Response

MAX_LINES = 100
LONGEST_WAIT = 3600.0  # seconds that a partner may ask us to stay away
_PARTIAL, _UNAUTHORIZED, _TOO_MANY = 206, 401, 429
_SECONDS_DIGITS = 9
_LENGTH = re.compile(r"[0-9]{1,15}")


def check_status(status: int, wait: float = 0.0) -> None:
    """Tell an answer from what is none.

    Args:
        status: as HTTP numbers them.
        wait: seconds that were asked for.

    Raises:
        TransportError: The partner cannot answer now.
        RefusedError: TRANSPORT: nobody asked for that: a redirect, a part, nothing new.
    """
    if status == _UNAUTHORIZED:
        # It cannot sign that for whom it does not know, so it accuses nobody.
        raise TransportError("the partner does not know who asks, or does not answer us now")
    if status == _TOO_MANY or 500 <= status < 600:  # noqa: PLR2004  # RFC 9110's classes
        raise TransportError(f"the partner answered {status}", wait)
    is_answer = 200 <= status < 300 or 400 <= status < 500  # noqa: PLR2004  # the same
    if not is_answer or status == _PARTIAL:
        raise RefusedError(Alarm.TRANSPORT, f"nobody asked for an answer of {status}")


def lines(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The lines of a head, in order.

    Raises:
        RefusedError: TOO_LARGE: nobody needs as many.
    """
    read = tuple((name.decode("latin-1"), said.decode("latin-1")) for name, said in headers)
    if len(read) > MAX_LINES:
        raise RefusedError(Alarm.TOO_LARGE, "the head of an answer has too many lines")
    return read


def value(came: Response, name: str) -> str:
    """A header's value; of two, another reader might take the other.

    Raises:
        RefusedError: TRANSPORT: It is there twice.
    """
    values = [said.strip() for known, said in came.headers if known.lower() == name]
    if len(values) > 1:
        raise RefusedError(Alarm.TRANSPORT, "an answer says the same thing twice")
    return values[0] if values else ""


def length_of(came: Response) -> int | None:
    """How long its body says it is, if it does.

    Raises:
        TransportError: It says so in two ways, or in none that can be understood.
    """
    length = value(came, "content-length")
    if not length:
        return None
    if value(came, "transfer-encoding") or not _LENGTH.fullmatch(length):
        raise TransportError("an answer does not say in one way how long it is")
    return int(length)


def media_type(came: Response) -> str:
    """Its type without parameters, in lower case; raises as ``value`` does."""
    return value(came, "content-type").partition(";")[0].strip().lower()


def retry_after(said: str, now: float) -> float:
    """Seconds that a partner asks us to wait; nobody may silence us for years."""
    if said.isascii() and said.isdigit():
        longest = "9" * _SECONDS_DIGITS
        return min(float(said if len(said) <= _SECONDS_DIGITS else longest), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(said).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return min(max(until - now, 0.0), LONGEST_WAIT)
