# SPDX-License-Identifier: Apache-2.0
"""After a restore: say nothing before our witnesses have told how much of our log they saw.

A database that was put back has a log that is shorter than the one it signed. To go on from there
would be a second history, and partners are right to call that a lie. So a restored hub asks first;
if anybody saw more than there is, it stays silent, and people decide.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from federation.errors import Alarm, FederationError, RefusedError
from federation.identity.values import HubFile
from federation.log.checkpoints import opened
from federation.log.notes import MAX_BYTES, Note
from federation.ports import Wire
from hub.domain.changes import SYSTEM
from hub.ports import Hub, Work
from hub.ports.exchange import ACTIVE, Enrolled, Voice
from hub.services.exchange import partners

UNCHECKED = "log-unchecked"
"""A cursor that is not 0 while nobody has been asked yet."""
FOUND, NOTHING = 200, 404
ASK_SECONDS = 10.0


@dataclass(frozen=True)
class Health:
    """What witnesses saw of our log.

    Attributes:
        size: entries that there are.
        asked: witnesses that there are.
        answered: how many of them told.
        seen: the largest size that any of them saw.
    """

    size: int
    asked: int
    answered: int
    seen: int

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


def ask(hub: Hub, voice: Voice, known: HubFile, wire: Callable[[Enrolled], Wire]) -> Health:
    """Ask all witnesses; where all is well, or was not, keep that.

    Args:
        hub: ours.
        voice: by what we speak.
        known: what we say of ourselves: the keys of our log.
        wire: the way to a partner.
    """
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
        witnesses = [one for one in work.partners.all() if _is_witness(one)]
    told = [_seen(one, voice, known, wire) for one in witnesses]
    answers = [one for one in told if one is not None]
    largest = max(answers, key=lambda one: one[0], default=(0, b""))
    health = Health(log.size, len(witnesses), len(answers), largest[0])
    with hub.begin.writing(SYSTEM) as work:
        if health.is_rolled_back:
            what = "witnesses saw more of our own log than there is"
            work.partners.accuse(None, RefusedError(Alarm.ROLLBACK, what, largest[1]), hub.clock())
        elif health.is_sure:
            _set(0, work)
        work.commit()
    return health


def _is_witness(partner: Enrolled) -> bool:
    said = partners.identity_of(partner)
    return partner.state == ACTIVE and said is not None and said.witness is not None


def _seen(
    partner: Enrolled, voice: Voice, known: HubFile, wire: Callable[[Enrolled], Wire]
) -> tuple[int, bytes] | None:
    """How much of our log a witness saw, with what proves it; None: it does not tell."""
    name = hashlib.sha256(voice.log.origin.encode()).hexdigest()
    try:
        answer = wire(partner).get(
            f"/witness/{name}/checkpoint", max_bytes=MAX_BYTES, seconds=ASK_SECONDS
        )
        if answer.status == NOTHING:
            return 0, b""
        if answer.status != FOUND:
            return None
        # Whoever claims that we signed more has to show it.
        note = Note.parse(answer.body)
        return opened(note, voice.log.origin, partners.log_keys(known)).size, answer.body
    except FederationError:
        return None


def _set(value: int, work: Work) -> None:
    work.history.advance(UNCHECKED, expected=work.history.cursor(UNCHECKED), position=value)
