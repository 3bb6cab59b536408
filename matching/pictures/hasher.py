# SPDX-License-Identifier: Apache-2.0
"""Hash pictures and videos in fenced processes; the caller's own never decodes one.

with Hasher() as hasher:
    picture = hasher.hash_file("lure.jpg")
    print(picture.pdq, picture.quality)
"""

import os
import queue
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeAlias

from matching.pictures.process import HashingProcess, Limits
from matching.pictures.values import (
    MAX_BYTES,
    HashedPicture,
    Refusal,
    RefusedPictureError,
    hashed_picture,
)
from matching.pictures.video.process import VideoLimits, hash_video
from matching.pictures.video.sniffing import HEAD, is_video
from matching.pictures.video.values import SECONDS_PER_FRAME, HashedVideo

FilePath: TypeAlias = str | os.PathLike[str]
Hashed: TypeAlias = HashedPicture | HashedVideo


class Hasher:
    """A few processes that hash, started when first needed, replaced when they fail.

    Threads may share one. A process forked off must make its own.

    Args:
        processes: how many files are hashed at a time.
        limits: what one picture may cost.
        video_limits: what one video may cost.
        seconds_per_frame: how far apart the frames of a video are that are hashed.
    """

    def __init__(
        self,
        *,
        processes: int = 2,
        limits: Limits | None = None,
        video_limits: VideoLimits | None = None,
        seconds_per_frame: float = SECONDS_PER_FRAME,
    ) -> None:
        self._limits = limits or Limits()
        self._video_limits = video_limits or VideoLimits()
        self._seconds_per_frame = seconds_per_frame
        self._processes = processes
        self._owner = os.getpid()
        self._closed = False
        self._idle: queue.LifoQueue[HashingProcess | None] = queue.LifoQueue()
        for _ in range(processes):
            self._idle.put(None)
        # The kernel ends a process when the *thread* that started it ends, so a thread that
        # lives as long as we do starts them all.
        self._starter = ThreadPoolExecutor(1, "picture-process-starter")

    def hash_bytes(self, data: bytes) -> HashedPicture:
        """Hash a picture by the bytes of its file.

        Raises:
            RefusedPictureError: It is not one that the profile hashes.
            HasherError: No process could be started here.
        """
        if not data:
            raise RefusedPictureError(Refusal.EMPTY)
        if len(data) > MAX_BYTES:
            raise RefusedPictureError(Refusal.TOO_MANY_BYTES)
        return hashed_picture(data, self._asked(data))

    def hash_file(self, path: FilePath) -> Hashed:
        """Hash the picture or video in a file; its first bytes say which it is.

        Raises:
            RefusedPictureError: It cannot be read, or is not one that its profile hashes.
            HasherError: No process could be started here.
        """
        with _opened(Path(path)) as file:
            head = _read(file, HEAD)
            if is_video(head):
                return hash_video(file, self._video_limits, self._seconds_per_frame)
            data = head + _read(file, MAX_BYTES + 1 - len(head))
        return self.hash_bytes(data)

    def hash_files(self, paths: Iterable[FilePath]) -> list[Hashed | RefusedPictureError]:
        """Hash many files, several at a time; a refusal stands in the place of its file.

        Raises:
            HasherError: No process could be started here.
        """
        with ThreadPoolExecutor(self._processes, "picture-hashing") as threads:
            return list(threads.map(self._hashed_or_refused, paths))

    def close(self) -> None:
        """End the processes, after the pictures that they are at."""
        if self._closed:
            return
        self._closed = True
        for _ in range(self._processes):
            if (process := self._idle.get()) is not None:
                process.close()
        self._starter.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _hashed_or_refused(self, path: FilePath) -> Hashed | RefusedPictureError:
        try:
            return self.hash_file(path)
        except RefusedPictureError as error:
            return error

    def _asked(self, data: bytes) -> bytes:
        if os.getpid() != self._owner:
            # Two owners of one pipe would get each other's answers.
            raise RuntimeError("make a Hasher of your own after a fork")
        if self._closed:
            raise RuntimeError("this Hasher is closed")
        process = self._idle.get()
        try:
            if process is None or not process.alive:
                process = self._replaced(process)
            answer = process.ask(data)
        except BaseException:
            # Whatever happened, an answer may still be under way; it must not meet the next one.
            if process is not None:
                process.close()
            self._idle.put(None)
            raise
        self._idle.put(process)
        return answer

    def _replaced(self, process: HashingProcess | None) -> HashingProcess:
        if process is not None:
            process.close()
        return self._starter.submit(HashingProcess, self._limits).result()


def _opened(path: Path) -> BinaryIO:
    """Open a regular file."""
    try:
        if not path.is_file():
            raise RefusedPictureError(Refusal.NOT_A_FILE)
        return path.open("rb")
    except OSError as error:
        raise RefusedPictureError(Refusal.NOT_A_FILE) from error


def _read(file: BinaryIO, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise RefusedPictureError(Refusal.NOT_A_FILE) from error
