# SPDX-License-Identifier: Apache-2.0
"""After a restore: say nothing before our witnesses have told how much of our log they saw.

A database that was put back has a log that is shorter than the one it signed. To go on from there
would be a second history, and partners are right to call that a lie. So a restored hub asks first.
If anybody saw more than there is, it takes from its partners what it had said, closes its log
where they saw its end, and begins another.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from federation.errors import Alarm, FederationError, RefusedError, TransportError
from federation.forms.fields import LARGEST
from federation.identity.values import HubFile
from federation.log.checkpoints import Checkpoint, opened
from federation.log.notes import MAX_BYTES, Note
from federation.ports import Wire
from federation.returned import fetch
from hub.domain.changes import SYSTEM
from hub.ports import Hub, Work
from hub.ports.exchange import ACTIVE, Enrolled, Voice
from hub.services.exchange import partners
from hub.services.exchange.recovering import recover
from hub.services.exchange.renewing import begin_log

UNCHECKED = "log-unchecked"
"""A cursor that is not 0 while nobody has been asked yet."""
FOUND, MISSING = 200, 404
ASK_SECONDS = 10.0
LATEST = LARGEST
"""No entry is of so large an index: who asks from there on asks for the head only."""


@dataclass(frozen=True)
class Health:
    """What witnesses saw of our log.

    Attributes:
        size: entries that there are.
        asked: witnesses that there are.
        answered: how many of them told.
        seen: the largest size that any of them saw.
        root: hash over that.
    """

    size: int
    asked: int
    answered: int
    seen: int
    root: bytes = b""

    @property
    def is_rolled_back(self) -> bool:
        """Whether there was more than there is."""
        return self.seen > self.size

    @property
    def is_sure(self) -> bool:
        """Whether there was not: more than half of the witnesses say so, if there are any."""
        return not self.is_rolled_back and (2 * self.answered > self.asked or not self.asked)


def doubt(work: Work) -> None:
    """Say nothing more until witnesses were asked."""
    _set(1, work)


def is_doubted(hub: Hub) -> bool:
    """Whether witnesses must be asked before anything is said."""
    with hub.begin.reading() as work:
        return work.history.cursor(UNCHECKED) != 0


@dataclass(frozen=True)
class Ways:
    """The ways to partners.

    Attributes:
        open: to what a partner tells anybody.
        signed: to what it tells us only.
    """

    open: Callable[[Enrolled], Wire]
    signed: Callable[[Enrolled], Wire]


def ways(hub: Hub) -> Ways:
    """Those over the network."""

    def signed(partner: Enrolled) -> Wire:
        said = partners.identity_of(partner)
        if said is None:
            raise TransportError("nobody knows yet who the partner is")
        return hub.abroad.wire(partner, said)

    return Ways(hub.abroad.open_wire, signed)


def ask(hub: Hub, voice: Voice, known: HubFile, way: Ways) -> Health:
    """Ask all witnesses; where all is well, or was not, keep that.

    Each is asked what it cosigned, and up to where it followed our log: that may be more.

    Args:
        hub: ours.
        voice: by what we speak.
        known: what we say of ourselves: the keys of our log.
        way: to partners.
    """
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
        witnesses = [one for one in work.partners.all() if _is_witness(one)]
    told = [_seen(one, voice, known, way) for one in witnesses]
    answers = [one for one in told if one is not None]
    largest = max(answers, key=lambda one: one.size, default=_NOTHING)
    health = Health(log.size, len(witnesses), len(answers), largest.size, largest.root)
    with hub.begin.writing(SYSTEM) as work:
        if health.is_rolled_back:
            what = "witnesses saw more of our own log than there is"
            work.partners.accuse(
                None, RefusedError(Alarm.ROLLBACK, what, largest.note), hub.clock()
            )
        elif health.is_sure:
            _set(0, work)
        work.commit()
    return health


def heal(hub: Hub, voice: Voice, known: HubFile, health: Health) -> Sequence[str]:
    """Take back what was lost, and begin another log; returns who did not answer.

    While somebody is away who may hold more nothing is begun: a person may, by ``log reopen``.
    """
    missing = recover(hub, voice, known, start=health.size)
    if not missing:
        begin_log(hub, size=health.seen, root=health.root)
    return missing


@dataclass(frozen=True)
class _Seen:
    """What a witness saw of our log, and what proves it."""

    size: int
    root: bytes
    note: bytes


_NOTHING = _Seen(0, b"", b"")


def _is_witness(partner: Enrolled) -> bool:
    said = partners.identity_of(partner)
    return partner.state == ACTIVE and said is not None and said.witness is not None


def _seen(partner: Enrolled, voice: Voice, known: HubFile, way: Ways) -> _Seen | None:
    """What a witness saw of our log; None: it does not tell."""
    try:
        notes = [_cosigned(partner, voice, way), fetch(way.signed(partner), start=LATEST).head]
        # Whoever claims that we signed more has to show it.
        seen = [_shown(note, voice, known) for note in notes if note is not None]
    except FederationError:
        return None
    return max(
        (one for one in seen if one is not None), key=lambda one: one.size, default=_NOTHING
    )


def _cosigned(partner: Enrolled, voice: Voice, way: Ways) -> bytes | None:
    """The checkpoint of ours that a witness cosigned last; None: none."""
    name = hashlib.sha256(voice.log.origin.encode()).hexdigest()
    answer = way.open(partner).get(
        f"/witness/{name}/checkpoint", max_bytes=MAX_BYTES, seconds=ASK_SECONDS
    )
    if answer.status == MISSING:
        return None
    if answer.status != FOUND:
        raise TransportError(f"the witness answered {answer.status}")
    return answer.body


def _shown(note: bytes, voice: Voice, known: HubFile) -> _Seen | None:
    """What a checkpoint shows of the log of now; None: it is of one that was closed."""
    parsed = Note.parse(note)
    if Checkpoint.parse(parsed.text).origin != voice.log.origin:
        return None
    seen = opened(parsed, voice.log.origin, partners.log_keys(known))
    return _Seen(seen.size, seen.root, note)


def _set(value: int, work: Work) -> None:
    work.history.advance(UNCHECKED, expected=work.history.cursor(UNCHECKED), position=value)
