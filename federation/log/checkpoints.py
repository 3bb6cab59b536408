# SPDX-License-Identifier: Apache-2.0
"""What a log says of itself: whose it is, how many entries it has, the hash of them all.

Three lines, signed by the log's key. C2SP allows further lines, which no follower could check:
between hubs there are none, and a checkpoint that has some is refused.
https://c2sp.org/tlog-checkpoint
"""

from collections.abc import Iterable
from dataclasses import dataclass

from federation.errors import Alarm, MalformedError, RefusedError
from federation.keys import Signer
from federation.log.lines import MAX_NUMBER, base64_of, checked_text, from_base64, number
from federation.log.merkle import HASH_BYTES
from federation.log.notes import Note, sign, verified
from federation.log.verifiers import Verifier, check_name

_LINES = 3


@dataclass(frozen=True)
class Checkpoint:
    """A log at one size.

    Args:
        origin: the log's name, which its key has too.
        size: entries.
        root: hash of the tree over them.

    Raises:
        MalformedError: A log could not say so.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_name(self.origin)
        if not 0 <= self.size <= MAX_NUMBER or len(self.root) != HASH_BYTES:
            raise MalformedError("a checkpoint has a size and a hash")

    @classmethod
    def parse(cls, text: bytes) -> "Checkpoint":
        """Read a note's text, which should be verified first.

        Raises:
            MalformedError: It is no checkpoint, or has more than three lines.
        """
        lines = text.split(b"\n")
        if len(lines) != _LINES + 1 or lines[-1]:
            raise MalformedError("a checkpoint has three lines")
        origin, size, root, _ = lines
        return cls(checked_text(origin), number(size), from_base64(root))

    @property
    def text(self) -> bytes:
        """Its lines, as they are signed."""
        return b"%b\n%d\n%b\n" % (self.origin.encode(), self.size, base64_of(self.root))

    def signed(self, signer: Signer) -> Note:
        """Sign it as its log.

        A log signs no two checkpoints of which one does not continue the other: whoever calls
        this has kept the larger one first.
        """
        return Note(self.text, (sign(self.text, self.origin, signer),))


def origin_of(note: Note) -> str:
    """Say whose checkpoint a note claims to be, before anything of it is verified.

    Raises:
        MalformedError: It names nobody.
    """
    origin = checked_text(note.text.split(b"\n", 1)[0])
    check_name(origin)
    return origin


def opened(note: Note, origin: str, keys: Iterable[Verifier]) -> Checkpoint:
    """Believe a note to be a log's checkpoint, or raise.

    Args:
        note: signed by anybody.
        origin: the log that is asked.
        keys: the log's, of which one at least must have signed.

    Raises:
        MalformedError: It is no checkpoint.
        RefusedError: BAD_SIGNATURE, UNKNOWN_KEY: the log did not sign it. WRONG_ORIGIN: it did,
            but this is another log's.
    """
    # 1. Signatures first: nothing unsigned is parsed further than its lines.
    verified(note, keys)
    # 2. A checkpoint and nothing else.
    checkpoint = Checkpoint.parse(note.text)
    # 3. Of this log: one key may sign for several.
    if checkpoint.origin != origin:
        raise RefusedError(Alarm.WRONG_ORIGIN, "the checkpoint is another log's")
    return checkpoint
