# SPDX-License-Identifier: Apache-2.0
"""Files that others read while they are written: each is there whole, or as it was."""

import os
from pathlib import Path
from typing import Protocol


class Files(Protocol):
    """Where a repository is kept, by names such as ``metadata/1.root.json``."""

    def read(self, name: str) -> bytes | None:
        """What a file holds; None if there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put a file in the place of what was there; nobody sees it half written."""
        ...


class Folder:
    """Files in a folder that the world may read.

    Args:
        path: the folder; made with all it needs when something is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str) -> bytes | None:
        """What a file holds; None if there is none."""
        try:
            return (self._path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Put a file in the place of what was there; it is on the disk when this returns."""
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # One writer at a time: what is left of one that died is written over.
        draft = path.with_name(f".{path.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
