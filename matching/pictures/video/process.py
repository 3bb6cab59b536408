# SPDX-License-Identifier: Apache-2.0
"""One fenced process for one video, seen from the side that asks it."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from matching.pictures.frames import read_frame
from matching.pictures.values import Refusal
from matching.pictures.video.values import (
    MAX_BYTES,
    SECONDS_PER_FRAME,
    HashedVideo,
    RefusedVideoError,
    frames_of,
)

_MAX_ANSWER = 512 * 1024  # bytes; 5,000 frames need 250,000
_ROOT = Path(__file__).resolve().parents[3]
# Isolated: no variable, no current folder and no user site decides what it imports.
_COMMAND = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from matching.pictures.video.worker import main; main()"
)
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class VideoLimits:
    """What one video may cost."""

    seconds: float = 1800.0
    """By the clock on the wall; a process that needs longer is killed."""
    cpu_seconds: int = 1200
    memory_bytes: int = 2560 * 1024 * 1024
    """Address space of the process (Linux only)."""


def hash_video(
    file: BinaryIO, limits: VideoLimits, seconds_per_frame: float = SECONDS_PER_FRAME
) -> HashedVideo:
    """Hash the video in an open file; it is read from its beginning, here and there.

    Raises:
        RefusedVideoError: It is not one that the profile hashes.
    """
    if os.fstat(file.fileno()).st_size > MAX_BYTES:
        raise RefusedVideoError(Refusal.TOO_MANY_BYTES)
    # The digests are taken here: who takes over that process lies about the frames alone.
    try:
        sha256, sha1, md5 = _digests(file)
    except OSError as error:
        raise RefusedVideoError(Refusal.NOT_A_FILE) from error
    file.seek(0)
    frames = frames_of(_asked(file, limits, seconds_per_frame))
    return HashedVideo(sha256, sha1, md5, frames, seconds_per_frame)


def _digests(file: BinaryIO) -> tuple[str, str, str]:
    sha256 = hashlib.sha256()
    others = [hashlib.new(name, usedforsecurity=False) for name in ("sha1", "md5")]
    file.seek(0)
    while block := file.read(1 << 20):
        for digest in (sha256, *others):
            digest.update(block)
    return sha256.hexdigest(), others[0].hexdigest(), others[1].hexdigest()


def _asked(file: BinaryIO, limits: VideoLimits, seconds_per_frame: float) -> bytes:
    arguments = (_ROOT, limits.memory_bytes, limits.cpu_seconds, os.getpid(), seconds_per_frame)
    # It ends with the thread that started it; that is this one, which waits for it.
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and constants
        [sys.executable, "-I", "-c", _COMMAND, *map(str, arguments)],
        stdin=file,
        stdout=subprocess.PIPE,
        env=_ENVIRONMENT,
        cwd="/",
    )
    overdue = threading.Event()

    def overrun() -> None:
        overdue.set()
        process.kill()

    watchdog = threading.Timer(limits.seconds, overrun)
    watchdog.start()
    with process:
        try:
            answer = read_frame(cast("BinaryIO", process.stdout), max_bytes=_MAX_ANSWER)
            if answer is None and not overdue.is_set():
                process.wait()
        finally:
            watchdog.cancel()
            process.kill()
    if answer is None:
        is_too_much = overdue.is_set() or process.returncode == -signal.SIGXCPU
        raise RefusedVideoError(Refusal.TOO_DEMANDING if is_too_much else Refusal.CRASHED)
    return answer
