# SPDX-License-Identifier: Apache-2.0
"""What a hub may say of itself after what it said before, and how it changes its keys and its log.

Nothing is taken back that was settled: whoever stole the key that signs ``hub.json`` could
otherwise let a key hold again that its hub had ended, or go back to a log that it had closed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from federation.errors import Alarm, RefusedError
from federation.identity.values import ClosedLog, HubFile, Log, OpKey, ReqKey, RetiredKey
from federation.keys import PublicKey


def check(before: HubFile, after: HubFile) -> None:
    """Hold what a hub says of itself against what it said before.

    Raises:
        RefusedError: ROLLBACK: It takes back what was settled.
    """
    _check_logs(before, after)
    for key in before.op_keys:
        _check_key(key, after.op_key(key.id))


def closed(before: HubFile, after: HubFile) -> ClosedLog | None:
    """How the log ended that the hub wrote before; None: it still writes it."""
    if before.log.origin == after.log.origin:
        return None
    return next(one for one in after.log.closed if one.origin == before.log.origin)


def cuts(before: HubFile, after: HubFile) -> Mapping[str, int]:
    """Keys that end earlier than was known, each with the first index that does not count."""
    known = {key.id: key.until for key in before.op_keys}
    return {
        key.id: key.until
        for key in after.op_keys
        if key.id in known and key.until is not None and key.until != known[key.id]
    }


def next_op_key(hub: HubFile) -> str:
    """What its next key for operations is called."""
    return f"{hub.hub}#op-{len(hub.op_keys) + 1}"


def with_op_key(
    hub: HubFile, public: PublicKey, *, size: int, stolen_at: int | None = None
) -> HubFile:
    """Sign operations with another key from now on.

    Args:
        hub: as it is.
        public: the new key.
        size: entries of the log by now.
        stolen_at: the first entry that is not to be believed, if the old key was stolen; what is
            said from now on then beats all that was said with it.
    """
    end = size if stolen_at is None else min(stolen_at, size)
    epoch = hub.epoch if stolen_at is None else hub.epoch + 1
    new = OpKey(next_op_key(hub), public, epoch, size, None)
    return replace(hub, op_keys=(*_ended(hub, end), new))


def with_req_key(hub: HubFile, public: PublicKey) -> HubFile:
    """Sign requests and answers with another key from now on, and with none of those before."""
    last = max((int(key.id.rpartition("-")[2]) for key in hub.req_keys), default=0)
    return replace(hub, req_keys=(ReqKey(f"{hub.hub}#req-{last + 1}", public),))


def introduced_anew(hub: HubFile, *, base: str, operators: Sequence[str]) -> HubFile:
    """Be met elsewhere, or speak for others, from now on; who runs it stays.

    Args:
        hub: as it is.
        base: where it is met.
        operators: for whom else it speaks; the one that runs it comes first anyhow.
    """
    return replace(hub, base=base, operators=tuple(dict.fromkeys((hub.operator.id, *operators))))


def next_log(hub: HubFile) -> str:
    """What its next log is called."""
    base, _, number = hub.log.origin.rpartition("/")
    return f"{base}/{int(number) + 1}"


def with_new_log(hub: HubFile, *, size: int, root: bytes, vkey: str, public: PublicKey) -> HubFile:
    """Begin another log, in another epoch: of the one before nothing counts beyond its end.

    Args:
        hub: as it is.
        size: entries of the old log that count.
        root: hash over them.
        vkey: of the new log, named ``next_log``.
        public: the new key for operations.
    """
    closed = ClosedLog(hub.log.origin, size, root.hex(), hub.epoch)
    retired = (RetiredKey(one, size, root.hex()) for one in hub.log.vkeys)
    log = Log(next_log(hub), (vkey,), (*hub.log.retired, *retired), (*hub.log.closed, closed))
    new = OpKey(next_op_key(hub), public, hub.epoch + 1, 0, None)
    return replace(hub, log=log, op_keys=(*_ended(hub, size), new))


def _ended(hub: HubFile, end: int) -> tuple[OpKey, ...]:
    """Its keys for operations, of which none holds from an entry on."""
    closed = hub.closed_epoch
    return tuple(
        replace(key, until=max(key.first, end))
        if key.epoch > closed and (key.until is None or key.until > end)
        else key
        for key in hub.op_keys
    )


def _check_logs(before: HubFile, after: HubFile) -> None:
    kept = {one.origin: one for one in after.log.closed}
    if any(kept.get(one.origin) != one for one in before.log.closed):
        raise _back("a log that was closed is closed otherwise, or not at all")
    if before.log.origin not in {after.log.origin, *kept}:
        raise _back("another log, and what became of the one before is not said")


def _check_key(before: OpKey, after: OpKey | None) -> None:
    if after is None:
        raise _back("a key that signed operations is not named any more")
    if (after.public, after.epoch, after.first) != (before.public, before.epoch, before.first):
        raise _back("a key that signed operations is another now")
    if before.until is not None and (after.until is None or after.until > before.until):
        raise _back("a key that ended holds again")


def _back(what: str) -> RefusedError:
    return RefusedError(Alarm.ROLLBACK, what)
