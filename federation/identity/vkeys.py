# SPDX-License-Identifier: Apache-2.0
"""Keys of notes in a line of text, as far as they must be known to say whose they are.

What signs notes is known above (``federation.log``); here it is a name, a key and nothing else.
https://c2sp.org/signed-note
"""

import base64
import binascii
import re
from typing import Any

from federation.keys import LENGTH, PublicKey

MAX_LENGTH = 4096  # characters: room for keys that are not of Ed25519
_VKEY = re.compile(r"(?P<name>[!-*,-~]{1,300})\+[0-9a-f]{8}\+(?P<data>[A-Za-z0-9+/]+={0,2})")


def vkey(value: Any) -> str:
    """A check of a key in a line of text.

    Raises:
        WeakKeyError: Anybody could sign with it.
    """
    found = _VKEY.fullmatch(value) if isinstance(value, str) else None
    if found is None or len(value) > MAX_LENGTH or not _is_one_way(found["data"]):
        raise ValueError("a key of notes: name+id+base64")
    raw = raw_of(found[0])
    if len(raw) == LENGTH:
        PublicKey(raw)
    return found[0]


def name_of(checked: str) -> str:
    """The name a key signs under; a log's key has the log's origin."""
    return checked.partition("+")[0]


def raw_of(checked: str) -> bytes:
    """The key itself, without the byte before it that names its algorithm."""
    return base64.b64decode(checked.split("+", 2)[2])[1:]


def _is_one_way(data: str) -> bool:
    try:
        return base64.b64encode(base64.b64decode(data, validate=True)).decode() == data
    except binascii.Error:
        return False
