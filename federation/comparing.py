# SPDX-License-Identifier: Apache-2.0
"""Hold what two hubs were shown of one log against each other: the rule of gossip, no I/O.

A log that shows two histories signs both. Of one size, its two notes are the proof. Of two sizes
the larger commits to what the smaller must be: hashes that lead to its root say what the root was
at the smaller's size, and if the log signed another one there, all of that together is the proof.
Hashes that do not lead there are signed by nobody, and prove nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from federation.errors import Alarm, MalformedError, RefusedError
from federation.log.checkpoints import opened
from federation.log.lines import base64_of
from federation.log.merkle import folded, verify_consistency
from federation.log.notes import Note
from federation.log.proofs import consistency_proof, full_subtrees
from federation.log.tiles import Tile, reading
from federation.log.verifiers import Verifier

Fetch = Callable[[Sequence[Tile]], Sequence[bytes]]
"""The bytes of tiles of a log's hashes, in the order they are asked for."""


@dataclass(frozen=True)
class Shown:
    """A checkpoint that somebody was shown, and that its log signed.

    Attributes:
        size: entries.
        root: hash over them.
        note: as it came.
    """

    size: int
    root: bytes
    note: bytes = field(repr=False)

    @classmethod
    def of(cls, note: bytes, origin: str, keys: Sequence[Verifier]) -> "Shown":
        """Believe a note to be a log's.

        Raises:
            RefusedError: It is not: MALFORMED, BAD_SIGNATURE, UNKNOWN_KEY, WRONG_ORIGIN.
        """
        checkpoint = opened(Note.parse(note), origin, keys)
        return cls(checkpoint.size, checkpoint.root, note)


def compare(one: Shown, other: Shown, fetch: Fetch) -> None:
    """Return if two checkpoints are of one history, or raise.

    Args:
        one: what one hub was shown.
        other: what another was.
        fetch: asks the log; not asked where the sizes are equal.

    Raises:
        RefusedError: SPLIT_VIEW: they are not; the notes are the proof, and where their sizes
            differ, the third piece is the root that the larger one has at the smaller one's size,
            and the proof of that, a hash a line. GAP: the log does not show how they belong
            together.
        TransportError: It did not answer.
    """
    small, large = sorted((one, other), key=lambda shown: shown.size)
    if small.size == large.size:
        if small.root != large.root:
            raise RefusedError(Alarm.SPLIT_VIEW, "two hashes at one size", small.note, large.note)
        return
    if small.size == 0:
        return  # nothing was said yet
    before, proof = _root_at(small.size, large, fetch)
    if before != small.root:
        shown = b"".join(base64_of(each) + b"\n" for each in (before, *proof))
        what = "what was shown to one hub is not the beginning of what was shown to another"
        raise RefusedError(Alarm.SPLIT_VIEW, what, small.note, large.note, shown)


def _root_at(size: int, shown: Shown, fetch: Fetch) -> tuple[bytes, list[bytes]]:
    """What a checkpoint's log was at an earlier size, and the proof that its root says so."""
    try:
        read = reading(shown.size, fetch)
        root = folded(list(read(list(full_subtrees(0, size)))))
        proof = consistency_proof(size, shown.size, read)
        verify_consistency(size, root, shown.size, shown.root, proof)
    except MalformedError as error:
        raise RefusedError(Alarm.GAP, "the log shows no hashes") from error
    except RefusedError as error:
        what = "the log shows other hashes than its checkpoint commits to"
        raise RefusedError(Alarm.GAP, what) from error
    return root, proof
