# SPDX-License-Identifier: Apache-2.0
"""Bring partners what we say: for a hub that reaches them, and that they do not reach.

Nothing is remembered here of how far a partner is: it tells that with each answer.
"""

import io
from dataclasses import dataclass, replace

import orjson

from federation.errors import Alarm, RefusedError, TransportError
from federation.ports import Wire
from hub.domain.errors import NotFoundError
from hub.ports import Hub
from hub.ports.exchange import Enrolled, Voice
from hub.services.exchange import partners, pulling
from hub.services.exchange.carrying import Telling, Told, introduce, nobody

ZIP = "application/zip"
MAX_POSTED = 32 * 1024 * 1024
"""Bytes of a bundle that is posted; more comes in the next one."""
PAGES = 5
"""In each, so that an answer comes in good time."""
SECONDS = 300.0
MAX_ANSWER = 64 * 1024
FOUND = 200
ROUNDS = 2
"""How often a partner may begin to read all of it once more, before it is told to people."""


class NotTakenError(TransportError):
    """A partner takes no more for now."""


@dataclass(frozen=True)
class Posted:
    """What a partner took.

    Attributes:
        partner: its name.
        entries: of our log, how many it went through.
        applied: index of the next one that it wants.
        kept: operations that changed something there.
        refused: operations that it does not believe.
    """

    partner: str
    entries: int
    applied: int
    kept: int
    refused: int


def post(name: str, *, hub: Hub, voice: Voice, told: Told = nobody) -> Posted:
    """Bring a partner all that it has not got yet.

    Args:
        name: the partner's.
        hub: ours.
        voice: by what we speak.
        told: told how many more entries it took.

    Raises:
        NotFoundError: There is no such partner.
        ConflictError: There is no checkpoint to show yet, or the partner has read more than there
            is.
        TransportError: It did not answer; NotTakenError: it takes no more for now.
        RefusedError: It does not believe what we say: the alarm is its own; or its answer is not
            to be believed: TRANSPORT.
    """
    with hub.begin.reading() as work:
        partner = work.partners.named(name)
    if partner is None:
        raise NotFoundError("partner")
    known = partners.identity_of(partner) or pulling.ask_identity(partner, hub)
    posting = _Posting(partner, hub.abroad.wire(partner, known), hub, voice)
    # One without pages only asks how far it is.
    answer = posting.asked()
    done, rounds, is_first = Posted(name, 0, answer.applied, 0, 0), 0, True
    while True:
        before = answer
        telling = posting.telling(before, is_ahead=is_first)
        answer, is_first = posting.sent(telling), False
        went = answer.applied - before.applied
        rounds += went < 0
        done = replace(
            done,
            entries=done.entries + max(went, 0),
            applied=answer.applied,
            kept=done.kept + answer.kept,
            refused=done.refused + answer.refused,
        )
        told(max(went, 0))
        if before.is_level and telling.is_over and answer.applied >= telling.size:
            return done
        if (not went and answer.is_level == before.is_level) or rounds > ROUNDS:
            raise NotTakenError(f"it goes no further than entry {answer.applied}")


@dataclass(frozen=True)
class _Answer:
    applied: int
    size: int
    kept: int
    refused: int

    @property
    def is_level(self) -> bool:
        return self.applied == self.size


@dataclass(frozen=True)
class _Posting:
    partner: Enrolled
    wire: Wire
    hub: Hub
    voice: Voice

    def telling(self, answer: _Answer, *, is_ahead: bool) -> Telling:
        """What comes next: up to the checkpoint that it has, and then up to the newest."""
        return Telling(
            self.partner.hub,
            start=answer.applied,
            size=None if answer.is_level else answer.size,
            hub=self.hub,
            voice=self.voice,
            is_ahead=is_ahead,
        )

    def asked(self) -> _Answer:
        """Say who we are, and ask how far it is."""
        file = io.BytesIO()
        introduce(file, self.hub, self.voice)
        return self._posted(file.getvalue())

    def sent(self, telling: Telling) -> _Answer:
        """Send as much as a bundle holds; returns what it is answered."""
        file = io.BytesIO()
        telling.write(file, max_bytes=MAX_POSTED, max_pages=PAGES)
        return self._posted(file.getvalue())

    def _posted(self, body: bytes) -> _Answer:
        came = self.wire.post(
            "/bundles", body, media_type=ZIP, max_bytes=MAX_ANSWER, seconds=SECONDS
        )
        try:
            said = orjson.loads(came.body)
            if came.status == FOUND:
                return _Answer(*(int(said[one]) for one in ("applied", "size", "kept", "refused")))
            alarm = said.get("detail")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RefusedError(Alarm.MALFORMED, "its answer is none") from error
        if alarm in set(Alarm):
            raise RefusedError(Alarm(alarm), "the partner refuses it")
        raise TransportError(f"the partner answered {came.status}")
