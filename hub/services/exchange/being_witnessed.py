# SPDX-License-Identifier: Apache-2.0
"""Have our log witnessed: ask partners to say that they saw it, and show what they said."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from federation.errors import Alarm, FederationError, RefusedError, TransportError
from federation.log.cosignatures import Cosigner, times
from federation.log.lines import number
from federation.log.notes import Note, Signature
from federation.log.proofs import consistency_proof
from federation.log.tiles import reading
from federation.ports import Answer, Wire
from federation.witnessing import Request
from hub.domain.changes import SYSTEM
from hub.ports import Hub
from hub.ports.exchange import ACTIVE, Enrolled, OwnLog, Voice
from hub.services.exchange import partners
from hub.services.exchange.healing import doubt
from hub.services.exchange.serving import tiles_of
from hub.services.exchange.witnessing import CONFLICT, SIZE_TYPE

AGAIN_SECONDS = 600
"""After which a witness is asked again of what it cosigned already: that it still stands by it."""
OK = 200
MAX_ANSWER = 64 * 1024
ASK_SECONDS = 10.0
PATH = "/witness/add-checkpoint"


Ask = Callable[[Enrolled], list[Signature]]
Each = Callable[[Ask, Sequence[Enrolled]], Iterable[list[Signature]]]
"""Asks each of some partners; what comes of it in the order in which it came."""


def ask_witnesses(
    hub: Hub,
    voice: Voice,
    wire: Callable[[Enrolled], Wire],
    sizes: dict[str, int],
    *,
    each: Each = map,
) -> int:
    """Have our checkpoint cosigned by partners that have not yet, or not of late.

    What each of them answers is shown at once, if that checkpoint is the newest still. Else the
    witness itself shows it, to whoever asks what it cosigned.

    Args:
        hub: ours.
        voice: by what we speak.
        wire: the way to a partner.
        sizes: what each of them cosigned last, as far as is known; changed here.
        each: asks them, one after another or side by side.

    Returns:
        how many cosigned.
    """
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
        known = [one for one in work.partners.all() if one.state == ACTIVE and one.is_asked]
    if log.note is None:
        return 0
    asking = _Asking(log, Note.parse(log.note), hub, sizes)
    came = 0
    for fresh in each(lambda partner: asking.ask(partner, wire), known):
        if fresh:
            came += len(fresh)
            _show(asking, fresh)
    return came


def _show(asking: "_Asking", fresh: Sequence[Signature]) -> None:
    """Show lines under the checkpoint that they are of, with those that came meanwhile."""
    with asking.hub.begin.writing(SYSTEM) as work:
        log = work.logs.open(asking.log.origin, lock=True)
        note = None if log.note is None else Note.parse(log.note)
        if note is None or note.text != asking.note.text:
            return
        work.logs.show(log, _with(note, fresh).encoded(), log.noted)
        work.commit()


@dataclass(frozen=True)
class _Asking:
    """Asks for cosignatures of one checkpoint."""

    log: OwnLog
    note: Note
    hub: Hub
    sizes: dict[str, int]

    def ask(self, partner: Enrolled, wire: Callable[[Enrolled], Wire]) -> list[Signature]:
        """Ask one partner; nothing comes of one that is away, or was asked of late."""
        said = partners.identity_of(partner)
        if said is None or said.witness is None:
            return []
        witness = Cosigner.parse(said.witness)
        now = int(self.hub.clock().timestamp())
        if now - times(self.note, [witness]).get(witness, 0) < AGAIN_SECONDS:
            return []
        try:
            return self._cosigned(partner.hub, witness, wire(partner))
        except FederationError:
            # The others are asked nevertheless; that it is away, its health tells.
            return []

    def _cosigned(self, name: str, witness: Cosigner, wire: Wire) -> list[Signature]:
        """Ask; once more if the witness knows another size than we thought."""
        answer = self._sent(wire, self.sizes.get(name, 0))
        if answer.status == CONFLICT and answer.media_type == SIZE_TYPE:
            old = number(answer.body.strip())
            if old > self.log.noted:
                # Our database is an older one than that which signed: not a word more.
                with self.hub.begin.writing(SYSTEM) as work:
                    doubt(work)
                    work.commit()
                raise RefusedError(Alarm.ROLLBACK, "a witness saw more of our log than there is")
            answer = self._sent(wire, old)
        if answer.status != OK:
            raise TransportError(f"the witness answered {answer.status}")
        lines = tuple(Signature.parse(line) for line in answer.body.splitlines() if line)
        if witness not in times(Note(self.note.text, lines), [witness]):
            raise RefusedError(Alarm.BAD_SIGNATURE, "the witness answered with another's line")
        self.sizes[name] = self.log.noted
        return [line for line in lines if line.name == witness.name]

    def _sent(self, wire: Wire, old: int) -> Answer:
        size = self.log.noted
        old = min(old, size)
        with self.hub.begin.reading() as work:
            proof = consistency_proof(old, size, reading(size, tiles_of(self.log, work)))
        body = Request(old, tuple(proof), self.note).encoded()
        return wire.post(
            PATH, body, media_type="text/plain", max_bytes=MAX_ANSWER, seconds=ASK_SECONDS
        )


def _with(note: Note, fresh: Sequence[Signature]) -> Note:
    """A note with further lines; what a witness said before says nothing more."""
    names = {line.name for line in fresh}
    kept = (line for line in note.signatures if line.name not in names)
    return Note(note.text, ()).with_signatures((*kept, *fresh))
