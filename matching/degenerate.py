# SPDX-License-Identifier: Apache-2.0
"""PDQ codes that a picture has that shows nothing: flat, a gradient, stripes and the like.

Whoever looks like everything would accuse everybody, so such a code is never kept, plain or
derived; the table is made by ``tests/vectors/degenerate.py``.
"""

import json
from importlib import resources

import numpy as np
from numpy.typing import NDArray

DEGENERATE_BITS = 40
"""This close to a picture that shows nothing; photographs stay 90 bits and more away."""


def is_degenerate(pdq: bytes) -> bool:
    """Whether a PDQ code is that of a flat picture, a gradient, stripes and the like."""
    words = np.frombuffer(pdq, np.uint64)
    distances = np.bitwise_count(_WORDS ^ words).sum(axis=1, dtype=np.uint16)
    return bool((distances <= DEGENERATE_BITS).any())


def _load() -> tuple[int, ...]:
    text = resources.files(__package__).joinpath("degenerate.json").read_text(encoding="utf-8")
    return tuple(int(code, 16) for code in json.loads(text)["pdq"].values())


def _words(codes: tuple[int, ...]) -> NDArray[np.uint64]:
    """The codes as ``(n, 4)``; the order of bytes is of no matter where bits are counted."""
    packed = b"".join(code.to_bytes(32, "big") for code in codes)
    return np.frombuffer(packed, np.uint64).reshape(-1, 4)


DEGENERATE = _load()
_WORDS = _words(DEGENERATE)
