# SPDX-License-Identifier: Apache-2.0
"""The ways in which a code may be derived from a picture, as data with a version.

A picture has one plain code of a signal. Every other is computed from an altered copy of it and
is tagged with the alteration: one byte beside the code, a name in the API. Ids are never reused.
Turns are counter-clockwise; ``flipx`` mirrors left and right, ``flipy`` top and bottom.
"""

from collections.abc import Mapping
from types import MappingProxyType

from matching.errors import UnknownDerivationError

VERSION = "deriv/1"
PLAIN = 0

NAMES: Mapping[int, str] = MappingProxyType(
    {
        1: "dihedral:rot90",
        2: "dihedral:rot180",
        3: "dihedral:rot270",
        4: "dihedral:flipx",
        5: "dihedral:flipy",
        6: "dihedral:transpose",
        7: "dihedral:transverse",
        8: "trim:border",
        9: "trim:border+flipx",
    }
)
"""What each byte means. 10 to 255 are free."""

IDS: Mapping[str, int] = MappingProxyType({name: number for number, name in NAMES.items()})

ASKED = frozenset(NAMES)
"""What the asker adds to its query: whatever turns an altered copy back into the original."""

CONTRIBUTED = frozenset({IDS["trim:border"]})
"""What the contributor adds: only what the asker cannot undo, a border of the original itself."""


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
