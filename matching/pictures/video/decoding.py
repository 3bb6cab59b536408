# SPDX-License-Identifier: Apache-2.0
"""From a video's file to the PDQs of its frames: the profile ``vpdq/1``, bit for bit as `vpdq`.

1. A container of the allowed ones, which names no other file and opens no connection.
2. Its first stream of video; every frame is decoded, and of each so many seconds one is taken:
   the frames whose number is a multiple of ``int(seconds x frame rate)``, by the average rate.
3. Never turned, never resized.
4. To 8-bit RGB by swscale, always with BT.601's matrix: `vpdq` passes over what a stream says of
   its colours. To heed it would cost up to 34 bits.
5. PDQ. A frame's time is its number over the frame rate.

`vpdq` is Meta's: https://github.com/facebook/ThreatExchange/tree/main/vpdq (filehasher.cpp).
"""

import contextlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import numpy as np
import pdqhash
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from matching.pictures.values import MAX_PIXELS, Refusal
from matching.pictures.video.values import MAX_FRAMES, HashedFrame, RefusedVideoError
from matching.signals.vpdq import SHARE

LAST_MS = (1 << 32) - 1
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,mpegvideo,h264,hevc"
)
_OPTIONS = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
_TO_RGB: dict[str, Any] = {
    "format": "rgb24",
    "interpolation": "AREA",
    "src_colorspace": "ITU601",
    "dst_colorspace": "ITU601",
}


def hashed_frames(file: BinaryIO, seconds: float) -> list[HashedFrame]:
    """Hash a video's frames.

    Args:
        file: seekable.
        seconds: between two frames that are hashed.

    Raises:
        RefusedVideoError: It is not one that the profile hashes.
    """
    reformatter = VideoReformatter()
    with _refused(Refusal.UNKNOWN_FORMAT):
        container = av.open(file, mode="r", options=_OPTIONS)
    with container, _refused(Refusal.DAMAGED):
        rate, step, frames = _decoded(container, seconds)
        hashed: list[HashedFrame] = []
        number = -1
        for number, frame in enumerate(frames):
            _check_size(frame.width, frame.height)
            if number % step:
                continue
            if len(hashed) == MAX_FRAMES:
                raise RefusedVideoError(Refusal.TOO_MANY_FRAMES)
            hashed.append(_hashed(frame, _at(number, rate), reformatter))
        if not hashed:
            raise RefusedVideoError(Refusal.NO_VIDEO)
        _check_length(container, (number + 1) / rate + seconds)
    return hashed


def _decoded(container: Any, seconds: float) -> tuple[float, int, Iterator[VideoFrame]]:
    if not container.streams.video:
        raise RefusedVideoError(Refusal.NO_VIDEO)
    stream = container.streams.video[0]
    _check_size(stream.codec_context.width, stream.codec_context.height)
    # One thread: the memory that a process may have is counted for one.
    stream.thread_type = "NONE"
    stream.codec_context.thread_count = 1
    rate = float(stream.average_rate or stream.base_rate or 0)
    if not rate:
        raise RefusedVideoError(Refusal.DAMAGED)
    return rate, int(seconds * rate) or 1, container.decode(stream)


def _at(number: int, rate: float) -> int:
    """The time of a frame in milliseconds, which have 32 bits where they are kept."""
    at_ms = round(1000 * number / rate)
    if at_ms > LAST_MS:
        raise RefusedVideoError(Refusal.DAMAGED)
    return at_ms


def _check_length(container: Any, at_most: float) -> None:
    """Refuse a file that was cut off, or lies about its rate: frames are missing then.

    As many may be missing as of two videos that match; where a container does not say how long it
    is (a transport stream never does), nothing can be told.
    """
    stated = (container.duration or 0) / av.time_base
    if at_most * SHARE[1] < stated * SHARE[0]:
        raise RefusedVideoError(Refusal.DAMAGED)


def _hashed(frame: VideoFrame, at_ms: int, reformatter: VideoReformatter) -> HashedFrame:
    pixels = reformatter.reformat(frame, **_TO_RGB).to_ndarray()
    vector, quality = pdqhash.compute(np.ascontiguousarray(pixels))
    code = np.packbits(vector.astype(np.uint8)).tobytes().hex()
    return HashedFrame(at_ms, code, int(quality))


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise RefusedVideoError(Refusal.TOO_MANY_PIXELS)


@contextlib.contextmanager
def _refused(reason: Refusal) -> Iterator[None]:
    try:
        yield
    except (RefusedVideoError, MemoryError):
        raise
    except Exception as error:  # decoders raise whatever comes; all of it means one thing
        raise RefusedVideoError(reason) from error
