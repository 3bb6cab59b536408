# SPDX-License-Identifier: Apache-2.0
"""The list of what was erased: a file beside the database, never in a backup, only ever longer.

A restore brings back what was erased since; the list takes it away again.
"""

import os
import re
from pathlib import Path

from federation.operations.values import Register
from hub.ports import Erased

_LINE = re.compile(r"(?:(\S+) (\S+) )?(ind_[a-z2-7]{26})")


class ErasureFile:
    """One a line: an indicator's id; of another hub's, that hub, the author and its id there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, *erased: Erased) -> None:
        """Add what was erased, at once; it is on the disk when this returns."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            # On a line of its own, whatever a crash left of the line before.
            lines = "\n".join(("", *map(_written, erased), "")).encode()
            while lines:
                lines = lines[file.write(lines) :]
            os.fsync(descriptor)
        self._sync_folder()

    def all(self) -> list[Erased]:
        """All that was ever erased; what a crash cut short is passed over."""
        if not self._path.exists():
            return []
        lines = self._path.read_text(encoding="ascii").splitlines()
        return list(dict.fromkeys(one for line in lines if (one := _read(line)) is not None))

    def _sync_folder(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _written(erased: Erased) -> str:
    if isinstance(erased, str):
        return erased
    return f"{erased.origin} {erased.author} {erased.target}"


def _read(line: str) -> Erased | None:
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    origin, author, target = found.groups()
    return target if origin is None else Register(origin, author, "indicator", target)
