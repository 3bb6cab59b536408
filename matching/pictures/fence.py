# SPDX-License-Identifier: Apache-2.0
"""What a process that decodes strangers' pictures may not do, set by itself before the first one.

The fence keeps an accident small: a decoder that runs wild takes this process with it and nothing
else. It holds no keys and no picture after an answer, writes no file, leaves no core dump.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MAX_OPEN_FILES = 32


def fence(*, memory_bytes: int, parent: int) -> None:
    """Fence this process in, for good.

    Args:
        memory_bytes: How much address space it may have.
        parent: The process that it must not outlive.

    Raises:
        SystemExit: The parent is gone already.
    """
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_FSIZE, 0)
    _cap(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    if sys.platform == "linux":
        _cap(resource.RLIMIT_AS, memory_bytes)
        _control(_PR_SET_NO_NEW_PRIVS, 1)
        _control(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the kernel was told to watch it.
    if os.getppid() != parent:
        raise SystemExit(1)


def allow_cpu(seconds: int) -> None:
    """Give this process so many seconds of CPU from now on; the kernel ends it after them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, hard))


def _cap(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def _control(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
