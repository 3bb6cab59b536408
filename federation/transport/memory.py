# SPDX-License-Identifier: Apache-2.0
"""A way to a partner without a network, and a memory of nonces without a Redis.

For simulations and tests; a hub of one process could remember its nonces here too.
"""

import math
import threading
from collections.abc import Callable

from federation.errors import Alarm, RefusedError
from federation.ports import Answer
from federation.transport.claims import KEEP_NONCES, WINDOW
from federation.transport.heads import check_status

Handle = Callable[[str, str, bytes | None, str], Answer]
"""Answers a method, a path, a body if there is one, and its media type."""


class MemoryWire:
    """``Wire`` to whoever answers in this process; it holds them to what they may answer.

    Args:
        handle: the partner.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, path: str, *, max_bytes: int, seconds: float) -> Answer:  # noqa: ARG002  # nothing here takes any
        """See ``Wire``."""
        return _checked(self._handle("GET", path, None, ""), max_bytes)

    def post(
        self,
        path: str,
        body: bytes,
        *,
        media_type: str,
        max_bytes: int,
        seconds: float,  # noqa: ARG002  # nothing here takes any
    ) -> Answer:
        """See ``Wire``."""
        return _checked(self._handle("POST", path, body, media_type), max_bytes)


class MemoryNonces:
    """``Nonces`` of one process; any thread may ask.

    Args:
        clock: seconds since 1970.
        born: since when it remembers, if there was another before it that is lost.
    """

    def __init__(self, clock: Callable[[], float], *, born: float = -math.inf) -> None:
        self._clock = clock
        self._reliable = born + WINDOW
        self._until: dict[tuple[str, str], float] = {}  # oldest first
        self._asking = threading.Lock()

    def __len__(self) -> int:
        """How many requests it remembers."""
        return len(self._until)

    def is_new(self, key_id: str, nonce: str, created: int) -> bool:
        """See ``Nonces``."""
        with self._asking:
            now = self._clock()
            self._forget(now)
            is_known = (key_id, nonce) in self._until
            self._until.setdefault((key_id, nonce), now + KEEP_NONCES)
        return not is_known and created > self._reliable

    def _forget(self, now: float) -> None:
        while self._until and (oldest := next(iter(self._until.items())))[1] < now:
            del self._until[oldest[0]]


def _checked(answer: Answer, max_bytes: int) -> Answer:
    check_status(answer.status)
    if len(answer.body) > max_bytes:
        raise RefusedError(Alarm.TOO_LARGE, "an answer is larger than was asked for")
    return answer
