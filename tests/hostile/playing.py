# SPDX-License-Identifier: Apache-2.0
"""Play a behaviour against a hub under test, and hold what comes of it against what must."""

import json
from pathlib import Path
from typing import Any

from federation.errors import Alarm
from hub.ports.exchange import ACTIVE, SUSPENDED
from tests.hostile.behaviours import Behaviour, State
from tests.hostile.contract import NOW, Contract
from tests.hostile.peer import Peer, honest, said
from tests.hostile.state import State as Dump

NEXT = 90
"""The number of what the peer says when it is honest again."""


def begun(folder: Path) -> Path:
    """A hub under test that has caught up with the honest peer."""
    peer = honest()
    contract = Contract.init(folder, str(peer.pairing))
    with peer.behind() as served:
        told = contract.sync(served.url)
    contract.close()
    check_honest(told, 4)
    return folder


def play(behaviour: Behaviour, contract: Contract) -> None:
    """Play it against a hub that has caught up."""
    peer = honest()
    with peer.behind() as served:
        if behaviour.before is not None:
            behaviour.before(peer)
            told = contract.sync(served.url)
            check_honest(told, told["applied"])
        before, honestly = contract.dump(), remembered(peer)
        if behaviour.restarts:
            contract.restart()

        # The peer does what it does, and is asked once.
        contract.now, contract.seconds = NOW + behaviour.later, behaviour.seconds
        behaviour.attack(peer)
        check_told(behaviour, contract.sync(served.url))
        check_state(behaviour, before, contract.dump())
        check_reaction(behaviour, contract)

        # It is honest again, and is taken at its word again.
        if behaviour.state in {State.SAME, State.WARNED}:
            peer = served.peer = recalled(peer, honestly)
        else:
            silent(peer)
        mend(behaviour, peer, contract)
        told = contract.sync(served.url)
        check_honest(told, told["applied"], behaviour.then)
        assert told["applied"] >= 1
        assert contract.dump().position["applied"] == len(peer.log.records)
        assert holds(contract.dump(), said(NEXT).target)


def mend(behaviour: Behaviour, peer: Peer, contract: Contract) -> None:
    """What people do on both sides before the next attempt, and what the peer then says."""
    contract.seconds = None
    if behaviour.suspends:
        contract.resume()
    if behaviour.later:
        peer.now = contract.now
        peer.refresh()
    if behaviour.mended is not None:
        behaviour.mended(peer)
    peer.say(said(NEXT))


def check_honest(told: dict[str, Any], applied: int, then: Alarm | None = None) -> None:
    """What an honest peer says is taken, without an alarm but for what it called void itself."""
    alarms = [] if then is None else [str(then)]
    assert (told["ok"], told["alarms"], told["applied"]) == (True, alarms, applied), told


def check_told(behaviour: Behaviour, told: dict[str, Any]) -> None:
    """One alarm, the right one; and the attempt failed, but for what is refused by itself."""
    alarm = None if behaviour.alarm is None else str(behaviour.alarm)
    assert told["alarms"] == ([] if alarm is None else [alarm]), told
    assert told["alarm"] == alarm
    assert told["ok"] is (behaviour.state is not State.SAME or alarm is None), told


def check_state(behaviour: Behaviour, before: Dump, after: Dump) -> None:
    """What is kept is what it was, as far as it must be."""
    state = behaviour.state
    if state in {State.SAME, State.WARNED}:
        assert after.encoded() == before.encoded()
        return
    assert after.position["applied"] == after.position["size"]
    if state is State.ACCEPTED:
        assert after.encoded() != before.encoded()
        return
    assert after.identity == before.identity
    assert after.position["applied"] > before.position["applied"]
    if state is State.GOES_ON:
        assert json.dumps(after.held) == json.dumps(before.held)
    elif state is State.SAID:
        assert after.indicators == before.indicators
        assert after.opinions == before.opinions
        assert after.manifests == before.manifests
        # What was said before is still there, word for word.
        assert [one for one in before.registers if one not in after.registers] == []
    else:
        twins = [one for one in after.registers if len(one["ids"]) > 1]
        gone = {one["target"] for one in twins}
        assert len(twins) == 1
        assert after.indicators == [one for one in before.indicators if one["id"] not in gone]


def check_reaction(behaviour: Behaviour, contract: Contract) -> None:
    """Whoever lies about its log is not followed before somebody has looked; others are."""
    state = contract.partner().state
    assert state == (SUSPENDED if behaviour.suspends else ACTIVE)


def holds(dump: Dump, target: str) -> bool:
    """Whether an indicator is live."""
    return any(one["id"] == target for one in dump.indicators)


# -- honest again --------------------------------------------------------------------------------

Remembered = tuple[dict[str, bytes], list[Any], Any, dict[Any, bytes], int, Any]


def remembered(peer: Peer) -> Remembered:
    """What an honest peer has."""
    log = peer.log
    shows = (peer.sets, peer.manifests, peer.third, log.keys, peer.voice, peer.epoch)
    files, records = dict(peer.files.held), list(log.records)
    return files, records, log.frontier, dict(log.tiles), peer.first, shows


def recalled(peer: Peer, before: Remembered) -> Peer:
    """The peer as it was, in the place of what became of it."""
    again = Peer(peer.base)
    again.files.held, records, frontier, tiles, again.first, shows = before
    again.log.records, again.log.frontier, again.log.tiles = records, frontier, tiles
    again.sets, again.manifests, again.third, again.log.keys, again.voice, again.epoch = shows
    return again


def silent(peer: Peer) -> None:
    """Let a peer do nothing false any more; what is in its log stays there."""
    peer.page = peer.told = peer.script = None
