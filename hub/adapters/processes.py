# SPDX-License-Identifier: Apache-2.0
"""Processes that end with their parent, folders that one process holds, addresses that are free.

A process that outlives its parent would go on answering from a hub that nobody watches any more.
On Linux the kernel sends it a signal when its parent dies; elsewhere a thread looks each half
second.
"""

import ctypes
import errno
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # linux/prctl.h
WATCH_SECONDS = 0.5
ORPHANED = 77
"""How a process exits that found its parent gone."""


class LockedError(Exception):
    """Another process holds the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} is in use by another process.")


class AddressTakenError(Exception):
    """Another program listens where we should."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Another program already listens on {host} port {port}.")


class AddressUnusableError(Exception):
    """The address is not one of this machine, or needs rights we lack."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"Cannot listen on {host} port {port}: {why}.")


def end_with_parent(parent: int, sign: signal.Signals = signal.SIGKILL) -> None:
    """Have this process end when *parent* does; to be called in its main thread.

    SIGKILL is the default because nothing that was acknowledged can be lost by it, and because a
    server that ends politely goes on answering the requests it has.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, sign, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    # The parent may have died before the kernel knew that we care.
    if os.getppid() != parent:
        os._exit(ORPHANED)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(ORPHANED)


def when_asked_to_end(tell: Callable[[], None]) -> None:
    """Have *tell* called, in a thread, when this process is asked to end.

    It is called beside whatever takes the signals, now or later: granian sets its own handlers
    after it has loaded us. In a thread that is not the main one nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    ours, kernels = socket.socketpair()
    # Python writes the number of each signal that it handles there.
    kernels.setblocking(False)  # noqa: FBT003 - the standard library's
    signal.set_wakeup_fd(kernels.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_await_end, args=(ours, kernels, tell), daemon=True).start()


def _await_end(ours: socket.socket, _kernels: socket.socket, tell: Callable[[], None]) -> None:
    # It holds the other end too, which would be closed with the last who knows it.
    while taken := ours.recv(1):
        if taken[0] in {signal.SIGTERM, signal.SIGINT}:
            tell()
            return


def before_exec(sign: signal.Signals = signal.SIGKILL) -> Callable[[], None] | None:
    """What a child of this process runs between fork and exec, to end with it.

    The kernel ties the signal to the thread that forks: only the main thread may start children.
    Returns None where there is no such thing; there the child watches by itself.
    """
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, sign, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(ORPHANED)

    return prepare


@dataclass(frozen=True)
class FolderLock:
    """A folder that this process, and whoever inherits the file, holds."""

    file: IO[str]

    def fileno(self) -> int:
        """The descriptor a child may inherit, so that the lock lasts as long as the child."""
        return self.file.fileno()

    def release(self) -> None:
        """Let go of this process's hold."""
        self.file.close()


def lock_folder(folder: Path, patience: float = 0.0) -> FolderLock:
    """Take hold of *folder*, waiting *patience* seconds for a dying holder.

    The kernel lets go when the process dies, however it dies; a stale lock cannot happen.

    Raises:
        LockedError: Another process holds it.
    """
    file = (folder / "lock").open("a+")
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                file.close()
                raise LockedError(folder) from error
            time.sleep(0.02)
        else:
            return FolderLock(file)


def require_free(host: str, port: int, patience: float = 1.0) -> None:
    """Make sure that nobody listens on an address.

    A plain bind, because granian's shares a taken port silently: half of the requests would go to
    the other program. Waits *patience* seconds for a process of an earlier run that is dying.

    Raises:
        AddressTakenError: Somebody listens there.
        AddressUnusableError: We cannot listen there at all.
    """
    deadline = time.monotonic() + patience
    while not _binds(host, port):
        if time.monotonic() >= deadline:
            raise AddressTakenError(host, port)
        time.sleep(0.05)


def _binds(host: str, port: int) -> bool:
    try:
        family, kind, proto, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            # As a server does: closing connections of an earlier run are no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise AddressUnusableError(
            host, port, (error.strerror or "no such host").lower()
        ) from error
    return True
