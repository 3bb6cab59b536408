# SPDX-License-Identifier: Apache-2.0
"""Group C: pages, checkpoints and proofs that are not of one log."""

import json
from collections.abc import Callable
from typing import Any

from federation.errors import Alarm
from federation.forms.canonical import written
from federation.log.checkpoints import Checkpoint
from federation.operations.values import Operation
from federation.pages import Page
from tests.hostile.behaviours import Behaviour, Change, Elsewhere, Group, State
from tests.hostile.envelopes import restated, shown_right
from tests.hostile.making import another_log, changed, note_of, noted, paging
from tests.hostile.peer import Peer, Told, said
from tests.hostile.times import shorter

PAGE, NOTE, PROOF = (
    "`GET /ops`: the page",
    "`GET /ops`: the page's checkpoint",
    "`GET /ops`: the page's proof",
)
SAME = State.SAME
THREE: tuple[Operation, ...] = (said(81), said(82), said(83))
STARTED = 4
"""Entries that the log has when a behaviour begins."""
ROOT = bytes(range(32))
"""A root of no tree."""


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
        Behaviour("C16", "a log that has forgotten what comes next", "`GET /ops`: 410", Alarm.GAP,
                  _forgetting, state=SAME),
        Behaviour("C15", "a page that ends before its log does, with a true proof", PROOF, None,
                  paging(*THREE, change=_in_parts),
                  state=State.ACCEPTED),
    ),
)  # fmt: skip
