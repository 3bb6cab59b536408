# SPDX-License-Identifier: Apache-2.0
"""From canonical pixels to codes: PDQ, its derived forms, and imagehash's phash."""

from collections.abc import Iterator
from typing import TypedDict

import imagehash
import numpy as np
import pdqhash
from numpy.typing import NDArray
from PIL import Image

from matching.derivations import IDS, PLAIN
from matching.pictures.borders import Pixels, inner_boxes

_DIHEDRAL = (0, 1, 2, 3, 5, 4, 6, 7)
"""pdqhash's order in our ids: it says "flipped" of the axis, we say it of the side."""

_OF_TRIMMED = {PLAIN: IDS["trim:border"], IDS["dihedral:flipx"]: IDS["trim:border+flipx"]}


class Codes(TypedDict):
    """What one picture gives, as it travels between the processes."""

    pdq: str
    quality: int
    phash: str
    derived: list[tuple[int, str, int]]


def codes_of(picture: Image.Image) -> Codes:
    """Hash a canonical picture, plain and derived.

    A derived code that is also the plain one, or that another derivation gave already, tells
    nothing and is left out. A border may leave several codes under its one derivation.
    """
    phash = str(imagehash.phash(picture))
    pixels = np.asarray(picture)
    plain, *turned = _dihedral(pixels)
    derived: dict[str, tuple[int, str, int]] = {}
    mirrored = _mirrored(pixels)
    others = [row for row in turned if row[0] != mirrored[0]]
    for row in (*_trimmed(pixels), mirrored, *others):
        if row[1] != plain[1]:
            derived.setdefault(row[1], row)
    return Codes(pdq=plain[1], quality=plain[2], phash=phash, derived=list(derived.values()))


def _dihedral(pixels: Pixels) -> list[tuple[int, str, int]]:
    """Take all eight codes from one computation.

    Free, but PDQ's filter is not quite symmetrical: 10 bits off the code of the turned picture
    in most photographs, too many in fine textures.
    """
    vectors, quality = pdqhash.compute_dihedral(np.ascontiguousarray(pixels))
    found = zip(_DIHEDRAL, vectors, strict=True)
    return sorted((number, _hex(vector), int(quality)) for number, vector in found)


def _mirrored(pixels: Pixels) -> tuple[int, str, int]:
    """Hash the mirrored picture itself: what is done to lures most must be found best."""
    vector, quality = pdqhash.compute(np.ascontiguousarray(pixels[:, ::-1]))
    return IDS["dihedral:flipx"], _hex(vector), int(quality)


def _trimmed(pixels: Pixels) -> Iterator[tuple[int, str, int]]:
    for box in inner_boxes(pixels):
        for number, code, quality in _dihedral(box.of(pixels)):
            if number in _OF_TRIMMED:
                yield _OF_TRIMMED[number], code, quality


def _hex(vector: NDArray[np.integer]) -> str:
    return np.packbits(vector.astype(np.uint8)).tobytes().hex()
