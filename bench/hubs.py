# SPDX-License-Identifier: Apache-2.0
"""Real servers, each in a process group and a folder of its own, ended with the block."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.adapters.processes import before_exec
from hub.cli.asking import is_ready
from hub.settings import Address, Settings

PATIENCE = 180.0
"""Seconds that a start may take, kernels compiled and all."""
GRACE = 20.0
LIMITS = {
    # The limits of what one operator may ask are not what is measured.
    "BREAKWATER_REQUESTS_PER_SECOND": "1000000",
    "BREAKWATER_HITS_A_DAY": "1000000000",
}


class NotReadyError(Exception):
    """A server did not come up; its last lines say why."""


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    settings: Settings
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    seconds: float
    """From its start until it was ready."""

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return self.settings.listen.port


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bw-bench-") as made:
        yield Path(made)


@contextmanager
def running_hub(data: Path, **more: str) -> Iterator[Running]:
    """A whole hub by ``breakwater up``."""
    command = [str(Path(sys.executable).with_name("breakwater")), "up", "--no-sandbox"]
    environment = {
        **os.environ,
        "BREAKWATER_DATA": str(data),
        **LIMITS,
        **more,
    }
    environment.pop("REDIS_URL", None)
    with _running(command, environment, data) as server:
        yield server


@contextmanager
def running_flask(data: Path, **more: str) -> Iterator[Running]:
    """An empty Flask view behind granian, set as the hub sets it."""
    command = [sys.executable, "-m", "bench.empty"]
    environment = {**os.environ, "BREAKWATER_DATA": str(data), **more}
    with _running(command, environment, data) as server:
        yield server


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port: int = asking.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], environment: dict[str, str], data: Path) -> Iterator[Running]:
    environment["BREAKWATER_LISTEN"] = f"127.0.0.1:{free_port()}"
    data.mkdir(exist_ok=True, mode=0o700)
    lines = data / "lines.log"
    began = time.perf_counter()
    with lines.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own programs, never a shell
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Nothing of a benchmark goes on when it is killed.
            preexec_fn=before_exec(signal.SIGTERM),  # noqa: PLW1509 - we have one thread here
        )
    try:
        settings = Settings.read(environment)
        _await(settings.listen, process, lines)
        yield Running(settings, environment, process, time.perf_counter() - began)
    finally:
        _end(process)


def _await(listen: Address, process: subprocess.Popen[bytes], lines: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_ready(listen):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReadyError(lines.read_text(errors="replace")[-2000:])
        time.sleep(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
