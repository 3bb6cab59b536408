# SPDX-License-Identifier: Apache-2.0
"""Signed notes: a text, and under it who signs it, one line each.

What somebody signs is bytes, and they stay bytes until a signature is verified. A note is read
strictly: what is parsed is written back byte for byte. https://c2sp.org/signed-note
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from federation.errors import Alarm, MalformedError, RefusedError
from federation.keys import Signer
from federation.log.lines import base64_of, checked_text, from_base64
from federation.log.verifiers import KEY_ID_BYTES, Verifier, check_name

MAX_BYTES = 64 * 1024  # of a note
MAX_SIGNATURES = 32
_BLANK = b"\n\n"
_DASH = "— ".encode()

Key = TypeVar("Key", bound=Verifier)


@dataclass(frozen=True)
class Signature:
    """One line under a note; whether it is true is for a :class:`Verifier` to say.

    Attributes:
        name: who is said to have signed.
        key_id: with which key; 4 bytes.
        payload: what was signed with it, at least one byte.
    """

    name: str
    key_id: bytes
    payload: bytes

    @classmethod
    def parse(cls, line: bytes) -> "Signature":
        """Read a line, without its newline.

        Raises:
            MalformedError: It is none.
        """
        name, _, written = checked_text(line.removeprefix(_DASH)).partition(" ")
        data = from_base64(written.encode())
        if not line.startswith(_DASH) or len(data) <= KEY_ID_BYTES:
            raise MalformedError("a line under a note is no signature")
        check_name(name)
        return cls(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])

    @property
    def line(self) -> bytes:
        """The line, with its newline."""
        written = base64_of(self.key_id + self.payload)
        return b"%b%b %b\n" % (_DASH, self.name.encode(), written)


@dataclass(frozen=True)
class Note:
    """A text and its signatures, none of which is verified yet.

    Attributes:
        text: UTF-8 that ends with a newline.
        signatures: in the order of their lines.
    """

    text: bytes
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Read a note.

        Raises:
            MalformedError: It is none, has no signature, or is larger than MAX_BYTES or
                MAX_SIGNATURES.
        """
        # 1. Size first: nothing that is too large is looked at.
        if len(data) > MAX_BYTES:
            raise MalformedError("the note is too large", Alarm.TOO_LARGE)
        # 2. What people may be shown holds no control characters.
        checked_text(data)
        # 3. The last empty line parts the text from its signatures: a text may have some itself.
        text, blank, under = data.rpartition(_BLANK)
        if not blank or not under:
            raise MalformedError("nobody signed the note", Alarm.UNSIGNED)
        if not under.endswith(b"\n"):
            raise MalformedError("the note does not end with its last line")
        lines = under[:-1].split(b"\n")
        if len(lines) > MAX_SIGNATURES:
            raise MalformedError("the note has too many signatures", Alarm.TOO_LARGE)
        return cls(text + b"\n", tuple(Signature.parse(line) for line in lines))

    def encoded(self) -> bytes:
        """Write it; what was parsed becomes what it was."""
        return self.text + b"\n" + b"".join(each.line for each in self.signatures)

    def with_signatures(self, signatures: Iterable[Signature]) -> "Note":
        """Add lines that are not there yet."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *signatures))))


def sign(text: bytes, name: str, signer: Signer) -> Signature:
    """Sign a note's text."""
    return Signature(name, Verifier(name, signer.public).key_id, signer.sign(text))


def verified(note: Note, keys: Iterable[Key]) -> dict[Key, tuple[Signature, ...]]:
    """Say which of some keys signed a note, with their lines; at least one did.

    Raises:
        MalformedError: Two of the keys could not be told apart.
        RefusedError: BAD_SIGNATURE: a line names one of the keys, which did not sign.
            UNKNOWN_KEY: none of them signed.
    """
    found = signed_by(note, keys)
    if not found:
        raise RefusedError(Alarm.UNKNOWN_KEY, "nobody who is known signed the note")
    return found


def signed_by(note: Note, keys: Iterable[Key]) -> dict[Key, tuple[Signature, ...]]:
    """Say the same where it may be that none did.

    Raises:
        MalformedError: Two of the keys could not be told apart.
        RefusedError: BAD_SIGNATURE: a line names one of the keys, which did not sign.
    """
    known = _by_id(keys)
    found: dict[Key, tuple[Signature, ...]] = {}
    for each in note.signatures:
        # A line of somebody unknown says nothing, also if it shares a name or an id.
        if (key := known.get((each.name, each.key_id))) is None:
            continue
        # Every line of a known key is verified, also its second: one false line spoils the note.
        if not key.verifies(each.payload, note.text):
            raise RefusedError(Alarm.BAD_SIGNATURE, "a signature under the note is false")
        found[key] = (*found.get(key, ()), each)
    return found


def _by_id(keys: Iterable[Key]) -> dict[tuple[str, bytes], Key]:
    known: dict[tuple[str, bytes], Key] = {}
    for key in keys:
        # Ids are short enough to be forged, so it must not matter who comes first.
        if known.setdefault((key.name, key.key_id), key) != key:
            raise MalformedError("two keys share a name and an id")
    return known
