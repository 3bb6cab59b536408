# SPDX-License-Identifier: Apache-2.0
"""Group B: versions that do not follow each other, and times that cannot be."""

import json
from typing import Any

from federation.errors import Alarm
from federation.identity import repository
from federation.identity.tuf_keys import tuf_key
from federation.operations.values import Assert, Op, Revoke, SignalCode
from tests.hostile.behaviours import Behaviour, Group, State
from tests.hostile.envelopes import renewed, restated, rotated, second_root
from tests.hostile.making import EVIL, changed, note_at, noted, says, telling
from tests.hostile.peer import Peer, code, online, roles, said, target
from tests.simulators.partner import PartnerHub
from tests.simulators.statements import DAY, NOW, WORDS, operation
from tests.support.signing import signer

OPS, NOTE, ROOT, TIMESTAMP = (
    "`GET /ops`: an operation's payload",
    "`GET /ops`: the page's checkpoint",
    "`GET /tuf/metadata/<n>.root.json`",
    "`GET /tuf/metadata/timestamp.json`",
)

SAME = State.SAME
FORWARD = 2**53 - 1
"""The highest version that can be said."""
HOUR = 3600


def revoked(number: int, n: int = 2, **changed: Any) -> Any:
    """The peer takes an indicator back."""
    return operation(
        Op.REVOKE,
        target=target(number),
        n=n,
        previous="0" * 64,
        body=Revoke("wrong-harm"),
        salt=(1000 * n % 2**64 + number).to_bytes(16, "big"),
        **changed,
    )


def shorter(peer: Peer) -> None:
    """Its log has lost its last entry."""
    records, peer.log = peer.log.records[:3], PartnerHub()
    for record in records:
        peer.log.log(record)


def _old_timestamp(peer: Peer) -> None:
    held = peer.files.held
    told = json.loads(held["metadata/timestamp.json"])["signed"]
    restated(peer, "timestamp", told["version"] - 1, {})


def _frozen(peer: Peer) -> None:
    """Its identity is fresh, but its log says nothing any more, not even that it is alive."""
    note = note_at(peer, 4).decode()
    peer.now += DAY + HOUR
    peer.refresh()
    peer.page = lambda page, _: changed(page, checkpoint=note)


def _for_ever(peer: Peer) -> None:
    restated(peer, "timestamp", 2, {"expires": "9999-12-31T23:59:59Z"})
    peer.say(EVIL)


def rotate(peer: Peer) -> None:
    """The peer honestly replaces its root."""
    repository.rotated(
        peer.files,
        roles(),
        root_signers=[signer(101), signer(102)],
        signers=online(),
        now=peer.now,
    )


def _renewed(peer: Peer) -> None:
    rotate(peer)
    peer.say(EVIL)


def _root_again(version: int) -> Any:
    def attack(peer: Peer) -> None:
        peer.files.held["metadata/3.root.json"] = peer.root(version)

    return attack


def _thiefs(told: dict[str, Any]) -> None:
    """Root keys of somebody else's."""
    for number in (104, 105):
        key = tuf_key(signer(number).public)
        told["keys"][key.keyid] = key.to_dict()
    names = [tuf_key(signer(number).public).keyid for number in (104, 105)]
    told["roles"]["root"]["keyids"] = names


def _recovered(peer: Peer) -> None:
    """Its keys are new, in another epoch, and it says again what it had said."""
    rotated(2, until=4, first=5)(peer)
    renewed(2)(peer)
    peer.say(said(1, epoch=2, previous="0" * 64))


_OTHER = Assert("picture", (SignalCode("pdq", code(71), 90),), WORDS)

GROUP = Group(
    "B",
    "Time and version",
    17,
    (
        Behaviour("B1", "rollback by one: an older checkpoint", NOTE, Alarm.ROLLBACK,
                  noted(lambda peer: note_at(peer, 3)), state=SAME, suspends=True),
        Behaviour("B2", "rollback after the follower was started anew", NOTE, Alarm.ROLLBACK,
                  noted(lambda peer: note_at(peer, 3)), state=SAME, restarts=True, suspends=True),
        Behaviour("B2.tuf", "rollback of its identity after the follower was started anew",
                  TIMESTAMP, Alarm.ROLLBACK, _old_timestamp, before=Peer.refresh, state=SAME,
                  restarts=True),
        Behaviour("B3", "same version with other content", OPS, Alarm.EQUIVOCATION,
                  says(said(2, body=_OTHER)), state=State.CONTRADICTED),
        Behaviour("B4", "version jumps to 2^63", OPS, Alarm.MALFORMED, telling("n", 2**63)),
        Behaviour("B4.recovery", "a thief burns every version, and a new epoch beats it", OPS,
                  None, says(revoked(1, FORWARD)), mended=_recovered, then=Alarm.RETIRED_KEY,
                  state=State.ACCEPTED),
        Behaviour("B5", "negative version", OPS, Alarm.MALFORMED, telling("n", -1)),
        Behaviour("B6", "version zero", OPS, Alarm.MALFORMED, telling("n", 0)),
        Behaviour("B7", "version is a fraction", OPS, Alarm.MALFORMED, telling("n", 1.5)),
        Behaviour("B7.whole", "version is 1.0", OPS, Alarm.MALFORMED, telling("n", 1.0)),
        Behaviour("B8", "version is a text", OPS, Alarm.MALFORMED, telling("n", "1")),
        Behaviour("B9", "expired head: its timestamp ended", TIMESTAMP, Alarm.STALE,
                  says(), state=SAME, later=2 * DAY),
        Behaviour("B10", "head that never changes, and whose log is not alive", NOTE, Alarm.STALE,
                  _frozen, state=State.WARNED, later=DAY + HOUR),
        Behaviour("B11", "expires in the year 9999", OPS, Alarm.MALFORMED,
                  telling("expires", 253_402_300_799)),
        Behaviour("B11.tuf", "identity that expires in the year 9999: its own business", TIMESTAMP,
                  None, _for_ever, state=State.ACCEPTED),
        Behaviour("B12", "expires before it is created", OPS, Alarm.MALFORMED,
                  telling("expires", NOW - 2 * DAY)),
        Behaviour("B13", "created in the future", OPS, Alarm.FUTURE,
                  says(said(80, created=NOW + 301)), state=SAME),
        Behaviour("B13.skew", "created by a clock that is five minutes ahead", OPS, None,
                  says(said(80, created=NOW + 300)), state=State.ACCEPTED),
        Behaviour("B14", "our clock moved back: what is older still holds", OPS, None, says(EVIL),
                  state=State.ACCEPTED, later=-HOUR),
        Behaviour("B14.ahead", "our clock moved back: what is newer is of the future", OPS,
                  Alarm.FUTURE, says(said(80, created=NOW)), later=-HOUR, state=SAME),
        Behaviour("B15", "old root replayed as the next", ROOT, Alarm.ROLLBACK, _root_again(1),
                  before=rotate, state=SAME),
        Behaviour("B15.same", "the same root as the next", ROOT, Alarm.ROLLBACK, _root_again(2),
                  before=rotate, state=SAME),
        Behaviour("B16", "root chain with a gap", ROOT, Alarm.GAP,
                  second_root(101, 102, version=3), state=SAME),
        Behaviour("B17", "root not signed by the one before", ROOT, Alarm.BAD_SIGNATURE,
                  second_root(104, 105, change=_thiefs), state=SAME),
        Behaviour("B18", "root replaced as it should be, and an operation", ROOT, None,
                  _renewed, state=State.ACCEPTED),
    ),
)  # fmt: skip
