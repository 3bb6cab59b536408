# SPDX-License-Identifier: Apache-2.0
"""PDQ codes that a picture has that shows nothing: flat, a gradient, stripes and the like.

Whoever looks like everything would accuse everybody, so such a code is never kept, plain or
derived; the table is made by ``tests/vectors/degenerate.py``.
"""

import json
from importlib import resources

DEGENERATE_BITS = 40
"""This close to a picture that shows nothing; photographs stay 90 bits and more away."""


def is_degenerate(pdq: bytes) -> bool:
    """Whether a PDQ code is that of a flat picture, a gradient, stripes and the like."""
    number = int.from_bytes(pdq, "big")
    return any((number ^ known).bit_count() <= DEGENERATE_BITS for known in DEGENERATE)


def _load() -> tuple[int, ...]:
    text = resources.files(__package__).joinpath("degenerate.json").read_text(encoding="utf-8")
    return tuple(int(code, 16) for code in json.loads(text)["pdq"].values())


DEGENERATE = _load()
