# SPDX-License-Identifier: Apache-2.0
"""The relay's doorbell over Redis: rung after a commit, lost without harm."""

import logging
import queue
import threading
import time
from contextlib import suppress

from redis.client import PubSub
from redis.exceptions import RedisError

from matching.stores.servers import Servers

log = logging.getLogger(__name__)

PAUSE = 0.25
"""Seconds that the relay sleeps where Redis is away: it then looks by itself."""


class RedisDoorbell:
    """Rings over Redis's publish and subscribe; a thread of its own sends, so nobody waits.

    In a cluster it hangs where the pointer and the stream are: while that node is lost there is
    nothing to be rung for.
    """

    def __init__(self, servers: Servers, instance: str) -> None:
        self._servers = servers
        self._channel = f"{{bw:{instance}}}:doorbell"
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._sender: threading.Thread | None = None
        self._starting = threading.Lock()
        self._listening: PubSub | None = None

    def ring(self) -> None:
        """Ring; never waits and never fails."""
        if self._sender is None:
            self._start()
        self._rings.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait for a ring; False when none came."""
        try:
            if self._listening is None:
                holder = self._servers.holding(self._channel)
                self._listening = PubSub(holder.connection_pool, ignore_subscribe_messages=True)
                self._listening.subscribe(self._channel)
            return self._await_ring(self._listening, seconds)
        except (RedisError, OSError):
            with suppress(RedisError, OSError):
                if self._listening is not None:
                    self._listening.close()
            self._listening = None
            self._servers.doubt()
            time.sleep(PAUSE)
            return False

    @staticmethod
    def _await_ring(listening: PubSub, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if listening.get_message(timeout=left) is not None:
                # What was rung meanwhile is answered by the same look.
                while listening.get_message(timeout=0) is not None:
                    pass
                return True
        return False

    def _start(self) -> None:
        with self._starting:
            if self._sender is None:
                self._sender = threading.Thread(target=self._send, daemon=True, name="doorbell")
                self._sender.start()

    def _send(self) -> None:
        while True:
            self._rings.get()
            with suppress(queue.Empty):
                while True:
                    self._rings.get_nowait()
            try:
                self._servers.holding(self._channel).publish(self._channel, b"")
            except (RedisError, OSError):
                self._servers.doubt()
                log.debug("the doorbell was not heard")
