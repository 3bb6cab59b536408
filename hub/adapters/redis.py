# SPDX-License-Identifier: Apache-2.0
"""Open a Redis and make sure that it can be relied upon, however many servers it is made of."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from hub.adapters.embedded import OLDEST
from matching.errors import MalformedAddressError
from matching.stores.addresses import Kind, RedisAddress
from matching.stores.servers import Servers, connect

TIMEOUT = 2.0
"""Seconds within which Redis must answer; the hub keeps answering without it."""


class RedisUnusableError(Exception):
    """A Redis that cannot be relied upon; the sentence says what to do."""


class RedisUnreachableError(RedisUnusableError):
    """No Redis answers at the address."""


@dataclass(frozen=True)
class Usable:
    """A Redis that was found fit.

    Attributes:
        version: of the first server that answered.
        answering: servers that answered.
        known: servers that there are, replicas among them.
    """

    version: str
    answering: int
    known: int

    def __str__(self) -> str:
        told = f"version {self.version}"
        return told if self.known == 1 else f"{told}, {self.answering} of {self.known} answer"


def open_redis(url: str) -> Servers:
    """Open the Redis at *url*; nothing is sent yet.

    Raises:
        RedisUnusableError: The address is none.
    """
    try:
        return connect(url, wait_seconds=TIMEOUT)
    except MalformedAddressError as error:
        raise RedisUnusableError(f"REDIS_URL {error}") from None


def require_usable(url: str, patience: float = 0.0) -> Usable:
    """Check that a Redis answers, is new enough and never drops keys.

    Every server is looked at that holds keys or may come to. Where some do not answer, those that
    do are enough: a hub must be able to start while a part of its Redis is lost.

    Args:
        url: its address.
        patience: seconds to wait for one that is starting.

    Raises:
        RedisUnreachableError: No server answers.
        RedisUnusableError: One is older than 7.0, evicts, or is not run as the address says.
    """
    servers, kind = open_redis(url), RedisAddress.parse(url).kind
    try:
        found, known = _found(servers, kind, patience)
    finally:
        servers.close()
    for one in found:
        _require_fit(one, kind)
    version = str(found[0].get("valkey_version", found[0].get("redis_version")))
    return Usable(version, len(found), known)


def clocks_apart(url: str, now: Callable[[], float]) -> float:
    """Seconds by which our clock and the most distant one of the servers that answer differ."""
    servers, apart = open_redis(url), [0.0]
    for server in servers.everyone():
        with suppress(RedisError, OSError):
            seconds, micros = server.time()
            apart.append(abs(now() - (seconds + micros / 1e6)))
    servers.close()
    return max(apart)


def _require_fit(found: dict[str, Any], kind: Kind) -> None:
    version = str(found.get("redis_version", "0.0"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise RedisUnusableError(
            f"The Redis is version {version}: Breakwater needs Redis 7.0 or newer, or Valkey."
        )
    mode = found.get("server_mode") or found.get("redis_mode")  # Valkey's word, and Redis's
    is_cluster = mode == "cluster"
    if mode == "sentinel":
        raise RedisUnusableError(
            "REDIS_URL names a Sentinel: begin it with redis+sentinel://, and end it with a "
            "service's name."
        )
    if is_cluster != (kind is Kind.CLUSTER):
        scheme = "redis+cluster://" if is_cluster else "redis:// or redis+sentinel://"
        raise RedisUnusableError(
            f"The Redis is {'' if is_cluster else 'not '}a cluster: begin REDIS_URL with {scheme}."
        )
    policy = str(found.get("maxmemory_policy", "unknown"))
    if policy != "noeviction":
        # An evicted key is not an error to Redis, but it is a child left exposed.
        raise RedisUnusableError(
            f"The Redis drops keys when it is full ({policy}): set maxmemory-policy to noeviction "
            "on every server."
        )


def _found(servers: Servers, kind: Kind, patience: float) -> tuple[list[dict[str, Any]], int]:
    """What the servers that answer say of themselves, and how many there are."""
    deadline = time.monotonic() + patience
    while True:
        try:
            everyone = servers.everyone()
            found = list(_told(everyone))
            if found:
                return found, len(everyone)
        except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
            raise RedisUnusableError(
                "The Redis wants other credentials: put user and password into REDIS_URL."
            ) from error
        except ResponseError as error:
            raise RedisUnusableError(_REFUSED[kind]) from error
        except (RedisError, OSError):
            servers.doubt()
        if time.monotonic() >= deadline:
            raise RedisUnreachableError(_SILENT[kind])
        time.sleep(0.01)


def _told(everyone: list[Redis]) -> Iterator[dict[str, Any]]:
    for server in everyone:
        try:
            # INFO, because managed services do not allow CONFIG.
            yield {**server.info("server"), **server.info("memory")}
        except (AuthenticationError, ResponseError):
            raise
        except (RedisError, OSError):
            continue


_SILENT = {
    Kind.SERVER: "No Redis answers at REDIS_URL: start it, or unset REDIS_URL to use our own.",
    Kind.SENTINEL: "No Sentinel at REDIS_URL names a master that answers: start them, or correct "
    "the service's name.",
    Kind.CLUSTER: "No node of the cluster answers at REDIS_URL: start it, or name others.",
}
_RIGHTS = (
    "The Redis refuses what we need of it: Breakwater needs Redis 7.0 or newer, or Valkey, and a "
    "user that may run any command but those of administrators."
)
_REFUSED = {
    Kind.SERVER: _RIGHTS,
    Kind.SENTINEL: "What answers at REDIS_URL is no Sentinel, or refuses: begin the address of a "
    "server with redis://.",
    Kind.CLUSTER: "What answers at REDIS_URL is no cluster, or refuses: begin the address of a "
    "single server with redis://.",
}
