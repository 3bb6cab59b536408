# SPDX-License-Identifier: Apache-2.0
"""Which requests of partners came already, remembered in Redis for as long as they could be used.

- ``{bw:<instance>}:nonce:<sha256>``: one request, by the id of its key and its nonce.
- ``{bw:<instance>}:nonces-born``: since when requests are remembered, in seconds since 1970.

Both are in one slot of a cluster, so that one transaction can ask for both: a Redis that lost its
nonces has lost the second key too, and is not believed until all that it may have forgotten has
ended. What a fail-over loses of the last second is not noticed: the key's age comes with it.
"""

import math
from collections.abc import Callable
from hashlib import sha256
from typing import cast

from redis.exceptions import RedisError

from federation.errors import TransportError
from federation.transport.claims import KEEP_NONCES, WINDOW
from hub.ports import Clock
from matching.stores.servers import Servers


class RedisNonces:
    """``Nonces`` that all processes of a hub share.

    Args:
        servers: the hub's Redis.
        instance: the hub's.
        clock: the one that requests are measured by.
        named_since: since when the hub has a name, in seconds since 1970; 0: it has none. The
            first request may come before anybody has called ``begin``.
    """

    def __init__(
        self,
        servers: Servers,
        instance: str,
        *,
        clock: Clock,
        named_since: Callable[[], int] = lambda: 0,
    ) -> None:
        self._servers, self._clock, self._named_since = servers, clock, named_since
        self._tag = f"{{bw:{instance}}}"
        self._birth = f"{self._tag}:nonces-born"

    def begin(self, none_before: int = 0) -> None:
        """Begin to remember, if it is not begun: the sooner, the sooner it can be relied on.

        Without it the first request begins it, and is not new.

        Args:
            none_before: no request to us can have been signed before, in seconds since 1970: then
                we had no name. So nothing can be lost of a memory that begins right after.

        Raises:
            TransportError: Redis is away.
        """
        try:
            self._servers.holding(self._birth).set(self._birth, self._born(none_before), nx=True)
        except (RedisError, OSError) as error:
            self._servers.doubt()
            raise TransportError("nobody can remember requests now") from error

    def is_new(self, key_id: str, nonce: str, created: int) -> bool:
        """See ``federation.ports.Nonces``."""
        key = f"{self._tag}:nonce:{_name(key_id, nonce)}"
        try:
            is_unknown, born = self._remembered(key)
        except (RedisError, OSError, ValueError) as error:
            self._servers.doubt()
            raise TransportError("nobody can tell whether a request came already") from error
        return is_unknown and created > born + WINDOW

    def _remembered(self, key: str) -> tuple[bool, int]:
        """Remember a request; return whether it was not, and since when any are."""
        with self._servers.holding(key).pipeline(transaction=True) as together:
            together.set(self._birth, self._born(self._named_since()), nx=True)
            together.get(self._birth)
            # One command tells and remembers: of two at once, one is the first.
            together.set(key, b"", nx=True, ex=KEEP_NONCES)
            _, born, is_unknown = together.execute()
        return bool(is_unknown), int(cast("bytes", born))

    def _born(self, none_before: int) -> int:
        now = self._now()
        return none_before - WINDOW if none_before + WINDOW > now else now

    def _now(self) -> int:
        return math.ceil(self._clock().timestamp())


def _name(key_id: str, nonce: str) -> str:
    """A name of one length, whatever a partner calls its keys and nonces."""
    return sha256(b"%d:%b%b" % (len(key_id), key_id.encode(), nonce.encode())).hexdigest()
