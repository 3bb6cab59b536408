# SPDX-License-Identifier: Apache-2.0
"""Our keys as TUF's library knows them, and its keys as we do."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.signer import Key, Signature, Signer as TufSigner, SSlibKey

from federation.errors import MalformedError
from federation.keys import PublicKey, Signer

ED25519 = ("ed25519", "ed25519")  # what the key is, and how it signs


class Adapter(TufSigner):
    """One of our signers, as securesystemslib knows them."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._key = tuf_key(signer.public)

    @property
    def public_key(self) -> Key:
        """The other half."""
        return self._key

    def sign(self, payload: bytes) -> Signature:
        """Sign, under the id that the key's root gives it."""
        return Signature(self._key.keyid, self._signer.sign(payload).hex())

    @classmethod
    def from_priv_key_uri(cls, *_: Any, **__: Any) -> TufSigner:
        """Part of the library's interface that is of no use here."""
        raise ValueError("keys are handed over, not looked up")


def tuf_key(public: PublicKey) -> SSlibKey:
    """A key, under the id that TUF computes for it."""
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public.raw))


def public_of(key: Key) -> PublicKey:
    """A key that TUF's library took as it came.

    Raises:
        MalformedError: It is not of Ed25519, or not written in hex.
        WeakKeyError: Anybody could sign with it.
    """
    if (key.keytype, key.scheme) != ED25519:
        raise MalformedError("keys of a root are Ed25519 keys")
    try:
        return PublicKey(bytes.fromhex(key.keyval["public"]))
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError("a key of a root is not written in hex") from error
