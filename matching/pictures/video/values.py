# SPDX-License-Identifier: Apache-2.0
"""What hashing a video gives, and why one may be refused."""

import base64
import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from matching.errors import MatchingError
from matching.pictures.values import Refusal, RefusedPictureError

PROFILE = "vpdq/1"
MAX_BYTES = 4_000_000_000
MAX_FRAMES = 5_000
SECONDS_PER_FRAME = 1.0
_FRAME = struct.Struct(">IB32s")
_MOST_QUALITY = 100

_SENTENCES = {
    Refusal.EMPTY: "The file is empty.",
    Refusal.NOT_A_FILE: "There is no regular file there that can be read.",
    Refusal.TOO_MANY_BYTES: f"The video is larger than {MAX_BYTES // 10**9} GB.",
    Refusal.TOO_MANY_PIXELS: "A frame has more than 64 million pixels.",
    Refusal.TOO_MANY_FRAMES: f"More than {MAX_FRAMES:,} frames would be hashed: take one every "
    "few seconds.",
    Refusal.UNKNOWN_FORMAT: "It is no video of a kind that is read here.",
    Refusal.NO_VIDEO: "The file holds no moving pictures.",
    Refusal.NO_DECODER: "Videos are hashed with PyAV, which is not installed: breakwater[video].",
    Refusal.DAMAGED: "The video is damaged.",
    Refusal.TOO_DEMANDING: "Hashing it took more time or memory than one video may have.",
    Refusal.CRASHED: "The process that hashed it crashed; treat the file as hostile.",
}


@dataclass(frozen=True)
class HashedFrame:
    """The PDQ of one frame, lower-case hex; its time in ms from the start; quality 0 to 100."""

    at_ms: int
    pdq: str = field(repr=False)
    quality: int


@dataclass(frozen=True)
class HashedVideo:
    """What one video is known by. Codes stay out of the repr, for a repr ends in a log."""

    sha256: str = field(repr=False)
    sha1: str = field(repr=False)
    md5: str = field(repr=False)
    frames: tuple[HashedFrame, ...] = field(repr=False)
    seconds_per_frame: float = SECONDS_PER_FRAME
    profile: str = PROFILE


class RefusedVideoError(RefusedPictureError):
    """The video was not hashed; ``reason`` says why, and trying again will not help."""

    def __init__(self, reason: Refusal) -> None:
        self.reason = reason
        MatchingError.__init__(self, _SENTENCES.get(reason, _SENTENCES[Refusal.DAMAGED]))


def packed(frames: Iterable[HashedFrame]) -> str:
    """Write frames as they travel between the processes."""
    rows = (_FRAME.pack(one.at_ms, one.quality, bytes.fromhex(one.pdq)) for one in frames)
    return base64.b64encode(b"".join(rows)).decode()


def frames_of(answer: bytes) -> tuple[HashedFrame, ...]:
    """Read a fenced process's answer, as strictly as a stranger's.

    Raises:
        RefusedVideoError: It is a refusal, or not an answer that the process may give.
    """
    try:
        fields = json.loads(answer)
        if "refused" in fields:
            raise RefusedVideoError(Refusal(fields["refused"]))
        rows = base64.b64decode(fields["frames"], validate=True)
        frames = tuple(_frame(*row) for row in _FRAME.iter_unpack(rows))
    except (ValueError, TypeError, KeyError, struct.error) as error:
        raise RefusedVideoError(Refusal.CRASHED) from error
    if not 1 <= len(frames) <= MAX_FRAMES:
        raise RefusedVideoError(Refusal.CRASHED)
    return frames


def _frame(at_ms: int, quality: int, pdq: bytes) -> HashedFrame:
    if quality > _MOST_QUALITY:
        raise ValueError
    return HashedFrame(at_ms, pdq.hex(), quality)
