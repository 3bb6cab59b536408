# SPDX-License-Identifier: Apache-2.0
"""Group C: pages, checkpoints and proofs that are not of one log."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from federation.errors import Alarm
from federation.forms.canonical import written
from federation.identity.values import ClosedLog, Log
from federation.log.checkpoints import Checkpoint
from federation.log.verifiers import Verifier
from federation.operations.values import Operation
from federation.pages import Page
from tests.hostile.behaviours import Behaviour, Change, Elsewhere, Group, State
from tests.hostile.envelopes import renewed, restated, shown_right
from tests.hostile.making import another_log, changed, frontier_of, note_of, noted, paging
from tests.hostile.peer import LOG_ORIGIN, Peer, Told, honest, op_key, said
from tests.hostile.times import shorter
from tests.simulators.partner import PartnerHub
from tests.simulators.statements import ORIGIN
from tests.support.signing import signer

PAGE, NOTE, PROOF, FILE = (
    "`GET /ops`: the page",
    "`GET /ops`: the page's checkpoint",
    "`GET /ops`: the page's proof",
    "`GET /tuf/targets/<sha256>.hub.json`",
)
SAME = State.SAME
THREE: tuple[Operation, ...] = (said(81), said(82), said(83))
STARTED = 4
"""Entries that the log has when a behaviour begins."""
ROOT = bytes(range(32))
"""A root of no tree."""
SECOND_LOG, LOGS_AGAIN = f"{ORIGIN}/fed/2", signer(171)
CLOSED = ClosedLog(LOG_ORIGIN, STARTED, frontier_of(honest().log.records).root().hex(), 1)
"""The log of the honest peer, closed where it ends."""


def entries(change: Callable[[list[Any]], list[Any]], **members: Any) -> Change:
    """A page whose entries are not those of the log."""

    def made(_: Peer, page: Page) -> bytes:
        return changed(page, ops=change(json.loads(page.encoded())["ops"]), **members)

    return paging(*THREE, change=made)


def _swapped(ops: list[Any]) -> list[Any]:
    """Two operations in each other's place."""
    first, second, third = ops
    return [{**second, "i": first["i"]}, {**first, "i": second["i"]}, third]


def _of_another_size(peer: Peer, page: Page) -> bytes:
    return changed(
        page, size=page.size - 1, next=page.end - 1, ops=json.loads(page.encoded())["ops"][:-1]
    )


def _other_snapshot(peer: Peer) -> None:
    """The timestamp names one snapshot, and another lies there."""
    held = peer.files.held
    before = held["metadata/1.snapshot.json"]
    restated(peer, "snapshot", 2, {"expires": "2027-01-20T00:00:00Z"})
    held["metadata/2.snapshot.json"] = before


def _rewritten(peer: Peer) -> None:
    """An entry that was followed already is another now."""
    peer.say(said(81))
    peer.log = another_log(peer, changing=1)


def _part(peer: Peer) -> Page:
    """A page that ends before its log does, with a proof."""
    return peer.log.page(STARTED, STARTED + 1)


def _in_parts(peer: Peer, page: Page) -> Page:
    return _part(peer) if page.start == STARTED else page


def _bad_proof(peer: Peer, _: Page) -> bytes:
    told = json.loads(_part(peer).encoded())
    first = told["proof"][0]
    told["proof"][0] = ("B" if first[0] == "A" else "A") + first[1:]
    return written(told)


def _proof_of_another(peer: Peer, _: Page) -> bytes:
    other = another_log(peer, changing=6).page(STARTED, STARTED + 1)
    return changed(_part(peer), proof=json.loads(other.encoded())["proof"])


def _other_origin(peer: Peer, *, own_line: bool) -> bytes:
    origin = "hub-a.example/fed/2"
    size, root = peer.log.frontier.size, peer.log.frontier.root()
    if own_line:
        return note_of(size, root, origin)
    return Checkpoint(origin, size, root).signed(peer.log.keys.log).encoded()


def _forgetting(peer: Peer) -> None:
    peer.say(said(81))
    peer.told = lambda _: Told(b"{}", 410, "application/problem+json")


def another_begun(size: int | None) -> Change:
    """A peer that begins another log, and closes the one before at a size; None: says nothing."""

    def attack(peer: Peer) -> None:
        old = frontier_of(peer.log.records[:size])
        closed = () if size is None else (ClosedLog(LOG_ORIGIN, size, old.root().hex(), 1),)
        peer.publish(**_second_log(closed, STARTED if size is None else size))
        peer.log = PartnerHub(replace(peer.log.keys, origin=SECOND_LOG, log=LOGS_AGAIN))
        renewed(2)(peer)
        peer.say(said(81, epoch=2))

    return attack


def _second_log(closed: tuple[ClosedLog, ...], until: int) -> dict[str, Any]:
    """What ``hub.json`` says of it."""
    log = Log(SECOND_LOG, (Verifier(SECOND_LOG, LOGS_AGAIN.public).vkey,), closed=closed)
    return {"log": log, "op_keys": (op_key(1, until=until), op_key(2, epoch=2))}


def _goes_on_there(peer: Peer) -> None:
    """What was rightly signed stays behind: the peer goes on in its second log."""
    for _ in range(2):
        peer.publish(**_second_log((CLOSED,), STARTED))


GROUP = Group(
    "C",
    "Consistency",
    14,
    (
        Behaviour("C1", "checkpoint of one size with the page of another", PAGE, Alarm.GAP,
                  paging(*THREE, change=_of_another_size), state=SAME),
        Behaviour("C1.tuf", "snapshot of one version under the timestamp of another",
                  "`GET /tuf/metadata/<n>.snapshot.json`", Alarm.BAD_SIGNATURE, _other_snapshot,
                  mended=shown_right, state=SAME),
        Behaviour("C2", "wrong digest: the checkpoint signs another root", NOTE, Alarm.GAP,
                  noted(lambda peer: note_of(peer.log.frontier.size, ROOT), *THREE), state=SAME),
        Behaviour("C3", "wrong count: more is announced than comes", PAGE, Alarm.MALFORMED,
                  entries(lambda ops: ops[:-1]), state=SAME),
        Behaviour("C4", "missing position", PAGE, Alarm.MALFORMED,
                  entries(lambda ops: [ops[0], ops[2]]), state=SAME),
        Behaviour("C5", "duplicate position", PAGE, Alarm.MALFORMED,
                  entries(lambda ops: [ops[0], ops[0], ops[2]]), state=SAME),
        Behaviour("C6", "reordered positions", PAGE, Alarm.MALFORMED,
                  entries(lambda ops: ops[::-1]), state=SAME),
        Behaviour("C6.renumbered", "reordered entries, numbered anew", PAGE, Alarm.GAP,
                  entries(_swapped), state=SAME),
        Behaviour("C7", "changed old entry", PAGE, Alarm.GAP, _rewritten, state=SAME),
        Behaviour("C8", "truncated log", "`GET /ops`: 409", Alarm.ROLLBACK, shorter, state=SAME),
        Behaviour("C8.closed", "a log that it closes at less than it had signed: it is followed, "
                  "and that is kept", FILE, Alarm.FORK, another_begun(3), state=State.ACCEPTED),
        Elsewhere("C8.claimed", "to us, after a restore: our log was longer, it says, and shows "
                  "no more", "`GET /witness/<log>/checkpoint`", None, "../functional/exchange/"
                  "test_restored.py::test_a_witness_that_claims_more_has_to_show_it"),
        Behaviour("C9", "bad consistency proof", PROOF, Alarm.GAP,
                  paging(*THREE, change=_bad_proof), state=SAME),
        Behaviour("C10", "proof for another tree", PROOF, Alarm.GAP,
                  paging(*THREE, change=_proof_of_another), state=SAME),
        Behaviour("C11", "equal size with another root", NOTE, Alarm.FORK,
                  noted(lambda peer: note_of(peer.log.frontier.size, ROOT)), state=SAME,
                  suspends=True),
        Elsewhere("C12", "two heads for two clients: the second is asked to be cosigned",
                  "`POST /witness/add-checkpoint` to us", Alarm.FORK,
                  "test_consistency.py::test_who_saw_one_head_cosigns_no_other"),
        Elsewhere("C12.compared", "two heads for two clients: one for who follows, and one for "
                  "who cosigns", "`GET /witness/<log>/checkpoint` of others, and our own",
                  Alarm.SPLIT_VIEW,
                  "test_consistency.py::test_who_follows_one_head_and_is_shown_another_is_told"),
        Behaviour("C13", "checkpoint of another origin under the right key's line", NOTE,
                  Alarm.WRONG_ORIGIN,
                  noted(lambda peer: _other_origin(peer, own_line=True), *THREE),
                  state=SAME),
        Behaviour("C13.line", "checkpoint of another origin under its own line", NOTE,
                  Alarm.UNKNOWN_KEY,
                  noted(lambda peer: _other_origin(peer, own_line=False), *THREE),
                  state=SAME),
        Elsewhere("C14", "its own cosignature is to be counted as a witness's", NOTE, None,
                  "test_consistency.py::test_nobody_witnesses_itself"),
        Behaviour("C17", "another log, and not a word of what became of the one before", FILE,
                  Alarm.ROLLBACK, another_begun(None), mended=shown_right, state=SAME),
        Behaviour("C17.back", "a log that was closed is written on", FILE, Alarm.ROLLBACK,
                  Peer.publish, before=another_begun(4), mended=_goes_on_there, state=SAME),
        Behaviour("C17.closed", "another log, and the one before closed where it ended", FILE,
                  None, another_begun(4), state=State.ACCEPTED),
        Behaviour("C16", "a log that has forgotten what comes next", "`GET /ops`: 410", Alarm.GAP,
                  _forgetting, state=SAME),
        Behaviour("C15", "a page that ends before its log does, with a true proof", PROOF, None,
                  paging(*THREE, change=_in_parts),
                  state=State.ACCEPTED),
    ),
)  # fmt: skip
