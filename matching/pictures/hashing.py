# SPDX-License-Identifier: Apache-2.0
"""From canonical pixels to codes: PDQ, its derived forms, and imagehash's phash.

The plain code is taken from every pixel, as everybody does. The derived ones are taken from one
reduced copy, which stays within a few bits of the same and costs a fraction.
"""

from collections.abc import Mapping
from typing import TypedDict

import imagehash
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from matching.derivations import ASKED, CONTRIBUTED, IDS, NAMES
from matching.pictures.borders import Box, Pixels, has_edges, inner_boxes, is_drawn
from matching.pictures.paper import is_on_paper
from matching.pictures.reduced import Coded, Floats, Reduced, codes_of_samples
from matching.pictures.shapes import Shape, shape

Row = tuple[int, str, int]

_DIHEDRAL = (0, 1, 2, 3, 5, 4, 6, 7)
"""pdqhash's order in our ids: it says "flipped" of the axis, we say it of the side."""
_MIRRORED = IDS["dihedral:flipx"]
_TRIMMED, _TRIMMED_MIRRORED = IDS["trim:border"], IDS["trim:border+flipx"]
_OF_TRIMMED = "trim:border+"
_LEAST_SIDE = 32  # pixels; what is less has no parts


class Codes(TypedDict):
    """What one picture gives, as it travels between the processes."""

    pdq: str
    quality: int
    phash: str
    derived: list[Row]


def codes_of(picture: Image.Image) -> Codes:
    """Hash a canonical picture, plain and derived.

    A derived code that is also the plain one tells nothing and is left out. A border may leave
    several codes under its one derivation, the likeliest first.
    """
    phash = str(imagehash.phash(picture))
    pixels = np.asarray(picture)
    plain, *turned = _dihedral(pixels)
    others = [row for row in turned if row[0] != _MIRRORED]
    parts = _parts(picture, pixels) if min(picture.size) >= _LEAST_SIDE else ()
    derived = [row for row in (*parts, *others) if row[1] != plain[1]]
    return Codes(pdq=plain[1], quality=plain[2], phash=phash, derived=derived)


def _dihedral(pixels: Pixels) -> list[Row]:
    """Take all eight codes from one computation.

    Free, but PDQ's filter is not quite symmetrical: 10 bits off the code of the turned picture
    in most photographs, too many in fine textures.
    """
    vectors, quality = pdqhash.compute_dihedral(np.ascontiguousarray(pixels))
    found = zip(_DIHEDRAL, vectors, strict=True)
    return sorted((number, _hex(vector), int(quality)) for number, vector in found)


def _parts(picture: Image.Image, pixels: Pixels) -> list[Row]:
    """Hash the mirrored, the trimmed, the cropped and the tilted picture.

    Crops and tilts are of what is inside a border, where it is plain that one was drawn around
    the picture: whoever took a screenshot may have cut the picture before, not after. What is
    drawn on paper has none, for it is too much like its kin.
    """
    whole, boxes = Reduced.of(picture), [b for b in inner_boxes(pixels) if _is_picture(pixels, b)]
    inside = [Reduced.of(picture.crop((b.left, b.top, b.right, b.bottom))) for b in boxes]
    # Done to lures most, so mirrored itself, not by pdqhash's approximation.
    taken = [(_MIRRORED, whole.all_samples(mirrored=True))]
    taken += [(_TRIMMED, one.all_samples()) for one in inside]
    taken += [(_TRIMMED_MIRRORED, one.all_samples(mirrored=True)) for one in inside[:1]]
    if boxes and is_drawn(pixels, boxes[0]):
        taken += _shapes(boxes[0].of(pixels), inside[0], _SHAPES_INSIDE)
    else:
        taken += _shapes(pixels, whole, _SHAPES)
    return _rows(taken)


def _is_picture(pixels: Pixels, box: Box) -> bool:
    """Whether there is a picture inside a border, not the thing that a drawing shows."""
    return has_edges(pixels, box) or not is_on_paper(box.of(pixels))


def _shapes(
    pixels: Pixels, reduced: Reduced, shapes: Mapping[int, Shape]
) -> list[tuple[int, Floats]]:
    if is_on_paper(pixels):
        return []
    return [(number, shape.samples(reduced)) for number, shape in shapes.items()]


def _rows(taken: list[tuple[int, Floats]]) -> list[Row]:
    codes: list[Coded] = codes_of_samples(np.stack([samples for _, samples in taken]))
    return [(number, *code) for (number, _), code in zip(taken, codes, strict=True)]


def _hex(vector: NDArray[np.integer]) -> str:
    return np.packbits(vector.astype(np.uint8)).tobytes().hex()


def _named(prefix: str) -> dict[int, Shape]:
    """The shapes of the table whose names begin with *prefix*."""
    wanted = {number: NAMES[number] for number in (*ASKED, *CONTRIBUTED)}
    found = {
        number: shape(name.removeprefix(prefix))
        for number, name in wanted.items()
        if name.startswith(prefix)
    }
    return {number: one for number, one in found.items() if one is not None}


_SHAPES = _named("")
_SHAPES_INSIDE = _named(_OF_TRIMMED)
