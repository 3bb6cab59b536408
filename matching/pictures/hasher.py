# SPDX-License-Identifier: Apache-2.0
"""Hash pictures in fenced processes; the caller's own never decodes one.

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
from typing import Self, TypeAlias

from matching.pictures.process import HashingProcess, Limits
from matching.pictures.values import (
    MAX_BYTES,
    HashedPicture,
    Refusal,
    RefusedPictureError,
    hashed_picture,
)

FilePath: TypeAlias = str | os.PathLike[str]


class Hasher:
    """A few processes that hash, started when first needed, replaced when they fail.

    Threads may share one. A process forked off must make its own.
    """

    def __init__(self, *, processes: int = 2, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
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

    def hash_file(self, path: FilePath) -> HashedPicture:
        """Hash the picture in a file.

        Raises:
            RefusedPictureError: It cannot be read, or is not one that the profile hashes.
            HasherError: No process could be started here.
        """
        return self.hash_bytes(_content(Path(path)))

    def hash_files(self, paths: Iterable[FilePath]) -> list[HashedPicture | RefusedPictureError]:
        """Hash many files, several at a time; a refusal stands in the place of its picture.

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

    def _hashed_or_refused(self, path: FilePath) -> HashedPicture | RefusedPictureError:
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


def _content(path: Path) -> bytes:
    """Read a regular file, at most one byte more than a picture may have."""
    try:
        if not path.is_file():
            raise RefusedPictureError(Refusal.NOT_A_FILE)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RefusedPictureError(Refusal.NOT_A_FILE) from error
