# SPDX-License-Identifier: Apache-2.0
"""A log's entries as its files hold them: each after its length, 256 to a bundle.

https://c2sp.org/tlog-tiles
"""

from collections.abc import Iterable

from federation.errors import Alarm, MalformedError
from federation.log.tiles import Tile

MAX_ENTRY = 2**16 - 1  # bytes
_LENGTH_BYTES = 2


def bundled(entries: Iterable[bytes]) -> bytes:
    """Write entries into a bundle.

    Raises:
        MalformedError: An entry is longer than MAX_ENTRY.
    """
    return b"".join(_with_length(entry) for entry in entries)


def entries_of(tile: Tile, data: bytes) -> list[bytes]:
    """Read the entries of a bundle.

    Raises:
        MalformedError: They are fewer, or more.
    """
    entries, at = [], 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data) or len(entries) != tile.width:
        raise MalformedError("a bundle has other entries than its path says")
    return entries


def _with_length(entry: bytes) -> bytes:
    if len(entry) > MAX_ENTRY:
        raise MalformedError("the entry is too large", Alarm.TOO_LARGE)
    return len(entry).to_bytes(_LENGTH_BYTES, "big") + entry
