# SPDX-License-Identifier: Apache-2.0
"""Ed25519 keys: checked when they are met, never trusted for their shape.

Under a key of small order one signature fits many messages, and libraries that follow RFC 8032 to
the letter accept it. Such keys, and keys not written the one canonical way, are refused here,
which is where every key of another hub comes in.
"""

from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from federation.errors import MalformedError, WeakKeyError

LENGTH = 32  # bytes of a public key
SIGNATURE = 64  # bytes
P = 2**255 - 19  # the field: RFC 8032, section 5.1
# One of the two y of the points of order 8; the other is its negative. tests/unit/federation
# computes them anew.
EIGHTH = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# y of all points whose order divides 8; the top bit of a key says which of two x it means.
SMALL_ORDER = frozenset({0, 1, P - 1, EIGHTH, P - EIGHTH})


@dataclass(frozen=True)
class PublicKey:
    """A public key that is fit for use.

    Args:
        raw: 32 bytes, as RFC 8032 writes it.

    Raises:
        MalformedError: It is no key.
        WeakKeyError: It is of small order, or its y is not below the field's prime.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != LENGTH:
            raise MalformedError("an Ed25519 public key has 32 bytes")
        y = int.from_bytes(self.raw, "little") & (2**255 - 1)
        if y >= P or y in SMALL_ORDER:
            raise WeakKeyError

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether its other half signed the message; a signature of another length did not.

        Verified by libsodium, which is the stricter of the two libraries here, and the faster.
        """
        if len(signature) != SIGNATURE:
            return False
        try:
            crypto_sign_open(signature + message, self.raw)
        except BadSignatureError:
            return False
        return True


class Signer(Protocol):
    """A private half, wherever it is kept."""

    @property
    def public(self) -> PublicKey:
        """The other half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Sign; returns 64 bytes."""
        ...


class MemorySigner:
    """A private key in memory: as read from a file, or as a test makes it.

    Args:
        seed: 32 random bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Sign; returns 64 bytes."""
        return self._key.sign(message)
