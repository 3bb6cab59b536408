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
        self._pool, self._taken = b"", 0
        # A child would hand out what its parent does.
        os.register_at_fork(after_in_child=self._forget)

    def __call__(self, count: int) -> bytes:
        """Return so many random bytes."""
        with self._lock:
            begin, self._taken = self._taken, self._taken + count
            if self._taken > len(self._pool):
                self._pool = self._source(max(count, POOL_BYTES))
                begin, self._taken = 0, count
            return self._pool[begin : self._taken]

    def _forget(self) -> None:
        self._lock, self._pool, self._taken = threading.Lock(), b"", 0
