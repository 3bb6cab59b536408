# SPDX-License-Identifier: Apache-2.0
"""The list of erased ids: a file beside the database, never in a backup, only ever longer.

A restore brings back what was erased since; the list takes it away again.
"""

import os
import re
from pathlib import Path

_ID = re.compile(r"ind_[a-z2-7]{26}")


class ErasureFile:
    """Ids, one a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, public_id: str) -> None:
        """Add an id; it is on the disk when this returns."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            # On a line of its own, whatever a crash left of the line before.
            line = f"\n{public_id}\n".encode()
            while line:
                line = line[file.write(line) :]
            os.fsync(descriptor)
        self._sync_folder()

    def all(self) -> list[str]:
        """Every id that was ever erased; what a crash cut short is passed over."""
        if not self._path.exists():
            return []
        return list(dict.fromkeys(_ID.findall(self._path.read_text(encoding="ascii"))))

    def _sync_folder(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
