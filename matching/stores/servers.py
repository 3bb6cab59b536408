# SPDX-License-Identifier: Apache-2.0
"""Which server holds a key: the one there is, the master that Sentinel names, a cluster's node.

Whoever asks gets an ordinary client of one server, and so speaks to all three in the same way. A
cluster is asked by ourselves for its slots, because redis-py's own client connects when it is
made, sleeps, and asks every node in turn when one does not answer: longer than the reading path
may wait. Nothing here tries twice: who could not be served asks again when it likes, and then a
new look is taken.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import ClusterDownError, RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from matching.stores.addresses import Host, Kind, RedisAddress

ANSWER_SECONDS = (
    0.25  # how long Redis may take on the reading path, beyond what it is told to wait
)
HEALTH_SECONDS = 30  # a connection that was idle for longer is tried before it is relied upon


class Servers(Protocol):
    """One Redis, however many servers it is made of. Any thread may ask."""

    def holding(self, key: str) -> Redis:
        """Return a client of the server that holds a key.

        Raises:
            RedisError: Nobody tells which that is.
            OSError: The same.
        """
        ...

    def masters(self) -> list[Redis]:
        """Return a client of every server that holds keys; same errors."""
        ...

    def everyone(self) -> list[Redis]:
        """Return a client of every server, those included that may become masters; same errors."""
        ...

    def doubt(self) -> None:
        """Note that a server did not answer as it should: who holds what may have changed."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


def connect(url: str, *, wait_seconds: float = 0.0) -> Servers:
    """Open a Redis as the reading path wants it: short timeouts, no second try; nothing is sent.

    Args:
        url: see `matching.stores.addresses`.
        wait_seconds: longest wait that will be asked of `RedisStore.read`; a writer of large
            checkpoints gives the seconds it can spare.

    Raises:
        MalformedAddressError: The address is none.
    """
    address = RedisAddress.parse(url)
    match address.kind:
        case Kind.SERVER:
            return OneServer(_one(address, wait_seconds))
        case Kind.SENTINEL:
            return _Watched(address, wait_seconds)
        case Kind.CLUSTER:
            return Cluster(address, wait_seconds)


class OneServer:
    """`Servers` that are one."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def holding(self, _key: str) -> Redis:
        """Return the one client."""
        return self._client

    def masters(self) -> list[Redis]:
        """Return the one client."""
        return [self._client]

    def everyone(self) -> list[Redis]:
        """Return the one client."""
        return [self._client]

    def doubt(self) -> None:
        """Do nothing: there is no other."""

    def close(self) -> None:
        """Close it."""
        self._client.close()


class _Watched(OneServer):
    """The master that Sentinels name; asked for anew whenever a connection is made."""

    def __init__(self, address: RedisAddress, wait_seconds: float) -> None:
        self._sentinel = Sentinel(
            address.hosts,
            sentinel_kwargs={**_patience(0.0), **address.sentinel_options},
        )  # type: ignore[no-untyped-call]  # redis-py leaves this class untyped
        self._service = address.service
        self._open = _opener(address, wait_seconds)
        options = {**_patience(wait_seconds), **address.options}
        master: Redis = self._sentinel.master_for(address.service, **options)  # type: ignore[no-untyped-call]  # as above
        super().__init__(master)

    def everyone(self) -> list[Redis]:
        """Return the master and the replicas that the Sentinels know."""
        replicas: list[Host] = []
        with suppress(RedisError, OSError):
            replicas = self._sentinel.discover_slaves(self._service)  # type: ignore[no-untyped-call]  # as above
        return [self._client, *(self._open(host) for host in replicas)]

    def close(self) -> None:
        """Close the connections to the master and to the Sentinels."""
        super().close()
        self._sentinel.close()


@dataclass(frozen=True)
class _Shard:
    """Some slots, the node that holds them, and its replicas."""

    first: int
    last: int
    master: Host
    replicas: tuple[Host, ...]


class Cluster:
    """`Servers` that share the keys among them, by slots."""

    def __init__(self, address: RedisAddress, wait_seconds: float) -> None:
        self._open = _opener(address, wait_seconds)
        self._ask = _opener(address, 0.0)
        self._seeds = address.hosts
        self._turn = list(address.hosts)  # who is asked next
        self._shards: tuple[_Shard, ...] = ()  # replaced, never changed; empty: nobody knows
        self._clients: dict[Host, Redis] = {}
        self._looking = threading.Lock()

    def holding(self, key: str) -> Redis:
        """Return a client of the node that holds a key's slot."""
        slot = key_slot(key.encode())
        for shard in self._known():
            if shard.first <= slot <= shard.last:
                return self._client(shard.master)
        raise ClusterDownError("no node holds the slot")

    def masters(self) -> list[Redis]:
        """Return a client of each node that holds slots."""
        return [self._client(host) for host in {shard.master: None for shard in self._known()}]

    def everyone(self) -> list[Redis]:
        """Return a client of each node and each replica."""
        hosts = {host: None for shard in self._known() for host in (shard.master, *shard.replicas)}
        return [self._client(host) for host in hosts]

    def doubt(self) -> None:
        """Ask the nodes anew when the next key is looked for."""
        self._shards = ()

    def close(self) -> None:
        """Close the connections to all nodes."""
        for client in list(self._clients.values()):
            client.close()

    def _client(self, host: Host) -> Redis:
        # Two threads at once may make two: one of them is dropped before it has connected.
        return self._clients.setdefault(host, self._clients.get(host) or self._open(host))

    def _known(self) -> tuple[_Shard, ...]:
        return self._shards or self._look()

    def _look(self) -> tuple[_Shard, ...]:
        with self._looking:
            if self._shards:
                return self._shards  # another thread has looked meanwhile
            shards = self._asked_around()
            self._shards = shards
            told = {host for shard in shards for host in (shard.master, *shard.replicas)}
            # The next look begins with another: one that was cut off tells what was.
            self._turn = [*self._turn[1:], *self._turn[:1]]
            self._turn = [host for host in self._turn if host in told or host in self._seeds]
            self._turn += [host for host in sorted(told) if host not in self._turn]
            return shards

    def _asked_around(self) -> tuple[_Shard, ...]:
        """Ask node after node, but for no longer than one answer may take."""
        until, failed = time.monotonic() + ANSWER_SECONDS, None
        for host in list(self._turn):
            try:
                return self._asked(host)
            except (RedisError, OSError) as error:
                failed = error
                self._turn = [*(other for other in self._turn if other != host), host]
            if time.monotonic() >= until:
                break
        raise failed or ClusterDownError("no node tells who holds what")

    def _asked(self, host: Host) -> tuple[_Shard, ...]:
        with self._ask(host) as node:
            told = cast("list[Any]", node.execute_command("CLUSTER", "SLOTS"))
        shards = tuple(_shard(host, *one) for one in told)
        if not shards:
            raise ClusterDownError("no node holds any slot")
        return shards


def _shard(asked: Host, first: int, last: int, *nodes: list[Any]) -> _Shard:
    master, *replicas = (_place(asked, node) for node in nodes)
    return _Shard(first, last, master, tuple(replicas))


def _place(asked: Host, node: list[Any]) -> Host:
    name = bytes(node[0] or b"").decode()
    # One that does not know its own name is to be reached as it was.
    return (name if name not in ("", "?") else asked[0]), int(node[1])


def _one(address: RedisAddress, wait_seconds: float) -> Redis:
    if address.path:
        options: dict[str, Any] = {**_patience(wait_seconds), **address.options}
        return Redis(unix_socket_path=address.path, **options)
    return _opener(address, wait_seconds)(address.hosts[0])


def _opener(address: RedisAddress, wait_seconds: float) -> Callable[[Host], Redis]:
    options: dict[str, Any] = {**_patience(wait_seconds), **address.options}
    return lambda host: Redis(*host, **options)


def _patience(wait_seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": ANSWER_SECONDS + wait_seconds,
        # Whatever is waited for then: a server that is there takes a call at once.
        "socket_connect_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": HEALTH_SECONDS,
    }
