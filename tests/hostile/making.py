# SPDX-License-Identifier: Apache-2.0
"""What several groups make evil things of: operations, pages, checkpoints, logs."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

from federation.forms.canonical import written
from federation.keys import MemorySigner
from federation.log.checkpoints import Checkpoint
from federation.log.merkle import Frontier, leaf_hash
from federation.log.notes import Note, sign
from federation.operations.envelopes import MEDIA_TYPE, sealed
from federation.operations.payloads import write
from federation.operations.values import Operation
from federation.pages import Page, Record
from federation.publishing import checkpoint
from tests.hostile.behaviours import Change
from tests.hostile.peer import LOG_ORIGIN, Peer, said
from tests.simulators.partner import KEY, LOG, OP, PartnerHub
from tests.simulators.statements import NOW

EVIL = said(80)
"""What a behaviour says when it does not matter what."""


# -- operations ----------------------------------------------------------------------------------


def envelope(payload: bytes, *signatures: tuple[str, bytes], kind: str = MEDIA_TYPE) -> Any:
    """An envelope of any making."""
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind,
        "signatures": [
            {"keyid": name, "sig": base64.b64encode(data).decode()} for name, data in signatures
        ],
    }


def loosely(text: str) -> str:
    """Base64 of the same bytes in another writing: a bit is set that says nothing."""
    digits = text.rstrip("=")
    assert digits != text
    return digits[:-1] + chr(ord(digits[-1]) + 1) + text[len(digits) :]


def rightly(payload: bytes, by: Any = OP, key_id: str = KEY) -> tuple[str, bytes]:
    """A true signature of an envelope around some bytes."""
    return key_id, sealed(payload, by, key_id).signature


def saying(*signatures: tuple[str, bytes], payload: bytes = b"", **options: Any) -> Change:
    """A peer that logs the evil operation under these signatures."""
    around = payload or write(EVIL).payload
    return lambda peer: peer.put(envelope(around, *signatures, **options), around)


def signed_by(by: Any, key_id: str = KEY) -> Change:
    """A peer that logs the evil operation, signed by somebody."""
    return saying(rightly(write(EVIL).payload, by, key_id))


def rightly_saying(payload: bytes, **record: Any) -> Change:
    """A peer that rightly signs and logs any bytes."""
    return lambda peer: peer.put(envelope(payload, rightly(payload)), payload, **record)


def payload(path: str, value: Any, one: Operation = EVIL) -> bytes:
    """An operation's payload with another member, by its path; ``...`` leaves it out."""
    told = json.loads(write(one).payload)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = told
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return written(told)


def telling(path: str, value: Any, one: Operation = EVIL) -> Change:
    """A peer that rightly signs an operation with another member."""
    return rightly_saying(payload(path, value, one))


def says(*operations: Operation) -> Change:
    """A peer that says something in the ordinary way."""
    return lambda peer: peer.say(*operations)


# -- pages ---------------------------------------------------------------------------------------


def changed(page: Page, **members: Any) -> bytes:
    """A page with other members, whatever they are."""
    return written(json.loads(page.encoded()) | members)


def paging(
    *operations: Operation, change: Callable[[Peer, Page], Page | bytes] | None = None
) -> Change:
    """A peer that says something and hands out another page of it."""

    def attack(peer: Peer) -> None:
        peer.say(*operations)
        if change is not None:
            peer.page = lambda page, _: change(peer, page)

    return attack


def noted(note: Callable[[Peer], bytes], *operations: Operation) -> Change:
    """A peer whose page comes with another checkpoint."""
    return paging(
        *operations, change=lambda peer, page: changed(page, checkpoint=note(peer).decode())
    )


# -- checkpoints and logs ------------------------------------------------------------------------


def frontier_of(records: Sequence[Record]) -> Frontier:
    """The tree over some entries."""
    return Frontier().extended(leaf_hash(one.entry(one.id)) for one in records)


def note_at(peer: Peer, size: int) -> bytes:
    """The checkpoint that the peer had when its log was of some size."""
    return checkpoint(frontier_of(peer.log.records[:size]), peer.log.keys, NOW).encoded()


def note_of(size: int, root: bytes, origin: str = LOG_ORIGIN, by: MemorySigner = LOG) -> bytes:
    """A checkpoint of any tree; its line names the peer's log, whatever its text says."""
    text = Checkpoint(origin, size, root).text
    return Note(text, (sign(text, LOG_ORIGIN, by),)).encoded()


def another_log(peer: Peer, *, changing: int, size: int | None = None) -> PartnerHub:
    """The peer's log with one entry changed, and the rest as it was."""
    log = PartnerHub()
    for record in peer.log.records[:size]:
        if record.index == changing:
            log.say(said(70 + changing))
        else:
            log.log(record)
    return log
