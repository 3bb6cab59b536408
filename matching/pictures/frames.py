# SPDX-License-Identifier: Apache-2.0
"""How the two ends of a pipe tell where a message ends: a length, then so many bytes."""

import struct
from typing import BinaryIO

_LENGTH = struct.Struct(">I")


def write_frame(pipe: BinaryIO, message: bytes) -> None:
    """Send one message whole.

    Raises:
        OSError: Nobody reads the other end.
    """
    pipe.write(_LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def read_frame(pipe: BinaryIO, *, max_bytes: int) -> bytes | None:
    """Receive one message whole; None when the other end is gone or speaks nonsense."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > max_bytes:
        return None
    message = pipe.read(length)
    return message if len(message) == length else None
