# SPDX-License-Identifier: Apache-2.0
"""Random bytes of the system, fetched many at a time.

Each fetch lets another thread run, and beside a busy one it takes a hundred times as long to get
its turn again as to fetch. A lookup that tells of a hit shall not wait for twelve bytes.
"""

import os
import threading
from collections.abc import Callable

POOL_BYTES = 4096


class RandomPool:
    """Hands out random bytes, none of them twice; called with how many."""

    def __init__(self, source: Callable[[int], bytes] = os.urandom) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._left = b""
        # A child would hand out what its parent does.
        os.register_at_fork(after_in_child=self._forget)

    def __call__(self, count: int) -> bytes:
        """Return so many random bytes."""
        with self._lock:
            if count > len(self._left):
                self._left = self._source(max(count, POOL_BYTES))
            taken, self._left = self._left[:count], self._left[count:]
        return taken

    def _forget(self) -> None:
        self._lock, self._left = threading.Lock(), b""
