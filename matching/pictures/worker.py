# SPDX-License-Identifier: Apache-2.0
"""The fenced process: pictures come in by standard input, codes go out by standard output.

One frame in, one frame out: first a greeting, then an answer for each picture, a JSON object of
either its codes or the reason of its refusal. It ends when nobody holds the other end any more.
"""

import hashlib
import json
import os
import sys
from typing import BinaryIO

from PIL import Image

from matching.pictures.decoding import decode
from matching.pictures.fence import allow_cpu, fence
from matching.pictures.frames import read_frame, write_frame
from matching.pictures.hashing import codes_of
from matching.pictures.values import MAX_BYTES, PROFILE, Refusal, RefusedPictureError


def main() -> None:
    """Run as ``worker.py MEMORY_BYTES CPU_SECONDS PARENT``."""
    memory_bytes, cpu_seconds, parent = (int(argument) for argument in sys.argv[1:])
    answers = os.fdopen(os.dup(1), "wb")
    _warm_up()
    # From here on a stranger's picture may make a decoder talk: neither between two answers ...
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    # ... nor into the caller's log.
    os.dup2(silence, 2)
    fence(memory_bytes=memory_bytes, parent=parent)
    serve(sys.stdin.buffer, answers, cpu_seconds=cpu_seconds)


def serve(pictures: BinaryIO, answers: BinaryIO, *, cpu_seconds: int) -> None:
    """Answer picture after picture until there is no more."""
    write_frame(answers, PROFILE.encode())
    while (data := read_frame(pictures, max_bytes=MAX_BYTES)) is not None:
        allow_cpu(cpu_seconds)
        write_frame(answers, json.dumps(_answer(data)).encode())


def _answer(data: bytes) -> object:
    try:
        return {"sha256": hashlib.sha256(data).hexdigest(), **codes_of(decode(data))}
    except RefusedPictureError as error:
        return {"refused": error.reason}
    except MemoryError:
        return {"refused": Refusal.TOO_DEMANDING}


def _warm_up() -> None:
    """Load every decoder and library while files may still be opened freely."""
    Image.init()
    codes_of(Image.linear_gradient("L").convert("RGB"))


if __name__ == "__main__":
    main()
