# SPDX-License-Identifier: Apache-2.0
"""That somebody saw a checkpoint, and when, and nothing that contradicts it.

A witness's word, or the log's own that it is alive. https://c2sp.org/tlog-cosignature, the kind
that signs with Ed25519.
"""

from collections.abc import Iterable
from typing import ClassVar

from federation.errors import MalformedError
from federation.keys import Signer
from federation.log.lines import MAX_NUMBER
from federation.log.notes import Note, Signature, signed_by
from federation.log.verifiers import Verifier

_TIME_BYTES = 8


class Cosigner(Verifier):
    """A key under its name, as it cosigns checkpoints."""

    kind: ClassVar[int] = 0x04

    def verifies(self, payload: bytes, text: bytes) -> bool:
        """Whether a line's payload is this key's cosignature of a checkpoint's lines."""
        written, signature = payload[:_TIME_BYTES], payload[_TIME_BYTES:]
        time = int.from_bytes(written, "big")
        return 0 < time <= MAX_NUMBER and self.public.verifies(signature, _said(text, time))


def cosign(text: bytes, name: str, signer: Signer, time: int) -> Signature:
    """Say that a checkpoint is the largest that was seen of its log.

    Args:
        text: its lines.
        name: the cosigner's.
        signer: its key, which signs nothing else.
        time: seconds since 1970, at least 1.

    Raises:
        MalformedError: There is no such time.
    """
    if not 0 < time <= MAX_NUMBER:
        raise MalformedError("a cosignature has a time")
    signature = signer.sign(_said(text, time))
    key_id = Cosigner(name, signer.public).key_id
    return Signature(name, key_id, time.to_bytes(_TIME_BYTES, "big") + signature)


def times(note: Note, cosigners: Iterable[Cosigner]) -> dict[Cosigner, int]:
    """Say which of some cosigners cosigned a checkpoint, each with its newest time.

    Raises:
        MalformedError: Two of the cosigners could not be told apart.
        RefusedError: BAD_SIGNATURE: a line names one of them, which did not sign.
    """
    found = signed_by(note, cosigners)
    return {who: max(map(time_of, lines)) for who, lines in found.items()}


def time_of(signature: Signature) -> int:
    """Read when a cosignature says that it was made: seconds since 1970."""
    return int.from_bytes(signature.payload[:_TIME_BYTES], "big")


def _said(text: bytes, time: int) -> bytes:
    return b"cosignature/v1\ntime %d\n%b" % (time, text)
