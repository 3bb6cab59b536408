# SPDX-License-Identifier: Apache-2.0
"""Signed operations: DSSE envelopes around their bytes.

The signature is over the bytes as they came. They are read once, from the envelope that was
verified, and never written anew to be compared.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError
from securesystemslib.signer import Signature

from federation.errors import Alarm, MalformedError, RefusedError
from federation.forms.canonical import MAX_BYTES
from federation.keys import PublicKey, Signer

MEDIA_TYPE = "application/vnd.breakwater.op.v1+json"
MAX_SIGNATURES = 8
MEMBERS = frozenset({"payload", "payloadType", "signatures"})
SIGNATURE = frozenset({"keyid", "sig"})


@dataclass(frozen=True)
class Sealed:
    """An operation's bytes with the one signature that counts.

    Attributes:
        payload: canonical bytes.
        key_id: which key of its origin signed.
        signature: 64 bytes.
    """

    payload: bytes = field(repr=False)
    key_id: str
    signature: bytes = field(repr=False)

    @property
    def told(self) -> dict[str, Any]:
        """The envelope as JSON."""
        signature = Signature(self.key_id, self.signature.hex())
        told: dict[str, Any] = Envelope(
            self.payload, MEDIA_TYPE, {self.key_id: signature}
        ).to_dict()
        return told


def sealed(payload: bytes, signer: Signer, key_id: str) -> Sealed:
    """Sign some bytes."""
    pae = Envelope(payload, MEDIA_TYPE, {}).pae()
    return Sealed(payload, key_id, signer.sign(pae))


def payload_of(said: Mapping[str, Any]) -> bytes:
    """The bytes that an envelope is around, before anything else of it is looked at.

    Raises:
        MalformedError: There are none, or too many.
    """
    payload = said.get("payload")
    if not isinstance(payload, str):
        raise MalformedError("not an envelope of an operation")
    if len(payload) > MAX_BYTES * 4 // 3 + 4:
        raise MalformedError("the payload is too large", Alarm.TOO_LARGE)
    try:
        return base64.b64decode(payload, validate=True)
    except ValueError as error:
        raise MalformedError("not an envelope of an operation") from error


def opened(said: Mapping[str, Any]) -> Envelope:
    """Read an envelope; nothing of its payload is read yet, nor any signature checked.

    Raises:
        RefusedError: It is no envelope of an operation, or carries no signature.
    """
    if set(said) != MEMBERS or said["payloadType"] != MEDIA_TYPE:
        raise MalformedError("not an envelope of an operation")
    signatures = said["signatures"]
    if not isinstance(signatures, list) or len(signatures) > MAX_SIGNATURES:
        raise MalformedError(f"an envelope has at most {MAX_SIGNATURES} signatures")
    if not signatures:
        raise RefusedError(Alarm.UNSIGNED, "the envelope is not signed")
    if not all(map(_is_signature, signatures)):
        raise MalformedError("a signature of an envelope is keyid and sig")
    payload = payload_of(said)
    try:
        # It empties what it is given.
        envelope = Envelope.from_dict({**said, "signatures": [dict(one) for one in signatures]})
    except (FormatError, KeyError, TypeError, ValueError) as error:
        raise MalformedError("not an envelope of an operation") from error
    # Two readers of one text must not see different bytes.
    if envelope.payload != payload or envelope.to_dict() != said:
        raise MalformedError("base64 that can be read in two ways", Alarm.NON_CANONICAL)
    return envelope


def _is_signature(said: Any) -> bool:
    return (
        isinstance(said, dict)
        and said.keys() == SIGNATURE
        and all(isinstance(one, str) for one in said.values())
    )


def verified(envelope: Envelope, key: PublicKey, key_id: str) -> Sealed:
    """Check that one of the signatures is of that key; others may be of anybody's.

    Raises:
        RefusedError: None is.
    """
    named = envelope.signatures.get(key_id)
    signature = b"" if named is None else bytes.fromhex(named.signature)
    if not key.verifies(signature, envelope.pae()):
        raise RefusedError(Alarm.BAD_SIGNATURE, "no signature of the key it names")
    return Sealed(envelope.payload, key_id, signature)
