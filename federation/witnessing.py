# SPDX-License-Identifier: Apache-2.0
"""Cosign other hubs' checkpoints, each only if it continues the last: the rules of a witness.

The caller keeps one :class:`Seen` for each log, compares and sets it, and only then answers. Two
requests that were checked against the same state cannot both be "the next one": without that, a
late smaller checkpoint would be cosigned after a larger one. https://c2sp.org/tlog-witness
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from federation.errors import (
    Alarm,
    FederationError,
    MalformedError,
    RefusedError,
    SizeConflictError,
)
from federation.keys import Signer
from federation.log.checkpoints import Checkpoint, opened, origin_of
from federation.log.cosignatures import cosign
from federation.log.lines import base64_of, from_base64, number
from federation.log.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from federation.log.notes import MAX_BYTES, Note, Signature
from federation.log.verifiers import Verifier

MAX_PROOF = 63  # hashes
MAX_REQUEST = MAX_BYTES + 4096  # bytes: a note, and a proof as long as there can be
_OLD = b"old "


@dataclass(frozen=True)
class Request:
    """Asks for a cosignature; nothing of it is verified yet.

    Attributes:
        old: size of the checkpoint that the witness is thought to have cosigned last.
        proof: that the new one continues it.
        note: the new one, signed by its log.
    """

    old: int
    proof: tuple[bytes, ...]
    note: Note

    @classmethod
    def parse(cls, body: bytes) -> "Request":
        """Read the body of a request.

        Raises:
            MalformedError: It is none.
        """
        if len(body) > MAX_REQUEST:
            raise MalformedError("the request is too large", Alarm.TOO_LARGE)
        head, blank, note = body.partition(b"\n\n")
        first, *proof = head.split(b"\n")
        if not blank or not first.startswith(_OLD):
            raise MalformedError("a request says what was cosigned last")
        if len(proof) > MAX_PROOF:
            raise MalformedError("the proof is too long", Alarm.TOO_LARGE)
        hashes = tuple(map(from_base64, proof))
        if any(len(each) != HASH_BYTES for each in hashes):
            raise MalformedError("a hash has 32 bytes")
        return cls(number(first.removeprefix(_OLD)), hashes, Note.parse(note))

    @property
    def origin(self) -> str:
        """The log that it claims to be for.

        Raises:
            MalformedError: It names none.
        """
        return origin_of(self.note)

    def encoded(self) -> bytes:
        """Write the body of a request."""
        proof = b"".join(base64_of(each) + b"\n" for each in self.proof)
        return b"%b%d\n%b\n%b" % (_OLD, self.old, proof, self.note.encoded())


@dataclass(frozen=True)
class Seen:
    """What a witness keeps of a log: the checkpoint that it cosigned last.

    Args:
        origin: the log.
        size: entries it had.
        root: hash it had.
        note: the checkpoint as it was signed, with our cosignatures; empty before the first.
    """

    origin: str
    size: int = 0
    root: bytes = EMPTY_ROOT
    note: bytes = b""


@dataclass(frozen=True)
class Cosigned:
    """An answer that may be given once *seen* has taken the place of *expected*.

    Attributes:
        body: lines to answer with.
        expected: what the request was checked against.
        seen: what is to be kept.
    """

    body: bytes
    expected: Seen
    seen: Seen


@dataclass(frozen=True)
class Witness:
    """Somebody who cosigns.

    Args:
        name: as it stands in its lines.
        signer: its key, which signs nothing but cosignatures.
        logs: keys of the logs it cosigns for, by their origin.
    """

    name: str
    signer: Signer
    logs: Mapping[str, Sequence[Verifier]]

    def cosigned(self, request: Request, seen: Seen, time: int) -> Cosigned:
        """Check a request and cosign its checkpoint.

        Args:
            request: for any log.
            seen: what was kept last of ``request.origin``; ``Seen(origin)`` if nothing was.
            time: seconds since 1970.

        Raises:
            MalformedError: 400: It makes no sense.
            RefusedError: WRONG_ORIGIN, 404: Nobody knows the log. BAD_SIGNATURE, UNKNOWN_KEY,
                403: The log did not sign. FORK, 422: It signed two roots at one size; both
                notes are the proof. GAP, 422: Nothing shows that this continues what was
                cosigned last; both notes are there to be looked into.
            SizeConflictError: 409: Something else was cosigned last.
        """
        # 1. A log we know.
        origin = request.origin
        if origin not in self.logs or origin != seen.origin:
            raise RefusedError(Alarm.WRONG_ORIGIN, "no log of that name is witnessed here")
        # 2. Signed by it: nothing unsigned is parsed further.
        checkpoint = opened(request.note, origin, self.logs[origin])
        # 3. Asked from where we are.
        if request.old > checkpoint.size:
            raise MalformedError("the old size is larger than the new")
        if request.old != seen.size:
            raise SizeConflictError(seen.size)
        # 4. It continues what we cosigned.
        _check_growth(request, checkpoint, seen)
        # 5. Said again, with a newer time, also of a checkpoint that is no news.
        cosignature = cosign(request.note.text, self.name, self.signer, time)
        kept = _kept(request.note, self.logs[origin], cosignature)
        state = Seen(origin, checkpoint.size, checkpoint.root, kept.encoded())
        return Cosigned(cosignature.line, expected=seen, seen=state)


def http_status(error: FederationError) -> int:
    """Say how a witness answers when it does not cosign."""
    if isinstance(error, SizeConflictError):
        return 409
    if isinstance(error, RefusedError) and not isinstance(error, MalformedError):
        return _STATUS.get(error.alarm, 400)
    return 400


_STATUS = {
    Alarm.WRONG_ORIGIN: 404,
    Alarm.BAD_SIGNATURE: 403,
    Alarm.UNKNOWN_KEY: 403,
    Alarm.FORK: 422,
    Alarm.GAP: 422,
}


def _check_growth(request: Request, checkpoint: Checkpoint, seen: Seen) -> None:
    new, root = checkpoint.size, checkpoint.root
    try:
        verify_consistency(seen.size, seen.root, new, root, request.proof)
    except RefusedError as error:
        evidence = tuple(filter(None, (seen.note, request.note.encoded())))
        # One size and two hashes, both signed: that is proof to anybody.
        if seen.size == new and seen.root != root:
            raise RefusedError(
                Alarm.FORK, "the log has two roots at one size", *evidence
            ) from error
        # The proof is not signed: a stranger may have spoilt it, to have a good log accused.
        what = "the proof does not lead from the checkpoint that was cosigned last to this one"
        raise RefusedError(Alarm.GAP, what, *evidence) from error


def _kept(note: Note, log: Sequence[Verifier], cosignature: Signature) -> Note:
    """What is kept, and shown to others: the log's lines and ours, no stranger's."""
    # Every line that names one of these keys was verified when the note was opened.
    known = {(key.name, key.key_id) for key in log}
    lines = (line for line in note.signatures if (line.name, line.key_id) in known)
    return Note(note.text, ()).with_signatures((*lines, cosignature))
