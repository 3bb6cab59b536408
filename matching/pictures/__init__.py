# SPDX-License-Identifier: Apache-2.0
"""How a picture becomes codes, at the caller: no picture ever travels. Start at ``hasher``.

- hasher: hash files in fenced processes
- values: what comes of it, and why a picture may be refused
- decoding: from a file to pixels, the profile ``pdq/1``
- hashing, borders: from pixels to codes
- process, frames: the caller's side of a fenced process
- video: the same for videos
- worker, fence: its inside
"""

from matching.pictures.hasher import FilePath, Hashed, Hasher
from matching.pictures.process import Limits
from matching.pictures.values import (
    MAX_BYTES,
    MAX_PIXELS,
    PROFILE,
    DerivedCode,
    HashedPicture,
    HasherError,
    Refusal,
    RefusedPictureError,
)
from matching.pictures.video.process import VideoLimits
from matching.pictures.video.values import HashedFrame, HashedVideo, RefusedVideoError

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "PROFILE",
    "DerivedCode",
    "FilePath",
    "Hashed",
    "HashedFrame",
    "HashedPicture",
    "HashedVideo",
    "Hasher",
    "HasherError",
    "Limits",
    "Refusal",
    "RefusedPictureError",
    "RefusedVideoError",
    "VideoLimits",
]
