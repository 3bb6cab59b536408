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
        try:
            os.write(descriptor, f"{public_id}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._sync_folder()

    def all(self) -> list[str]:
        """Every id that was ever erased; a line cut short by a crash is passed over."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="ascii").splitlines()
        return list(dict.fromkeys(line for line in lines if _ID.fullmatch(line)))

    def _sync_folder(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
