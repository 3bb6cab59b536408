# SPDX-License-Identifier: Apache-2.0
"""Read Qt's resource files (``.rcc``), which hold a program's pictures in one file each.

Source of the layout: ``rcc.cpp`` of Qt 5, versions 1 to 3 of the format; big-endian throughout.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = struct.Struct(">4sIIII")  # magic, version, where the tree, the data and the names begin
_NODE = struct.Struct(">IH")  # where its name is, flags
_FOLDER = struct.Struct(">II")  # how many children, the first of them
_FILE = struct.Struct(">II")  # locale, where its data is
_LENGTH = struct.Struct(">I")
_NAME = struct.Struct(">HI")  # length in UTF-16 units, hash
_COMPRESSED, _IS_FOLDER = 1, 2
_NODE_SIZE = {1: 14, 2: 22, 3: 22}


@dataclass(frozen=True)
class Resources:
    """One resource file."""

    data: bytes

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file with its path."""
        if not self.data.startswith(b"qres"):
            raise ValueError("no resource file of Qt")
        yield from self._below(0, ())

    def _below(self, node: int, path: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        _, version, tree, content, names = _HEAD.unpack_from(self.data)
        place = tree + node * _NODE_SIZE[version]
        name, flags = _NODE.unpack_from(self.data, place)
        here = (*path, self._name(names + name)) if node else path
        if flags & _IS_FOLDER:
            count, first = _FOLDER.unpack_from(self.data, place + _NODE.size)
            for child in range(first, first + count):
                yield from self._below(child, here)
        else:
            _, begin = _FILE.unpack_from(self.data, place + _NODE.size)
            yield "/".join(here), self._content(content + begin, flags)

    def _name(self, place: int) -> str:
        length, _ = _NAME.unpack_from(self.data, place)
        begin = place + _NAME.size
        return self.data[begin : begin + 2 * length].decode("utf-16-be")

    def _content(self, place: int, flags: int) -> bytes:
        (length,) = _LENGTH.unpack_from(self.data, place)
        content = self.data[place + _LENGTH.size : place + _LENGTH.size + length]
        # qCompress writes the full length before the stream.
        return zlib.decompress(content[_LENGTH.size :]) if flags & _COMPRESSED else content
