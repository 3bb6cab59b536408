# SPDX-License-Identifier: Apache-2.0
"""Receipts: what a hit hands out so that its outcome can be told later. Stateless and sealed.

A receipt says which entry was told to which operator and when; only this hub can read it, and a
changed one does not open. Nothing of the query is in it.
"""

import base64
import binascii
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.domain.errors import BadInputError, flaw

_FORM = struct.Struct(">QIIQ")
_BOUND = b"breakwater receipt 1"
_NONCE_BYTES = 12


@dataclass(frozen=True)
class Receipt:
    """What a receipt stands for, in internal keys; ``number`` is its own random name."""

    indicator: int
    set_key: int
    operator: int
    at_ms: int
    number: str


class Receipts:
    """Makes and reads receipts under one key of 32 bytes."""

    def __init__(self, key: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        self._cipher = AESGCM(key)
        self._random = random

    def make(self, indicator: int, set_key: int, operator: int, at: datetime) -> str:
        """A new receipt, 72 characters."""
        nonce = self._random(_NONCE_BYTES)
        plain = _FORM.pack(indicator, set_key, operator, int(at.timestamp() * 1000))
        return base64.urlsafe_b64encode(
            nonce + self._cipher.encrypt(nonce, plain, _BOUND)
        ).decode()

    def read(self, text: str, index: int | None = None) -> Receipt:
        """What the receipt stands for.

        Raises:
            BadInputError: It is not one of this hub's receipts, or was changed.
        """
        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
            plain = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _BOUND)
        except (ValueError, binascii.Error, InvalidTag) as error:
            raise _unreadable(index) from error
        indicator, set_key, operator, at_ms = _FORM.unpack(plain)
        return Receipt(indicator, set_key, operator, at_ms, raw[:_NONCE_BYTES].hex())


def _unreadable(index: int | None) -> BadInputError:
    return flaw("unknown-receipt", "This is not a receipt of this hub.", index, "receipt")
