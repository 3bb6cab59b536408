# SPDX-License-Identifier: Apache-2.0
"""The fenced process of one video: its file is standard input, its codes go to standard output.

It hashes one and ends; whoever takes it over has no other video to lie about.
"""

import json
import os
import sys

from matching.pictures.fence import allow_cpu, fence
from matching.pictures.frames import write_frame
from matching.pictures.values import Refusal
from matching.pictures.video.values import RefusedVideoError, packed


def main() -> None:
    """Run as ``worker.py MEMORY_BYTES CPU_SECONDS PARENT SECONDS_PER_FRAME``."""
    memory_bytes, cpu_seconds, parent = (int(argument) for argument in sys.argv[1:4])
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    # A decoder may talk: neither into the answer nor into the caller's log.
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    try:
        from matching.pictures.video import decoding  # noqa: PLC0415 - before the fence, if at all
    except ImportError:
        write_frame(answers, json.dumps({"refused": Refusal.NO_DECODER}).encode())
        return
    fence(memory_bytes=memory_bytes, parent=parent)
    allow_cpu(cpu_seconds)
    try:
        frames = decoding.hashed_frames(sys.stdin.buffer, float(sys.argv[4]))
        answer = {"frames": packed(frames)}
    except RefusedVideoError as error:
        answer = {"refused": error.reason}
    except MemoryError:
        answer = {"refused": Refusal.TOO_DEMANDING}
    write_frame(answers, json.dumps(answer).encode())
