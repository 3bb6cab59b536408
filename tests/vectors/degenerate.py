# SPDX-License-Identifier: Apache-2.0
"""Makes ``matching/degenerate.json``: PDQ codes of pictures that show nothing.

Run from the top of the repository: ``python -m tests.vectors.degenerate``. Each pattern is drawn
on a square of grey values, hashed by pdqhash, and kept unless a code within 8 bits is there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pdqhash
from numpy.typing import NDArray

Grey = NDArray[np.floating[Any]]

SIZES = (256, 512)  # px; pdqhash filters smaller and larger pictures differently
COUNTS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 32)
BORDERS = (4, 8, 16, 24, 32, 48)  # of 256
SAME = 8  # bits
OUT = Path("matching/degenerate.json")


def patterns(size: int) -> Iterator[tuple[str, Grey]]:
    """Draw every pattern, with its name, as values from 0 to 1."""
    y, x = np.mgrid[0:size, 0:size] / size
    yield "black", np.zeros((size, size))
    yield "grey", np.full((size, size), 0.5)
    yield "white", np.ones((size, size))
    for name, drawn in _two_sided(x, y):
        yield name, drawn
        yield f"{name}, inverted", 1.0 - drawn


def code(drawn: Grey) -> tuple[int, int]:
    """Hash a drawing; returns the code as a number, and its quality."""
    grey = np.clip(np.rint(drawn * 255), 0, 255).astype(np.uint8)
    vector, quality = pdqhash.compute(np.repeat(grey[..., None], 3, axis=2))
    return int("".join(str(int(bit)) for bit in vector), 2), int(quality)


def made() -> dict[str, object]:
    """All codes that are kept, with what says how they were made."""
    kept: dict[str, int] = {}
    for size in SIZES:
        for name, drawn in patterns(size):
            found, _ = code(drawn)
            if all((found ^ other).bit_count() > SAME for other in kept.values()):
                kept[f"{name}, {size} px"] = found
    return {
        "version": "degenerate/1",
        "made_by": "tests/vectors/degenerate.py with pdqhash 0.2.8",
        "pdq": {name: f"{found:064x}" for name, found in kept.items()},
    }


def _two_sided(x: Grey, y: Grey) -> Iterator[tuple[str, Grey]]:
    yield "gradient to the right", x
    yield "gradient downwards", y
    yield "gradient along the diagonal", (x + y) / 2
    yield "gradient along the other diagonal", (1 + x - y) / 2
    far = np.hypot(x - 0.5, y - 0.5)
    yield "radial gradient", far / far.max()
    for part in (0.25, 0.5, 0.75):
        yield f"split at {part} across", (x < part) * 1.0
        yield f"split at {part} down", (y < part) * 1.0
    for radius in (0.125, 0.25, 0.375):
        yield f"disc of {radius}", (far < radius) * 1.0
    for width in BORDERS:
        inside = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) * 256 >= width
        yield f"border of {width} in 256", inside * 1.0
    for count in COUNTS:
        yield f"checkerboard of {count}", (np.floor(x * count) + np.floor(y * count)) % 2
        yield f"{count} stripes upright", np.floor(x * count) % 2
        yield f"{count} stripes lying", np.floor(y * count) % 2
        yield f"{count} stripes diagonal", np.floor((x + y) / 2 * count) % 2
        yield f"{count} stripes along the other diagonal", np.floor((1 + x - y) / 2 * count) % 2


if __name__ == "__main__":
    OUT.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")
