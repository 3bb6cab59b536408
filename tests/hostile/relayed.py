# SPDX-License-Identifier: Apache-2.0
"""Group D, of relays and manifests: what it brings of others, and who it says shares a set."""

from collections.abc import Callable
from dataclasses import replace

from federation.errors import Alarm
from federation.keys import MemorySigner
from federation.log.checkpoints import Checkpoint
from federation.log.notes import Note, sign
from federation.operations.leaves import Kind
from federation.operations.payloads import write
from federation.operations.values import Manifest, NamedHub, Op, Operation, Policy
from federation.pages import Inclusion
from tests.hostile.behaviours import Behaviour, Change, State
from tests.hostile.contract import HERE, OURS
from tests.hostile.making import envelope, rightly, says
from tests.hostile.peer import Peer, envelope_of
from tests.hostile.third import (
    AUTHOR,
    LOG_ORIGIN,
    NAME,
    NOBODYS,
    RUNS_IT,
    Third,
    introduced,
    manifest,
    passes_on,
    theirs,
    third_of,
)
from tests.hostile.times import revoked
from tests.simulators.partner import OP, THIEF
from tests.simulators.statements import ORIGIN, SET, operation

RELAY, MANIFEST, MIRROR, MIRRORED = (
    "`GET /ops`: a record of the kind `relay`",
    "`GET /ops`: an operation's payload",
    "`GET /peers/<hub>/tuf/…`",
    "`GET /peers/<hub>/checkpoint`",
)
RIGHT = write(theirs(80)).payload
"""What the third hub says, in all that follows where it does not matter what."""
ROOT = bytes(range(32))
"""A hash that is in no tree."""
ONE_WAY = Policy("amber", (SET,))
"""Of what must not be passed on."""


def _of_a_stranger(peer: Peer) -> None:
    peer.put(envelope_of(theirs(80)), RIGHT, kind=Kind.RELAY, source=NAME)


def _changed_path(_: Third, found: Inclusion) -> Inclusion:
    return replace(found, path=(ROOT, *found.path[1:]))


def _note(third: Third, root: bytes, by: MemorySigner) -> bytes:
    """A checkpoint of the third hub's log, of any root and under anybody's signature."""
    text = Checkpoint(LOG_ORIGIN, third.log.frontier.size, root).text
    return Note(text, (sign(text, LOG_ORIGIN, by),)).encoded()


def _under_a_thiefs_checkpoint(peer: Peer) -> None:
    passes_on(theirs(80))(peer)
    third = third_of(peer)
    note = _note(third, third.log.frontier.root(), THIEF)
    peer.page = lambda page, _: replace(page, notes=(note,))


def _and_ours(peer: Peer) -> None:
    """The peer honestly says that it shares our set too."""
    peer.sets = (SET, OURS)


def _introduced_there(peer: Peer) -> None:
    introduced(peer)
    _and_ours(peer)


def _taken_back(by: MemorySigner | None = None) -> Change:
    """The end of what the third hub said, signed by it or by somebody else."""
    one = revoked(80, origin=NAME, author=AUTHOR, operator=RUNS_IT,
                  policy=Policy("amber", (SET,), "set"))  # fmt: skip
    return passes_on(one, envelope=None if by is None else envelope_of(one, by))


def _both(first: Change, second: Change) -> Change:
    def change(peer: Peer) -> None:
        first(peer)
        second(peer)

    return change


# -- manifests -----------------------------------------------------------------------------------


def _wider(target: str, hub: str = ORIGIN) -> Operation:
    """A manifest of a set, by a hub whose it is not."""
    hubs = (NamedHub(ORIGIN, NOBODYS), NamedHub(HERE, NOBODYS), NamedHub(NAME, NOBODYS))
    return operation(
        Op.SET, hub, target=target, author=f"{hub}/o/{'m' * 16}", operator=RUNS_IT,
        body=Manifest("taken", "clear", "set", hubs), policy=Policy("clear", (target,), "set"),
        salt=b"somebody else's.",
    )  # fmt: skip


def _another_manifest(peer: Peer) -> None:
    """A second thing under the version of the first: the third hub is not in it."""
    here = peer.pairing.root_sha256
    hubs = (NamedHub(ORIGIN, here), NamedHub(HERE, NOBODYS))
    peer.say(manifest(NOBODYS, here, body=Manifest("shared", "amber", "set", hubs)))


# -- mirrors -------------------------------------------------------------------------------------


def _named_only(peer: Peer) -> None:
    """The peer names the third hub honestly, and does not mirror it yet."""
    introduced(peer)
    peer.third = None


def mirroring(change: Callable[[Third], None], *, roots: tuple[int, ...] | None = None) -> Change:
    """A peer that mirrors the third hub otherwise than that is."""

    def attack(peer: Peer) -> None:
        third = peer.third = Third() if roots is None else Third(roots=roots)
        change(third)

    return attack


def _newer(peer: Peer) -> None:
    """The peer honestly mirrors what the third hub published last."""
    introduced(peer)
    third_of(peer).publish(min_version=1)


def _forked(third: Third) -> None:
    """Another thing at the place of what was said."""
    third.log = Third(first=51).log


def _shown_right(peer: Peer) -> None:
    """What was rightly signed stays behind: the third hub goes on from there."""
    for _ in range(2):
        third_of(peer).publish()


def _stolen(third: Third) -> None:
    third.log.keys = replace(third.log.keys, log=THIEF)


FIRST = (
    Behaviour("D1", "entry whose origin's signature is missing", RELAY, Alarm.UNSIGNED,
              passes_on(theirs(80), envelope=envelope(RIGHT)), before=introduced),
    Behaviour("D1.stranger", "entry of a hub that no manifest names", RELAY, Alarm.WRONG_ORIGIN,
              _of_a_stranger),
    Behaviour("D2", "entry whose origin's signature is wrong", RELAY, Alarm.BAD_SIGNATURE,
              passes_on(theirs(80), envelope=envelope_of(theirs(80), THIEF)), before=introduced),
    Behaviour("D2.relay", "entry that the relay signed in its origin's stead", RELAY,
              Alarm.BAD_SIGNATURE,
              passes_on(theirs(80), envelope=envelope_of(theirs(80), OP)), before=introduced),
    Behaviour("D2.unknown", "entry by a key that nobody here knows: not the relay's fault", RELAY,
              None, passes_on(theirs(80), envelope=envelope(RIGHT, rightly(RIGHT, THIEF, "op-9"))),
              before=introduced),
    Behaviour("D2.bare", "entry without a proof that its origin logged it", RELAY,
              Alarm.NOT_IN_LOG, passes_on(theirs(80), proof=lambda *_: None), before=introduced),
    Behaviour("D2.path", "entry with a proof that leads elsewhere", RELAY, Alarm.NOT_IN_LOG,
              passes_on(theirs(80), proof=_changed_path), before=introduced),
    Behaviour("D2.other", "entry with the proof of another entry", RELAY, Alarm.NOT_IN_LOG,
              passes_on(theirs(80), proof=lambda third, _: third.proof(0)), before=introduced),
    Behaviour("D2.log", "entry under a checkpoint by a key of its origin's log that nobody here "
              "knows: not the relay's fault", RELAY, None, _under_a_thiefs_checkpoint,
              before=introduced),
)  # fmt: skip
REST = (
    Behaviour("D27", "a manifest by which it widens a set of ours", MANIFEST, None,
              says(replace(_wider(OURS), operator="games.example")), before=_and_ours,
              state=State.SAID),
    Behaviour("D27.relayed", "a manifest of a third hub's for a set that is not its own", RELAY,
              Alarm.WRONG_ORIGIN, passes_on(_wider(SET, NAME)), before=introduced),
    Behaviour("D27.twice", "two manifests of one version: neither counts", MANIFEST,
              Alarm.EQUIVOCATION, _another_manifest, before=introduced, state=State.CONTRADICTED),
    Behaviour("D27.own", "a manifest by which it takes somebody into its own set", MANIFEST, None,
              introduced, state=State.ACCEPTED),
    Behaviour("D28", "what a third hub said, passed on as it should be", RELAY, None,
              passes_on(theirs(80)), before=introduced, state=State.ACCEPTED),
    Behaviour("D28.end", "what a third hub took back, passed on as it should be", RELAY, None,
              _taken_back(), before=_both(introduced, passes_on(theirs(80))),
              state=State.ACCEPTED),
    Behaviour("D28.forged", "the end of what a third hub said, made up by the relay", RELAY,
              Alarm.BAD_SIGNATURE, _taken_back(OP),
              before=_both(introduced, passes_on(theirs(80)))),
    Behaviour("D29", "what its origin let nobody pass on", RELAY, Alarm.OUT_OF_AUDIENCE,
              passes_on(theirs(80, policy=ONE_WAY)), before=introduced),
    Behaviour("D29.red", "what its origin's label keeps at home", RELAY, Alarm.OUT_OF_AUDIENCE,
              passes_on(theirs(80, policy=Policy("red", (SET,), "set"))), before=introduced),
    Behaviour("D29.set", "what was said in a set that does not name its origin", RELAY,
              Alarm.WRONG_ORIGIN,
              passes_on(theirs(80, policy=Policy("amber", (OURS,), "set"))),
              before=_introduced_there),
    Behaviour("D29.operator", "what is said for an organisation that the third hub may not speak "
              "for: not the relay's fault", RELAY, None,
              passes_on(theirs(80, operator="games.example")), before=introduced),
    Behaviour("D30", "another repository under the name of a third hub", MIRROR,
              Alarm.BAD_SIGNATURE, mirroring(lambda _: None, roots=(144, 145, 146)),
              before=_named_only, state=State.WARNED),
    Behaviour("D30.file", "another hub's identity in a third hub's repository", MIRROR,
              Alarm.WRONG_ORIGIN, mirroring(lambda third: third.publish(name="hub-d.example")),
              before=introduced, mended=_shown_right, state=State.WARNED),
    Behaviour("D30.back", "an identity of a third hub that is older than what was shown", MIRROR,
              Alarm.ROLLBACK, mirroring(lambda _: None), before=_newer, state=State.WARNED),
    Behaviour("D30.fork", "another root of a third hub's log at the same size, rightly signed",
              MIRRORED, Alarm.FORK, mirroring(_forked), before=introduced, state=State.WARNED),
    Behaviour("D30.thief", "a checkpoint of a third hub's log that somebody else signed: as if "
              "nothing new had been shown", MIRRORED, None, mirroring(_stolen),
              before=introduced, state=State.WARNED),
)  # fmt: skip
