# SPDX-License-Identifier: Apache-2.0
"""The ways in which a code may be derived from a picture, as data with a version.

A picture has one plain code of a signal. Every other is computed from an altered copy of it and
is tagged with the alteration: one byte beside the code, a name in the API. Ids are never reused,
so what an older version made is still understood. ``derivations.json`` is the table;
``bench/choosing.py`` chose what is in it. In a name:

- ``dihedral:…``: turned counter-clockwise; ``flipx`` mirrors left and right, ``flipy`` top and
  bottom;
- ``trim:border``: what is inside a border;
- ``crop:T,R,B,L``: so many hundredths cut off each side, as in CSS clockwise from the top;
- ``tilt:D,C``: turned counter-clockwise by D degrees, of that the largest upright part of the
  picture's own shape, and C hundredths cut off each of its sides;
- ``trim:border+…``: the same of what is inside a border.
"""

import json
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from matching.errors import UnknownDerivationError

_TABLE = json.loads(
    resources.files(__package__).joinpath("derivations.json").read_text(encoding="utf-8")
)
VERSION: str = _TABLE["version"]
PLAIN = 0

NAMES: Mapping[int, str] = MappingProxyType(
    {int(number): name for number, name in _TABLE["names"].items()}
)
"""What each byte means; the others up to 255 are free."""

IDS: Mapping[str, int] = MappingProxyType({name: number for number, name in NAMES.items()})

ASKED: tuple[int, ...] = tuple(IDS[name] for name in _TABLE["asked"])
"""What the asker adds to its query, the most useful first: whatever leads an altered copy back to
what is known. There may be more than go into one item."""

CONTRIBUTED: tuple[int, ...] = tuple(IDS[name] for name in _TABLE["contributed"])
"""What the contributor adds, the most useful first: what the asker cannot undo alone."""

MOST_ASKED, MOST_CONTRIBUTED = 15, 31
"""Derived codes of one item; with the plain one 16 and 32."""


def derivation_id(name: str | None) -> int:
    """Find the byte for a name of the API; no name at all is the plain code.

    Raises:
        UnknownDerivationError: The name is not in this version's table.
    """
    if name is None:
        return PLAIN
    try:
        return IDS[name]
    except KeyError:
        raise UnknownDerivationError from None


def derivation_name(number: int) -> str | None:
    """Find the API's name for a byte; None for the plain code.

    Raises:
        UnknownDerivationError: The byte is not in this version's table.
    """
    if number == PLAIN:
        return None
    try:
        return NAMES[number]
    except KeyError:
        raise UnknownDerivationError from None
