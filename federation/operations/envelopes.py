# SPDX-License-Identifier: Apache-2.0
"""Signed operations: DSSE envelopes around their bytes.

The signature is over the bytes as they came. They are read once, from the envelope that was
verified, and never written anew to be compared.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError, VerificationError
from securesystemslib.signer import Signature, SSlibKey

from federation.errors import Alarm, MalformedError, RefusedError
from federation.forms.canonical import MAX_BYTES
from federation.keys import PublicKey, Signer

MEDIA_TYPE = "application/vnd.breakwater.op.v1+json"
MAX_SIGNATURES = 8
MEMBERS = frozenset({"payload", "payloadType", "signatures"})


def sealed(payload: bytes, signer: Signer, key_id: str) -> dict[str, Any]:
    """The envelope of some bytes, as JSON, signed once."""
    envelope = Envelope(payload, MEDIA_TYPE, {})
    signature = Signature(key_id, signer.sign(envelope.pae()).hex())
    told: dict[str, Any] = Envelope(payload, MEDIA_TYPE, {key_id: signature}).to_dict()
    return told


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
    payload = said["payload"]
    if not isinstance(payload, str):
        raise MalformedError("not an envelope of an operation")
    if len(payload) > MAX_BYTES * 4 // 3 + 4:
        raise MalformedError("the payload is too large", Alarm.TOO_LARGE)
    try:
        # It empties what it is given.
        return Envelope.from_dict({**said, "signatures": [dict(one) for one in signatures]})
    except (FormatError, KeyError, TypeError, ValueError) as error:
        raise MalformedError("not an envelope of an operation") from error


def verify(envelope: Envelope, key: PublicKey, key_id: str) -> None:
    """Check that one of the signatures is of that key; others may be of anybody's.

    Raises:
        RefusedError: None is.
    """
    try:
        envelope.verify([_key(key.raw, key_id)], 1)
    except (VerificationError, ValueError) as error:
        raise RefusedError(Alarm.BAD_SIGNATURE, "no signature of the key it names") from error


@lru_cache(maxsize=1024)
def _key(raw: bytes, key_id: str) -> SSlibKey:
    return SSlibKey(key_id, "ed25519", "ed25519", {"public": raw.hex()})
