# SPDX-License-Identifier: Apache-2.0
"""Arrays in a file that is written once, sealed, and mapped ever after.

The arrays come first, each beginning with a line of the cache; then what they are, as JSON, with a
checksum of every 64 MB and of what fills the gaps; then a trailer of fixed length:

- length of the JSON, uint64
- SHA-256 of the JSON
- ``0x0102030405060708`` in the byte order of the machine that wrote it
- ``bwarray1``

A file that was cut off has no trailer, one from a machine of another byte order says so, and one
of which a bit changed has another checksum: it is refused whole.
"""

import math
import mmap
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from matching.errors import CorruptIndexError

Array: TypeAlias = NDArray[Any]
Step = Callable[[str], None]

BLOCK = 64 << 20
LITTLE = 1 << 20
ALIGNED = 64
_MAGIC, _ORDER = b"bwarray1", 0x0102030405060708
_TRAILER = struct.Struct("=Q32sQ8s")
_HUGE, _POPULATE = 14, 22  # MADV_HUGEPAGE, MADV_POPULATE_READ of Linux; others have no such


def write(
    path: Path, about: dict[str, Any], arrays: Iterable[tuple[str, Array]], step: Step
) -> None:
    """Write arrays under a temporary name, then under their own; nothing of a failure stays.

    Args:
        path: where it is to lie.
        about: told by `opened`, beside the arrays.
        arrays: names and arrays; those of one name that follow each other become one.
        step: told before each step, by its name; whatever it raises ends the writing there.

    Raises:
        OSError: There is no room, or no permission.
    """
    draft = path.with_name(f".{path.name}")
    try:
        with draft.open("wb") as file:
            listed, blocks = _written(file.fileno(), arrays, step)
            step("seal")
            sealed = _seal({**about, "arrays": listed, "blocks": blocks})
            _write_all(file.fileno(), sealed)
            file.seek(0, os.SEEK_END)
            step("sync")
            sync(file.fileno(), file.tell())
        step("rename")
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def opened(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Map a file and verify all of it.

    Raises:
        FileNotFoundError: There is none.
        CorruptIndexError: It is not what was written, or of a machine of another byte order.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _TRAILER.size:
            raise CorruptIndexError("a file of the index is cut off")
        held = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    for advice in (_HUGE, _POPULATE):
        # Large pages, where there are any: a query looks at hundreds of places far apart.
        with suppress(OSError, ValueError):
            held.madvise(advice)
    about = _about(held, size)
    _verify(held, about.pop("blocks"))
    return about, {
        name: np.frombuffer(held, kind, math.prod(shape), begin).reshape(shape)
        for name, kind, shape, begin in about.pop("arrays")
    }


def sync(file: int, size: int) -> None:
    """Wait until what was written lies on the disk, unless that is little.

    A power cut may spoil what nobody waited for. It is noticed, and made again from the truth,
    which for a little takes less time than waiting did.
    """
    if size >= LITTLE:
        os.fsync(file)


def _written(
    file: int, arrays: Iterable[tuple[str, Array]], step: Step
) -> tuple[list[list[Any]], list[list[int]]]:
    """Write arrays; return what they are, and begin, size and checksum of each block."""
    listed: list[list[Any]] = []
    blocks: list[list[int]] = []
    place = 0
    for name, array in arrays:
        step(name)
        data = array.reshape(-1).view(np.uint8).data
        parts = [data[begin : begin + BLOCK] for begin in range(0, len(data), BLOCK)]
        if listed and listed[-1][0] == name:
            listed[-1][2][0] += len(array)
        else:
            padding = memoryview(bytes(-place % ALIGNED))
            listed.append([name, array.dtype.str[1:], list(array.shape), place + len(padding)])
            parts.insert(0, padding)
        for part in parts:
            blocks.append([place, len(part), _sum(part)])
            place += _write_all(file, part)
    return listed, blocks


def _seal(about: dict[str, Any]) -> bytes:
    body = orjson.dumps(about)
    return body + _TRAILER.pack(len(body), sha256(body).digest(), _ORDER, _MAGIC)


def _about(held: mmap.mmap, size: int) -> dict[str, Any]:
    length, digest, order, magic = _TRAILER.unpack(held[size - _TRAILER.size :])
    if magic != _MAGIC:
        raise CorruptIndexError("a file of the index is cut off, or something else")
    if order != _ORDER:
        raise CorruptIndexError("a file of the index is of a machine of another byte order")
    body = held[max(0, size - _TRAILER.size - length) : size - _TRAILER.size]
    if sha256(body).digest() != digest:
        raise CorruptIndexError("a file of the index is damaged")
    about: dict[str, Any] = orjson.loads(body)
    return about


def _verify(held: mmap.mmap, blocks: Sequence[Sequence[int]]) -> None:
    view = memoryview(held)
    with ThreadPoolExecutor(os.cpu_count() or 1, "verifying") as threads:
        found = threads.map(lambda block: _sum(view[block[0] : block[0] + block[1]]), blocks)
        if any(one != block[2] for one, block in zip(found, blocks, strict=True)):
            raise CorruptIndexError("a file of the index is damaged")


def _sum(data: memoryview) -> int:
    return xxhash.xxh3_64_intdigest(data)


def _write_all(file: int, data: bytes | memoryview) -> int:
    view, done = memoryview(data), 0
    while done < len(view):
        done += os.write(file, view[done : done + BLOCK])
    return done
