# SPDX-License-Identifier: Apache-2.0
"""Who may sign notes: a key under a name.

Which key signed is told by its name and a short id, so neither is proof of anything: what counts
is that the key verifies. https://c2sp.org/signed-note
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

from federation.errors import MalformedError
from federation.keys import PublicKey
from federation.log.lines import base64_of, checked_text, from_base64

KEY_ID_BYTES = 4


@dataclass(frozen=True)
class Verifier:
    """A key under its name, as it signs notes.

    Args:
        name: the key's; a log's key has the log's origin.
        public: the key.

    Raises:
        MalformedError: The name could not stand in a signature's line.
    """

    kind: ClassVar[int] = 0x01  # the algorithm, as C2SP numbers them

    name: str
    public: PublicKey

    def __post_init__(self) -> None:
        check_name(self.name)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a key as :attr:`vkey` writes it.

        Raises:
            MalformedError: It is none, or is of another kind.
            WeakKeyError: Anybody could sign with it.
        """
        # A name and an id hold no plus; what is left may.
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        data = from_base64(encoded.encode("utf-8", "replace"))
        if data[:1] != bytes([cls.kind]):
            raise MalformedError("a key of a kind that cannot be used here")
        key = cls(name, PublicKey(data[1:]))
        if key_id != key.key_id.hex():
            raise MalformedError("a key's id is not its own")
        return key

    @cached_property
    def key_id(self) -> bytes:
        """What lines name the key by; 4 bytes, so two keys may share it."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public.raw
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key in a line of text, as it is configured and exchanged."""
        encoded = base64_of(bytes([self.kind]) + self.public.raw).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verifies(self, payload: bytes, text: bytes) -> bool:
        """Whether a line's payload is this key's signature of a note's text."""
        return self.public.verifies(payload, text)


def check_name(name: str) -> None:
    """Refuse what is no name of a key: any text without spaces, plus signs, control characters.

    Raises:
        MalformedError: It is none.
    """
    checked_text(name.encode("utf-8", "surrogatepass"))
    if not name or "+" in name or any(character.isspace() for character in name):
        raise MalformedError("a key's name is not empty and has no spaces and no plus signs")
