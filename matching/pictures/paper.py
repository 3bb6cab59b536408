# SPDX-License-Identifier: Apache-2.0
"""Tell drawings on paper (icons, charts, templates) from photographs.

Drawings of one family are drawn alike: two that differ in one stroke are far apart by their plain
codes, and a crop of one may be near a crop of the other. Much of a drawing is paper, all of one
light colour; in a photograph next to nothing is, for light falls unevenly. What is dark says
nothing: the night around the moon is as even as paper.

The share was chosen by ``python -m bench.altered.paper``: the least, in steps of 0.05, at which
no photograph of 79 passes for a drawing.
"""

import numpy as np
from numpy.typing import NDArray

from matching.pictures.borders import Pixels

_FLAT = 0.2  # of a picture in one colour; a clear or blown sky has less
_LIGHT = 192  # of every channel, at least
_STRAY = 2  # of a channel; recompression moves an even colour by no more
_LOOKED_AT = 128  # pixels of the shorter side, at most twice as many


def is_on_paper(pixels: Pixels) -> bool:
    """Whether *pixels*, shape ``(height, width, 3)``, were drawn rather than photographed."""
    return share_of_paper(pixels) >= _FLAT


def share_of_paper(pixels: Pixels) -> float:
    """The share of a picture that is of the commonest of its light colours."""
    step = max(1, min(pixels.shape[:2]) // _LOOKED_AT)
    some = pixels[::step, ::step].reshape(-1, 3).astype(np.int32)
    light = some[some.min(axis=1) >= _LIGHT]
    if not len(light):
        return 0.0
    strayed: NDArray[np.int32] = np.abs(some - _commonest(light)).max(axis=1)
    return float((strayed <= _STRAY).mean())


def _commonest(colours: NDArray[np.int32]) -> NDArray[np.int32]:
    places = colours @ np.array([1 << 16, 1 << 8, 1], np.int32)
    found, counts = np.unique(places, return_counts=True)
    first: NDArray[np.int32] = colours[int((places == found[counts.argmax()]).argmax())]
    return first
