# SPDX-License-Identifier: Apache-2.0
"""When to ask again, and after how long.

Everything may be sent again: what only reads harms nobody, and what writes carries an
Idempotency-Key, under which a hub carries it out once.
"""

import random
from dataclasses import dataclass
from http import HTTPStatus

import httpx2

_PASSING = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(frozen=True)
class Retry:
    """How patient a client is.

    Attributes:
        attempts: how often a request is sent at most.
        first_pause: seconds before the second attempt; each next pause is twice as long.
        longest_pause: seconds; a hub that asks for more is not waited for.
    """

    attempts: int = 4
    first_pause: float = 0.25
    longest_pause: float = 15.0

    def pause(
        self, attempt: int, outcome: httpx2.Response | httpx2.TransportError
    ) -> float | None:
        """Tell how many seconds to wait after attempt number *attempt*; None to leave it there."""
        if attempt >= self.attempts or not _may_pass(outcome):
            return None
        # Many clients that failed together must not come back together.
        backoff = self.first_pause * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        asked = _asked(outcome)
        if asked is not None:
            return max(asked, backoff) if asked <= self.longest_pause else None
        return min(backoff, self.longest_pause)


def _may_pass(outcome: httpx2.Response | httpx2.TransportError) -> bool:
    if isinstance(outcome, httpx2.TransportError):
        return not isinstance(outcome, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError)
    # A hub that is still at the same request says 409 and when to ask again.
    is_busy = outcome.status_code == HTTPStatus.CONFLICT and _asked(outcome) is not None
    return outcome.status_code in _PASSING or is_busy


def _asked(outcome: httpx2.Response | httpx2.TransportError) -> float | None:
    """Tell for how many seconds the hub asked to be left alone."""
    if isinstance(outcome, httpx2.TransportError):
        return None
    text: str = outcome.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None
