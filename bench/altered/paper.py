# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.altered.paper``: choose from which share of one colour it is a drawing.

Photographs should keep their crops and tilts, icons and cards should have none. None of these
icons is among the strangers; the photographs are those by which the derivations were chosen.
"""

import numpy as np

from bench.altered.alterations import Picture
from bench.altered.photographs import choosing, drawings
from matching.pictures.borders import inner_boxes, is_drawn
from matching.pictures.paper import share_of_paper

SHARES = (0.1, 0.15, 0.2, 0.25, 0.3)


def share_of(picture: Picture) -> float:
    """The share of one colour of that part of a picture of which crops are made."""
    pixels = np.asarray(picture)
    box = next(iter(inner_boxes(pixels)), None)
    drawn_around = box is not None and is_drawn(pixels, box)
    return share_of_paper(box.of(pixels) if box and drawn_around else pixels)


if __name__ == "__main__":
    for name, pictures in (("photographs", choosing()), ("icons of GNOME 3", drawings())):
        shares = np.array([share_of(picture) for picture in pictures.values()])
        for share in SHARES:
            print(f"{share:.2f}: {int((shares >= share).sum())} of {len(shares)} {name}")
