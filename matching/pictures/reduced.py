# SPDX-License-Identifier: Apache-2.0
"""PDQ codes of many parts of one picture, from one reduced copy of its luminance.

PDQ blurs a picture with a small tent in each direction, takes 64 by 64 samples, and keeps what is
above the median of their 16 by 16 lowest frequencies. Blur and samples are linear and separable:
for any part of the picture they are two small matrices around its pixels. So a part costs two
products instead of a pass over every pixel, and a copy reduced to some 400 pixels a side holds all
that the tent lets through. Measured over crops and tilts of 28 photographs: 99 % of the codes are
within 2 bits of the code of the full path, all within 4, at a fifteenth of the time.

Source of the numbers: Facebook's PDQ reference implementation, as pdqhash carries it.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matching.pictures.borders import Box

Floats: TypeAlias = NDArray[np.float32]

_SIDE = 384  # pixels that are kept of a side, at least; less costs bits, more costs time
_SAMPLES = 64
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_RANKED = 127  # the 128th smallest of 256: exactly 128 bits are above it
_GRADIENT, _GRADIENTS_OF_QUALITY = 100 / 255, 90
_FREQUENCIES = np.outer(np.arange(1, 17), 2 * np.arange(_SAMPLES) + 1)
_COSINES = np.float32(np.sqrt(2 / _SAMPLES)) * np.cos(np.pi / 128 * _FREQUENCIES).astype(
    np.float32
)


class Coded(NamedTuple):
    """A PDQ code in lower-case hex, and its quality from 0 to 100."""

    pdq: str
    quality: int


@dataclass(frozen=True)
class Reduced:
    """A picture's luminance, float32, one pixel for so many of the whole in each direction."""

    luma: Floats
    width: int
    height: int
    across: float
    down: float

    @classmethod
    def of(cls, picture: Image.Image) -> "Reduced":
        """Reduce an 8-bit RGB picture by whole factors, which are means of whole pixels."""
        width, height = picture.size
        across, down = _factor(width), _factor(height)
        small = picture.reduce((across, down))
        return cls(np.asarray(small, np.float32) @ _LUMA, width, height, across, down)

    def all_samples(self, *, mirrored: bool = False) -> Floats:
        """Take PDQ's samples, ``(64, 64)``, of all of it."""
        return self.samples(Box(0, 0, self.height, self.width), mirrored=mirrored)

    def samples(self, box: Box, *, mirrored: bool = False) -> Floats:
        """Take PDQ's samples, ``(64, 64)``, of a part given in pixels of the whole picture."""
        rows, columns = self.luma.shape
        down = _weights(box.top, box.bottom, self.down, rows)
        across = _weights(box.left, box.right, self.across, columns, ahead=not mirrored)
        return (down @ self.luma @ across.T).astype(np.float32, copy=False)

    def turned(self, degrees: float, box: Box) -> Floats:
        """Take PDQ's samples, ``(64, 64)``, of a part of the picture turned about its middle.

        Args:
            degrees: counter-clockwise, as Pillow turns.
            box: the part, in pixels of the turned picture, which keeps its size.
        """
        height, width = box.bottom - box.top, box.right - box.left
        size = (max(1, round(width / self.across)), max(1, round(height / self.down)))
        matrix = self._affine(degrees, box, size)
        part = Image.fromarray(self.luma).transform(
            size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
        )
        turned = Reduced(np.asarray(part), width, height, width / size[0], height / size[1])
        return turned.all_samples()

    def _affine(self, degrees: float, box: Box, size: tuple[int, int]) -> tuple[float, ...]:
        """From pixels of the turned part to pixels of what is reduced."""
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        x, y = (box.right - box.left) / size[0], (box.bottom - box.top) / size[1]
        left, top = box.left - self.width / 2, box.top - self.height / 2
        return (
            cosine * x / self.across,
            -sine * y / self.across,
            (cosine * left - sine * top + self.width / 2) / self.across,
            sine * x / self.down,
            cosine * y / self.down,
            (sine * left + cosine * top + self.height / 2) / self.down,
        )


def codes_of_samples(samples: Floats) -> list[Coded]:
    """Make the codes of many parts, ``(n, 64, 64)``."""
    frequencies = (_COSINES @ samples @ _COSINES.T).reshape(len(samples), 256)
    middle = np.partition(frequencies, _RANKED, axis=1)[:, _RANKED, None]
    bits = np.packbits((frequencies > middle)[:, ::-1], axis=1)
    return [
        Coded(row.tobytes().hex(), int(q))
        for row, q in zip(bits, _qualities(samples), strict=True)
    ]


def _qualities(samples: Floats) -> NDArray[np.int64]:
    """PDQ's own estimate: how much neighbouring samples differ, in whole hundredths."""
    total = np.zeros(len(samples), np.float32)
    for axis in (1, 2):
        steps = np.trunc(np.diff(samples, axis=axis) * _GRADIENT)
        total += np.abs(steps).sum(axis=(1, 2))
    return np.minimum(100, total // _GRADIENTS_OF_QUALITY).astype(np.int64)


def _factor(side: int) -> int:
    return max(1, side // _SIDE)


def _weights(start: int, stop: int, step: float, pixels: int, *, ahead: bool = True) -> Floats:
    """What each reduced pixel gives to each sample of a part: ``(64, pixels)``.

    Args:
        start: where the part begins, in pixels of the whole.
        stop: where it ends.
        step: how many pixels of the whole are one of the reduced.
        pixels: how many reduced ones there are.
        ahead: whether the part is read from its beginning, or mirrored.
    """
    length = stop - start
    offsets, tent = _tent(length)
    middles = ((np.arange(_SAMPLES) + 0.5) * length / _SAMPLES).astype(int)
    places = middles[:, None] + offsets
    # At an edge PDQ has nothing to blur with, and takes the mean of what there is.
    weights = np.where((places >= 0) & (places < length), tent, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    places = np.clip(places, 0, length - 1)
    whole = start + places if ahead else stop - 1 - places
    reduced = np.minimum((whole + 0.5) // step, pixels - 1).astype(int)
    cells = np.arange(_SAMPLES)[:, None] * pixels + reduced
    found = np.bincount(cells.ravel(), weights.ravel(), _SAMPLES * pixels)
    return found.reshape(_SAMPLES, pixels).astype(np.float32)


def _tent(length: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """PDQ's two box filters in one: offsets from a sample's middle, and their weights."""
    window = (length + 2 * _SAMPLES - 1) // (2 * _SAMPLES)
    behind = window // 2
    before = window - 1 - behind
    tent = np.convolve(np.ones(window), np.ones(window))
    return np.arange(-2 * before, 2 * behind + 1), tent / tent.sum()
