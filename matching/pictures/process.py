# SPDX-License-Identifier: Apache-2.0
"""One fenced process that hashes, seen from the side that asks it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from matching.pictures.frames import read_frame, write_frame
from matching.pictures.values import PROFILE, HasherError, Refusal, RefusedPictureError

_MAX_ANSWER = 64 * 1024  # bytes
_START_SECONDS = 60.0
_GOODBYE_SECONDS = 5.0
_OUT_OF_MEANS = frozenset({signal.SIGXCPU})
_ROOT = Path(__file__).resolve().parents[2]
# Isolated: no variable, no current folder and no user site decides what it imports.
_COMMAND = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from matching.pictures.worker import main; main()"
)
# It is told nothing of the caller's surroundings, where keys may be. One thread is enough.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Limits:
    """What one picture may cost."""

    seconds: float = 90.0
    """By the clock on the wall; a process that needs longer is killed."""
    cpu_seconds: int = 60
    memory_bytes: int = 2560 * 1024 * 1024
    """Address space of one process (Linux only); a picture of 64 million pixels needs 2 GB."""


class HashingProcess:
    """A running fenced process; used by one thread at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._overdue = False
        arguments = (_ROOT, limits.memory_bytes, limits.cpu_seconds, os.getpid())
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and constants
            [sys.executable, "-I", "-c", _COMMAND, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
        )
        if self._exchange(None, seconds=_START_SECONDS) != PROFILE.encode():
            self.close()
            raise HasherError

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._overdue and self._process.poll() is None

    def ask(self, data: bytes) -> bytes:
        """Have one picture hashed.

        Raises:
            RefusedPictureError: It cost more than a picture may, or crashed the process.
        """
        answer = self._exchange(data, seconds=self._limits.seconds)
        if answer is None:
            raise RefusedPictureError(self._cause())
        return answer

    def close(self) -> None:
        """End it; it holds nothing worth saving."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was not sent is not wanted any more
                cast("BinaryIO", pipe).close()
        self._process.wait()

    def _exchange(self, data: bytes | None, *, seconds: float) -> bytes | None:
        """Send a picture, if there is one, and take an answer; None when there will be none."""
        watchdog = threading.Timer(seconds, self._overrun)
        watchdog.start()
        try:
            if data is not None:
                write_frame(cast("BinaryIO", self._process.stdin), data)
            return read_frame(cast("BinaryIO", self._process.stdout), max_bytes=_MAX_ANSWER)
        except OSError:
            return None
        finally:
            watchdog.cancel()
            # Were it only now about to kill, it would do so under the next picture.
            watchdog.join()

    def _overrun(self) -> None:
        self._overdue = True
        self._process.kill()

    def _cause(self) -> Refusal:
        """Tell why there was no answer, before the process is ended for it."""
        try:
            ended_by = -self._process.wait(_GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            return Refusal.CRASHED
        if self._overdue or ended_by in _OUT_OF_MEANS:
            return Refusal.TOO_DEMANDING
        return Refusal.CRASHED
