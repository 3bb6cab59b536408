# SPDX-License-Identifier: Apache-2.0
"""Hits that wait to be settled, in files that outlive the process that told of them.

With a killed process its last second of hits would be lost, and whoever contributes what it was
just told of would count as a voice of its own. What was written to a mapped file stays when its
process goes; a process that lives settles what was left. Only when the machine itself goes within
that second, they are lost.
"""

import contextlib
import fcntl
import mmap
import os
import secrets
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from hub.ports.hits import Hit

_RECORD = struct.Struct("<QQQ")  # operator, indicator, milliseconds; an operator 0 ends
RECORDS = 8_192
"""That fit into one file; then there is another."""


class HitFile:
    """One file of hits. Its lock says that somebody looks after it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._memory = mmap.mmap(descriptor, RECORDS * _RECORD.size)
        self._count = 0

    @staticmethod
    def begin(folder: Path) -> "HitFile":
        """Make a file that nobody takes for one left behind."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f"{secrets.token_hex(8)}.new"
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.ftruncate(descriptor, RECORDS * _RECORD.size)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        path = draft.with_suffix(".hits")
        draft.rename(path)
        return HitFile(path, descriptor)

    @staticmethod
    def found(path: Path) -> "HitFile | None":
        """Take over a file whose process is gone; None if there is none or it lives."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return HitFile(path, descriptor)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another."""
        return self._count == RECORDS

    def add(self, hit: Hit) -> None:
        """Write a hit down; it is in the file when this returns, whatever becomes of us."""
        _RECORD.pack_into(self._memory, self._count * _RECORD.size, *hit)
        self._count += 1

    def hits(self) -> Iterator[Hit]:
        """What was written down."""
        for hit in _RECORD.iter_unpack(self._memory):
            if not hit[0]:
                return
            yield Hit(*hit)

    def close(self, *, settled: bool = True) -> None:
        """Let go of it; once it is settled, delete it."""
        if settled:
            self.path.unlink(missing_ok=True)
        self._memory.close()
        os.close(self._descriptor)


class HitJournal:
    """The files of one process, and those that others left. Not to be called by two at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: list[HitFile] = []

    def note(self, hits: Iterable[Hit]) -> None:
        """Write hits down before anybody is told of them."""
        for hit in hits:
            if not self._files or self._files[-1].is_full:
                self._files.append(HitFile.begin(self._folder))
            self._files[-1].add(hit)

    def turn(self) -> list[HitFile]:
        """Begin anew; returns what was written so far, to be closed once it is settled."""
        files, self._files = self._files, []
        return files

    def left(self) -> Iterator[HitFile]:
        """Each file whose process is gone, to be closed once it is settled."""
        with contextlib.suppress(FileNotFoundError):
            for path in sorted(self._folder.glob("*.hits")):
                file = HitFile.found(path)
                if file is not None:
                    yield file
