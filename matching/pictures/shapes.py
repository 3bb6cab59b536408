# SPDX-License-Identifier: Apache-2.0
"""What the names of crops and tilts mean in pixels."""

import math
from dataclasses import dataclass

from matching.pictures.borders import Box
from matching.pictures.reduced import Floats, Reduced


@dataclass(frozen=True)
class Shape:
    """A part of a picture: turned by so many degrees, and shares cut off its sides."""

    top: float
    right: float
    bottom: float
    left: float
    degrees: float = 0.0

    def samples(self, picture: Reduced) -> Floats:
        """Take PDQ's samples of this part of a picture."""
        part = self.box(picture.height, picture.width)
        return picture.turned(self.degrees, part) if self.degrees else picture.samples(part)

    def box(self, height: int, width: int) -> Box:
        """Find this part in pixels of a picture, turned already where it is to be turned."""
        kept = upright_share(height, width, self.degrees)
        rows, columns = int(kept * height), int(kept * width)
        top, left = (height - rows) // 2, (width - columns) // 2
        return Box(
            top + round(self.top * rows),
            left + round(self.left * columns),
            top + rows - round(self.bottom * rows),
            left + columns - round(self.right * columns),
        )


def shape(name: str) -> Shape | None:
    """Read the name of a crop or a tilt; None for any other derivation's."""
    kind, _, numbers = name.partition(":")
    if kind == "crop":
        return Shape(*(float(number) / 100 for number in numbers.split(",")))
    if kind == "tilt":
        degrees, cut = (float(number) for number in numbers.split(","))
        return Shape(cut / 100, cut / 100, cut / 100, cut / 100, degrees)
    return None


def upright_share(height: int, width: int, degrees: float) -> float:
    """The share of both sides that an upright part of the same shape keeps after a turn."""
    angle = math.radians(abs(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    return min(
        width / (width * cosine + height * sine),
        height / (width * sine + height * cosine),
    )
