# SPDX-License-Identifier: Apache-2.0
"""Catch up with a partner: fetch a page, hold it against its log, hand it over; and again.

One step at a time, so that whoever calls decides when to keep what came, and may stop anywhere.
"""

from federation.believing import Partner, Received
from federation.errors import Alarm, RefusedError, TransportError
from federation.pages import MAX_BYTES, MAX_RECORDS
from federation.ports import Answer, Wire
from federation.trust import Trust, accept_revokes

PAGE_SECONDS = 30.0  # for a page, beside what it waits
LONGEST_WAIT = 25  # seconds
FEWEST = 10  # records that are asked for over the slowest way
FOUND, CONFLICT, GONE = 200, 409, 410
MEDIA_TYPE = "application/json"


def records_next(asked: int, seconds: float | None) -> int:
    """How many records to ask for next, so that they come in time over a slow way too.

    Whoever asked for a full page again and again would never have one where it takes too long.

    Args:
        asked: how many were asked for.
        seconds: that it took; None: it did not come.
    """
    if seconds is None:
        return max(FEWEST, asked // 8)
    return min(MAX_RECORDS, 2 * asked) if seconds < PAGE_SECONDS / 3 else asked


def next_page(wire: Wire, trust: Trust, *, limit: int = MAX_RECORDS, wait: int = 0) -> bytes:
    """Fetch the page that comes next; nothing of it is believed.

    Args:
        wire: to the partner.
        trust: what is believed of it.
        limit: records at most.
        wait: seconds that the partner may take until there is something new.

    Raises:
        TransportError: It did not answer, or not in time, or has no log to show yet.
        RefusedError: ROLLBACK: its log is shorter than it was. GAP: it has forgotten what comes
            next. TRANSPORT: it does not answer as this protocol does.
    """
    path = f"/ops?from={trust.applied}&limit={limit}"
    if trust.is_level:
        path += f"&wait={wait}" if wait else ""
    elif trust.head is not None:
        path += f"&size={trust.head.size}"
    answer = wire.get(path, max_bytes=MAX_BYTES, seconds=PAGE_SECONDS + wait)
    if answer.status == CONFLICT and trust.head is None:
        # Of a hub that has just begun no checkpoint was ever seen, and so none is missing.
        raise TransportError("the partner shows no checkpoint yet")
    return _body(answer)


def early_revokes(
    wire: Wire,
    partner: Partner,
    trust: Trust,
    *,
    start: int,
    now: int,
    limit: int = MAX_RECORDS,
) -> tuple[tuple[Received, ...], int]:
    """Fetch what a partner takes back in entries that are not followed yet.

    Returns:
        revokes, and from where to ask for more; *start* itself when there are no more.

    Raises:
        TransportError: The partner did not answer, or not in time.
        RefusedError: What it answered is not to be believed.
    """
    path = f"/ops?from={start}&limit={limit}&only=revoke"
    body = _body(wire.get(path, max_bytes=MAX_BYTES, seconds=PAGE_SECONDS))
    return accept_revokes(body, partner, trust, now)


def _body(answer: Answer) -> bytes:
    if answer.status == CONFLICT:
        raise RefusedError(Alarm.ROLLBACK, "the log is shorter than the checkpoint it signed")
    if answer.status == GONE:
        raise RefusedError(Alarm.GAP, "the partner has forgotten what comes next: read a bundle")
    if answer.status != FOUND:
        raise TransportError(f"the partner answered {answer.status}")
    if answer.media_type != MEDIA_TYPE:
        raise RefusedError(Alarm.TRANSPORT, "the answer is of another kind")
    return answer.body
