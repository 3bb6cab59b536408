# SPDX-License-Identifier: Apache-2.0
"""From a file's bytes to the one array of pixels that is hashed: the profile ``pdq/1``.

The way to the pixels is part of a hash's identity: scale, turn or blend them otherwise and other
bits come out. So it is fixed, and a change of it is a new profile:

1. One of the allowed formats, at most 20 MB; of an animation only the first frame.
2. At most 64 million pixels, by the header, before anything is decoded.
3. Whole: a damaged or truncated file is refused, never hashed as far as it goes.
4. Turned as its EXIF orientation says; an unreadable EXIF block counts as none.
5. Transparency over white; then 8-bit RGB without regard to colour profiles.
6. Never resized.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from matching.pictures.values import MAX_BYTES, MAX_PIXELS, Refusal, RefusedPictureError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")
_ALPHA = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_DEEP_GREY = frozenset({"I;16", "I;16L", "I;16B"})
# Every viewer shows the picture beside these flaws; refusing it would let anyone make a picture
# that everybody sees and nobody can hash.
_HARMLESS = ("Corrupt EXIF data", "Invalid APNG", "Image appears to be a malformed MPO")
_NO_CANONICAL_FORM = frozenset({"I", "F", "LAB", "HSV"})


def decode(data: bytes) -> Image.Image:
    """Make of a file's bytes the canonical 8-bit RGB picture.

    Raises:
        RefusedPictureError: The file is not one that the profile hashes; the reason says why.
    """
    _check_length(data)
    with _warnings_as_errors():
        with _refused_as(Refusal.DAMAGED):
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.width * picture.height > MAX_PIXELS:
            raise RefusedPictureError(Refusal.TOO_MANY_PIXELS)
        with _refused_as(Refusal.DAMAGED):
            picture.load()
        with _refused_as(Refusal.UNKNOWN_PIXELS):
            return _rgb(_upright(picture))


def _check_length(data: bytes) -> None:
    if not data:
        raise RefusedPictureError(Refusal.EMPTY)
    if len(data) > MAX_BYTES:
        raise RefusedPictureError(Refusal.TOO_MANY_BYTES)


@contextlib.contextmanager
def _warnings_as_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for harmless in _HARMLESS:
            warnings.filterwarnings("ignore", message=harmless)
        yield


@contextlib.contextmanager
def _refused_as(reason: Refusal) -> Iterator[None]:
    try:
        yield
    except (RefusedPictureError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RefusedPictureError(Refusal.TOO_MANY_PIXELS) from error
    except UnidentifiedImageError as error:
        raise RefusedPictureError(Refusal.UNKNOWN_FORMAT) from error
    except Exception as error:  # decoders raise whatever comes; all of it means one thing
        raise RefusedPictureError(reason) from error


def _upright(picture: Image.Image) -> Image.Image:
    # Viewers show a picture with a broken EXIF block unturned.
    with contextlib.suppress(RefusedPictureError), _refused_as(Refusal.DAMAGED):
        return ImageOps.exif_transpose(picture)
    return picture


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in _NO_CANONICAL_FORM:
        raise RefusedPictureError(Refusal.UNKNOWN_PIXELS)
    if picture.mode in _DEEP_GREY:
        # Pillow would clip 16-bit grey to white; its high byte is what it looks like.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    if picture.mode in _ALPHA or "transparency" in picture.info:
        return _over_white(picture.convert("RGBA"))
    return picture.convert("RGB")


def _over_white(picture: Image.Image) -> Image.Image:
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper
