# SPDX-License-Identifier: Apache-2.0
"""Open a Redis and make sure that it can be relied upon."""

import time
from typing import Any

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from hub.adapters.embedded import OLDEST

TIMEOUT = 2.0
"""Seconds within which Redis must answer; the hub keeps answering without it."""
LONGEST_BLOCK = 10.0
"""Seconds beyond which no command of ours waits for an entry of the stream."""


class RedisUnusableError(Exception):
    """A Redis that cannot be relied upon; the sentence says what to do."""


class RedisUnreachableError(RedisUnusableError):
    """No Redis answers at the address."""


def open_redis(url: str) -> Redis:
    """Open the Redis at *url*; nothing is sent yet.

    Raises:
        RedisUnusableError: The address is none.
    """
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=TIMEOUT,
            socket_timeout=TIMEOUT + LONGEST_BLOCK,
            health_check_interval=30,
        )
    except ValueError as error:
        raise RedisUnusableError(
            "REDIS_URL must begin with redis://, rediss:// or unix://."
        ) from error


def require_usable(redis: Redis, patience: float = 0.0) -> str:
    """Check that a Redis answers, is new enough and never drops keys; return its version.

    Args:
        redis: the opened Redis.
        patience: seconds to wait for one that is starting.

    Raises:
        RedisUnreachableError: It does not answer.
        RedisUnusableError: It is older than 7.0, or it evicts.
    """
    server, memory = _info(redis, patience)
    version = str(server.get("redis_version", "0.0"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise RedisUnusableError(
            f"The Redis is version {version}: Breakwater needs Redis 7.0 or newer, or Valkey."
        )
    policy = str(memory.get("maxmemory_policy", "unknown"))
    if policy != "noeviction":
        # An evicted key is not an error to Redis, but it is a child left exposed.
        raise RedisUnusableError(
            f"The Redis drops keys when it is full ({policy}): set maxmemory-policy to noeviction."
        )
    return str(server.get("valkey_version", version))


def _info(redis: Redis, patience: float) -> tuple[dict[str, Any], dict[str, Any]]:
    deadline = time.monotonic() + patience
    while True:
        try:
            # INFO, because managed services do not allow CONFIG.
            return redis.info("server"), redis.info("memory")
        except AuthenticationError as error:
            raise RedisUnusableError(
                "The Redis wants other credentials: put user and password into REDIS_URL."
            ) from error
        except ResponseError as error:
            raise RedisUnusableError(
                "The Redis refuses what we need of it: Breakwater needs Redis 7.0 or newer, or "
                "Valkey, and a user that may run any command but those of administrators."
            ) from error
        except (RedisError, OSError) as error:
            if time.monotonic() >= deadline:
                raise RedisUnreachableError(
                    "No Redis answers at REDIS_URL: start it, or unset REDIS_URL to use our own."
                ) from error
        time.sleep(0.01)
