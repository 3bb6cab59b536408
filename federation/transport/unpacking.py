# SPDX-License-Identifier: Apache-2.0
"""Unpacks an answer that was packed once, to no more than was asked for; no I/O."""

import zlib

from federation.errors import Alarm, RefusedError

_GZIP = 16 + zlib.MAX_WBITS  # to zlib: with gzip's header and checksum


def unpacked(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """What a body holds.

    Args:
        body: as it came over the wire.
        encoding: what its Content-Encoding says; empty if it says nothing.
        max_bytes: of what it holds.

    Raises:
        RefusedError: TOO_LARGE: it holds more. TRANSPORT: it is packed in another way than by
            gzip, once, or is broken.
    """
    if not encoding:
        return body
    if encoding.lower() != "gzip":
        raise RefusedError(Alarm.TRANSPORT, "an answer is packed in a way that nobody asked for")
    gzip = zlib.decompressobj(_GZIP)
    try:
        # One byte more than is allowed tells; nothing beyond it is ever made.
        held = gzip.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise RefusedError(Alarm.TRANSPORT, "an answer is not packed as it says") from error
    if len(held) > max_bytes:
        raise RefusedError(Alarm.TOO_LARGE, "an answer holds more than was asked for")
    if not gzip.eof or gzip.unused_data:
        raise RefusedError(Alarm.TRANSPORT, "a packed answer does not end where it should")
    return held
