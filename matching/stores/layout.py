# SPDX-License-Identifier: Apache-2.0
"""Keys and bytes of the shared copy, in one place. Layout version 1.

- ``{bw:<instance>}:head``: the pointer: 16 hex digits of SHA-256, then JSON.
- ``{bw:<instance>}:stream``: entries ``<position>-0`` hold a change, ``<head>-<k>`` a beat.
- ``bw:<instance>:chunk:<sha256>``: a chunk of a checkpoint, named by its own checksum; no hash
  tag, so that a cluster spreads chunks over all its nodes.

Whatever is read back is verified: bytes that are not what was written raise CorruptIndexError.
"""

import struct
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from zlib import crc32

import numpy as np
import orjson

from matching.errors import CorruptIndexError
from matching.ports import Change, Chunk, ChunkRef, Pointer, Rows, Total

VERSION = 1
CHANGE, BEAT, TIMELINE = b"c", b"b", b"t"  # fields of an entry: change, epoch of a beat, timeline
_CHUNK = struct.Struct("<4sHHQ")  # magic, signal's name length, words, rows
_MAGIC = b"bwc1"
_SEAL = struct.Struct("<BI")  # version, checksum of all that follows
_CHANGE = struct.Struct("<QI")  # position, length of the header
_CHECKSUM = 16


def head_key(instance: str) -> str:
    """Return the key of the pointer."""
    return f"{{bw:{instance}}}:head"


def stream_key(instance: str) -> str:
    """Return the key of the stream; in a cluster it lives in the pointer's slot."""
    return f"{{bw:{instance}}}:stream"


def chunk_key(instance: str, checksum: str) -> str:
    """Return the key of a chunk."""
    return f"bw:{instance}:chunk:{checksum}"


def packed_pointer(pointer: Pointer) -> bytes:
    """Pack the pointer, its checksum first."""
    body = orjson.dumps(
        {
            "v": VERSION,
            "timeline": pointer.timeline,
            "epoch": pointer.epoch,
            "born": pointer.born_ms,
            "position": pointer.position,
            "totals": _totals_out(pointer.totals),
            "chunks": [list(ref) for ref in pointer.manifest],
        }
    )
    return _sealed(body) + body


def unpacked_pointer(data: bytes) -> Pointer:
    """Read the pointer.

    Raises:
        CorruptIndexError: It is not what was written, or of another layout.
    """
    body = data[_CHECKSUM:]
    if data[:_CHECKSUM] != _sealed(body):
        raise CorruptIndexError("the pointer is damaged")
    words = orjson.loads(body)
    if words.get("v") != VERSION:
        raise CorruptIndexError("the pointer is of another layout")
    return _pointer_in(words)


def packed_chunk(chunk: Chunk) -> tuple[ChunkRef, bytes]:
    """Pack a chunk; its name is the checksum of all its bytes."""
    name, (rows, words) = chunk.signal.encode(), chunk.codes.shape
    data = b"".join(
        (
            _CHUNK.pack(_MAGIC, len(name), words, rows),
            name,
            chunk.indicators.astype("<u8").tobytes(),
            chunk.tags.astype("<u4").tobytes(),
            chunk.codes.astype("<u8").tobytes(),
        )
    )
    return ChunkRef(chunk.signal, rows, sha256(data).hexdigest()), data


def unpacked_chunk(ref: ChunkRef, data: bytes | None) -> Chunk:
    """Read a chunk.

    Raises:
        CorruptIndexError: It is missing, or its bytes are not those its name was made of.
    """
    if data is None:
        raise CorruptIndexError("a chunk is missing")
    if sha256(data).hexdigest() != ref.sha256:
        raise CorruptIndexError("a chunk is damaged")
    return _chunk_in(data)


def packed_change(change: Change) -> bytes:
    """Pack a change."""
    rows = change.rows or ()
    header = orjson.dumps(
        {
            "at": change.at_ms,
            "of": change.indicator,
            "label": change.label,
            "rows": None
            if change.rows is None
            else [[r.signal, len(r.codes), len(r.derivations)] for r in rows],
            "totals": _totals_out(change.totals),
            "resync": change.resync,
        }
    )
    start = _CHANGE.pack(change.position, len(header))
    body = b"".join((start, header, *(r.codes + r.derivations for r in rows), change.note))
    return _SEAL.pack(VERSION, crc32(body)) + body


def unpacked_change(position: int, data: bytes) -> Change:
    """Read the change of an entry at a position.

    Raises:
        CorruptIndexError: It is not what was written there, or of another layout.
    """
    if len(data) < _SEAL.size + _CHANGE.size:
        raise CorruptIndexError("a change is cut off")
    version, checksum = _SEAL.unpack_from(data)
    body = data[_SEAL.size :]
    if version != VERSION or crc32(body) != checksum:
        raise CorruptIndexError("a change is damaged")
    written_at, length = _CHANGE.unpack_from(body)
    if written_at != position:
        raise CorruptIndexError("a change is not at its position")
    header, rest = body[_CHANGE.size :][:length], body[_CHANGE.size + length :]
    return _change_in(position, orjson.loads(header), rest)


def _sealed(body: bytes) -> bytes:
    return sha256(body).hexdigest()[:_CHECKSUM].encode()


def _pointer_in(words: Mapping[str, Any]) -> Pointer:
    return Pointer(
        timeline=words["timeline"],
        epoch=words["epoch"],
        born_ms=words["born"],
        position=words["position"],
        totals=_totals_in(words["totals"]),
        manifest=tuple(ChunkRef(*ref) for ref in words["chunks"]),
    )


def _chunk_in(data: bytes) -> Chunk:
    magic, name_length, words, rows = _CHUNK.unpack_from(data)
    if magic != _MAGIC:
        raise CorruptIndexError("a chunk is of another layout")
    place = _CHUNK.size + name_length
    name = data[_CHUNK.size : place].decode()
    indicators = np.frombuffer(data, "<u8", rows, place)
    tags = np.frombuffer(data, "<u4", rows, place + 8 * rows)
    codes = np.frombuffer(data, "<u8", rows * words, place + 12 * rows)
    return Chunk(name, codes.reshape(rows, words), indicators, tags)


def _change_in(position: int, words: Mapping[str, Any], rest: bytes) -> Change:
    rows, place = [], 0
    for signal, codes, derivations in words["rows"] or ():
        middle, end = place + codes, place + codes + derivations
        rows.append(Rows(signal, rest[place:middle], rest[middle:end]))
        place = end
    return Change(
        position=position,
        at_ms=words["at"],
        indicator=words["of"],
        label=words["label"],
        rows=None if words["rows"] is None else tuple(rows),
        totals=_totals_in(words["totals"]),
        note=rest[place:],
        resync=words["resync"],
    )


def _totals_out(totals: Mapping[str, Total]) -> dict[str, list[int]]:
    return {name: [total.count, total.digest] for name, total in totals.items()}


def _totals_in(totals: Mapping[str, list[int]]) -> dict[str, Total]:
    return {name: Total(count, digest) for name, (count, digest) in totals.items()}
