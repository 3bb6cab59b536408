# SPDX-License-Identifier: Apache-2.0
"""A Valkey of the benchmark's own, started as the hub starts its own, in a process beside it."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from bench.hubs import NotReadyError
from hub.adapters.embedded import private_valkey
from hub.adapters.processes import before_exec

PATIENCE = 20.0
"""Seconds that it may take to start, or to end."""


@contextmanager
def running_valkey(data: Path) -> Iterator[str]:
    """Start it on an empty folder; gives its address."""
    data.mkdir(mode=0o700)
    valkey = private_valkey(data, None)
    process = subprocess.Popen(  # noqa: S603 - the wheel's own program, never a shell
        valkey.command,
        stdin=subprocess.DEVNULL,
        # Nothing of a benchmark goes on when it is killed.
        preexec_fn=before_exec(signal.SIGTERM),  # noqa: PLW1509 - as the hub's other processes
    )
    try:
        _await(valkey.url)
        yield valkey.url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _await(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _answers(url):
        if time.monotonic() > deadline:
            raise NotReadyError("Valkey does not answer")
        time.sleep(0.01)


def _answers(url: str) -> bool:
    try:
        return bool(Redis.from_url(url).ping())
    except (RedisError, OSError):
        return False
