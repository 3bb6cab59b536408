# SPDX-License-Identifier: Apache-2.0
"""Compare what partners were shown of each other's logs with what we were shown: gossip.

Each hub shows what it cosigned last of a log. Whoever shows two histories is found as soon as two
who saw different ones have a follower in common; and who shows one is known to be witnessed.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

from federation.comparing import Shown, compare
from federation.errors import Alarm, FederationError, RefusedError, TransportError
from federation.log.notes import MAX_BYTES, Note
from federation.log.tiles import WIDTH, Tile
from federation.log.verifiers import Verifier
from federation.ports import Wire
from hub.domain.changes import SYSTEM
from hub.ports import Hub
from hub.ports.exchange import ACTIVE, Enrolled
from hub.services.exchange import partners
from hub.services.exchange.witnessing import policy_for

FOUND = 200
ASK_SECONDS = 10.0
TILE_BYTES = WIDTH * 32

OpenWire = Callable[[Enrolled], Wire]


def compare_views(name: str, hub: Hub, wire: OpenWire) -> int:
    """Ask a partner what it cosigned of the logs that we follow too; returns how many it told of.

    What contradicts what we saw is held against the log's hub, and never against who told it: it
    could not have made the signature.

    Args:
        name: the partner's.
        hub: ours.
        wire: the way to a partner; nothing on it need be signed.

    Raises:
        TransportError: It did not answer.
    """
    with hub.begin.reading() as work:
        known = work.partners.all()
    asked = next((one for one in known if one.hub == name and one.state == ACTIVE), None)
    if asked is None:
        return 0
    told = 0
    for log in _others(known, asked):
        note = _cosigned_by(asked, log, wire)
        told += note is not None and _held_against(note, log, hub, wire)
    return told


def compare_own(hub: Hub, wire: OpenWire) -> int:
    """Hold what we cosigned ourselves against what we followed; returns of how many logs.

    Who asks us to cosign, and who answers when we follow, may be shown different things.
    """
    with hub.begin.reading() as work:
        logs = [one for one in work.partners.all() if _is_followed(one)]
        seen = {one.key: work.partners.witnessed(_origin(one)) for one in logs}
    notes = [(one, found.note) for one in logs if (found := seen[one.key]) is not None]
    return sum(_held_against(note, one, hub, wire) for one, note in notes if note)


# -- steps ---------------------------------------------------------------------------------------


def _others(known: Sequence[Enrolled], asked: Enrolled) -> Iterator[Enrolled]:
    """Those whose logs we follow, but for the one that is asked."""
    return (one for one in known if one.key != asked.key and _is_followed(one))


def _is_followed(partner: Enrolled) -> bool:
    has_head = partner.trust.head is not None and partner.identity is not None
    return partner.state == ACTIVE and has_head


def _log(partner: Enrolled) -> tuple[str, tuple[Verifier, ...]]:
    """The name of a partner's log, and the keys that sign it."""
    said = partners.identity_of(partner)
    if said is None:
        raise AssertionError("a log that is followed has keys")
    return said.log.origin, partners.log_keys(said)


def _origin(partner: Enrolled) -> str:
    return _log(partner)[0]


def _cosigned_by(asked: Enrolled, log: Enrolled, wire: OpenWire) -> bytes | None:
    name = hashlib.sha256(_origin(log).encode()).hexdigest()
    path = f"/witness/{name}/checkpoint"
    answer = wire(asked).get(path, max_bytes=MAX_BYTES, seconds=ASK_SECONDS)
    return answer.body if answer.status == FOUND else None


def _held_against(note: bytes, log: Enrolled, hub: Hub, wire: OpenWire) -> bool:
    """Hold a note against our own head; whether it is the log's at all."""
    origin, keys = _log(log)
    head = log.trust.head
    if head is None:
        return False
    try:
        shown = Shown.of(note, origin, keys)
    except FederationError:
        return False  # a line that the log did not sign says nothing about it
    try:
        compare(shown, Shown(head.size, head.root, head.note), _fetching(log, wire))
    except TransportError:
        pass  # its absence is told where it is followed
    except RefusedError as error:
        if error.alarm is Alarm.SPLIT_VIEW:
            partners.accuse(log, error, is_over=True, hub=hub)
        else:
            # Signed by nobody: it is counted, and accuses nobody.
            with hub.begin.writing(SYSTEM) as work:
                work.partners.accuse(log.key, error, hub.clock())
                work.commit()
    else:
        _note_witnessed(Note.parse(note), log, keys, hub)
    return True


def _note_witnessed(note: Note, log: Enrolled, keys: Sequence[Verifier], hub: Hub) -> None:
    """Keep that a log was witnessed, by a checkpoint of its one history.

    Where a log grows all the time its own newest checkpoint is not cosigned yet, ever.
    """
    now = int(hub.clock().timestamp())
    with hub.begin.reading() as work:
        policy = policy_for(log, work.partners.all())
    at = None if policy is None else policy.freshness(policy.witnessed(note, keys))
    if at is None:
        return
    with hub.begin.writing(SYSTEM) as work:
        fresh = work.partners.keyed(log.key)
        known = None if fresh is None else fresh.trust.head
        if known is None or (known.witnessed_at or 0) >= min(at, now):
            return
        work.partners.change(log.key, witnessed_at=min(at, now))
        partners.mark(work.partners.keyed(log.key) or log, now, work)
        work.commit()


def _fetching(log: Enrolled, wire: OpenWire) -> Callable[[Sequence[Tile]], list[bytes]]:
    """Asks the log's own hub for tiles, each once."""
    came: dict[Tile, bytes] = {}

    def fetch(wanted: Sequence[Tile]) -> list[bytes]:
        for tile in wanted:
            if tile not in came:
                path = f"/log/{tile.path}"
                answer = wire(log).get(path, max_bytes=TILE_BYTES, seconds=ASK_SECONDS)
                if answer.status != FOUND:
                    raise RefusedError(Alarm.GAP, "the log does not show its hashes")
                came[tile] = answer.body
        return [came[tile] for tile in wanted]

    return fetch
