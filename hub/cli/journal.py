# SPDX-License-Identifier: Apache-2.0
"""How far an import has come, beside its file: one line a finished chunk, only ever appended.

A line that was cut off says nothing; its chunk is sent again under the name it had before, and the
hub carries it out once.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import orjson


class BusyJournalError(Exception):
    """Another import of this file is at work."""


class OtherJournalError(Exception):
    """What was begun is another import: of another content, or to another hub."""


@dataclass(frozen=True)
class Progress:
    """What was done when a chunk was finished.

    Attributes:
        line: the number of the last line that was done.
        end: the offset of the byte after it.
        errors_bytes: how long the file of errors was then.
    """

    chunks: int = 0
    rows: int = 0
    kept: int = 0
    failed: int = 0
    line: int = 0
    end: int = 0
    errors_bytes: int = 0


class Journal:
    """The progress of one import; made by ``open_journal``."""

    def __init__(self, file: BinaryIO, done: Progress) -> None:
        self._file = file
        self.done = done

    def note(self, done: Progress) -> None:
        """Note that a chunk is finished."""
        self._append(asdict(done))
        self.done = done

    def begin(self, name: dict[str, str]) -> None:
        """Forget everything and begin as the import of this name."""
        self._file.truncate(0)
        self._append(name)
        self.done = Progress()

    def _append(self, value: object) -> None:
        self._file.write(orjson.dumps(value) + b"\n")
        self._file.flush()


@contextmanager
def open_journal(path: Path, name: dict[str, str], *, restart: bool) -> Iterator[Journal]:
    """Open the journal of an import, whoever began it; one process at a time.

    Args:
        path: of the journal.
        name: what tells this import from others.
        restart: forget what was done.

    Raises:
        BusyJournalError: Another process is at it.
        OtherJournalError: It is the journal of another import.
        OSError: It cannot be written.
    """
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyJournalError from None
        known, done, end = _read(file)
        journal = Journal(file, done)
        if known is None or restart:
            journal.begin(name)
        elif known != name:
            raise OtherJournalError
        else:
            file.truncate(end)
        yield journal


def _read(file: BinaryIO) -> tuple[object, Progress, int]:
    """Read the name, the last progress, and where the last whole line ends."""
    file.seek(0, os.SEEK_SET)
    name, done, end = None, Progress(), 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        try:
            said = orjson.loads(line)
            if name is not None:
                done = Progress(**said)
        except (orjson.JSONDecodeError, TypeError):
            break
        name = name or said
        end += len(line)
    return name, done, end
