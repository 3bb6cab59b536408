# SPDX-License-Identifier: Apache-2.0
"""Another hub's TUF repository as our own client verified it last, by the names it has there.

The client keeps the newest of each kind without its version; whoever asks for another version than
that is told that there is none, and begins anew.
"""

import hashlib
import re
from pathlib import Path

from federation.errors import MalformedError
from federation.identity.hubfile import NAME
from federation.identity.reading import version_of

_ROOT = re.compile(r"metadata/(?P<version>[1-9][0-9]{0,8})\.root\.json", re.ASCII)
_VERSIONED = re.compile(
    r"metadata/(?P<version>[1-9][0-9]{0,8})\.(?P<kind>snapshot|targets)\.json", re.ASCII
)
_TARGET = re.compile(rf"targets/(?P<hash>[0-9a-f]{{64}})\.{re.escape(NAME)}", re.ASCII)
TIMESTAMP = "metadata/timestamp.json"


def mirrored(folder: Path, path: str) -> bytes | None:
    """A file of the repository that a client follows in a folder; None: there is none.

    Args:
        folder: the client's, of one hub.
        path: under the repository's address.
    """
    if path == TIMESTAMP:
        return _read(folder / TIMESTAMP)
    if found := _ROOT.fullmatch(path):
        return _read(folder / "metadata" / "root_history" / f"{found['version']}.root.json")
    if found := _VERSIONED.fullmatch(path):
        data = _read(folder / "metadata" / f"{found['kind']}.json")
        return data if data is not None and _is_version(data, int(found["version"])) else None
    if found := _TARGET.fullmatch(path):
        data = _read(folder / "targets" / NAME)
        is_it = data is not None and hashlib.sha256(data).hexdigest() == found["hash"]
        return data if is_it else None
    return None


def mirror(folder: Path) -> dict[str, bytes]:
    """Every file of the repository that a client follows in a folder, by its path."""
    history = (folder / "metadata" / "root_history").glob("*.root.json")
    kept = {kind: _read(folder / "metadata" / f"{kind}.json") for kind in ("snapshot", "targets")}
    file = _read(folder / "targets" / NAME)
    paths = [
        TIMESTAMP,
        *(f"metadata/{path.name}" for path in history),
        *(f"metadata/{version_of(data)}.{kind}.json" for kind, data in kept.items() if data),
        *([f"targets/{hashlib.sha256(file).hexdigest()}.{NAME}"] if file else []),
    ]
    return {path: data for path in paths if (data := mirrored(folder, path)) is not None}


def _is_version(data: bytes, version: int) -> bool:
    try:
        return version_of(data) == version
    except MalformedError:
        return False


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
