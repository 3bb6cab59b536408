# SPDX-License-Identifier: Apache-2.0
"""What no single member of ``hub.json`` tells: whose the names are, and that keys do not clash."""

from collections.abc import Hashable, Iterable, Sequence

from federation.errors import Alarm, MalformedError
from federation.identity import vkeys
from federation.identity.values import HubFile, OpKey, ReqKey


def check(hub: HubFile) -> None:
    """Hold the members of a file, each of which is right, against each other.

    Raises:
        MalformedError: They contradict each other, or speak for another hub.
    """
    if hub.operator.id not in hub.operators:
        raise MalformedError("a hub speaks for its own operator")
    _check_logs(hub)
    _check_note_keys(hub)
    _check_keys(hub)
    _check_epochs(hub.op_keys, hub.epoch)
    _check_closed(hub)


def _check_logs(hub: HubFile) -> None:
    origins = [*(log.origin for log in hub.log.closed), hub.log.origin]
    if any(origin.rpartition("/")[0] != f"{hub.hub}/fed" for origin in origins):
        raise MalformedError("a log of another hub", Alarm.WRONG_ORIGIN)
    numbers = [int(origin.rpartition("/")[2]) for origin in origins]
    if numbers != sorted(set(numbers)):
        raise MalformedError("a hub's logs are numbered as they followed each other")


def _check_note_keys(hub: HubFile) -> None:
    known = {hub.log.origin, *(log.origin for log in hub.log.closed)}
    retired = [key.vkey for key in hub.log.retired]
    if any(vkeys.name_of(each) != hub.log.origin for each in hub.log.vkeys):
        raise MalformedError("a key of another log", Alarm.WRONG_ORIGIN)
    if any(vkeys.name_of(each) not in known for each in retired):
        raise MalformedError("a retired key of another log", Alarm.WRONG_ORIGIN)
    if _repeats([*hub.log.vkeys, *retired]):
        raise MalformedError("a key of the log is in use and retired, or retired twice")


def _check_keys(hub: HubFile) -> None:
    if any(key.id.rpartition("#")[0] != hub.hub for key in hub.req_keys):
        raise MalformedError("a key for requests of another hub", Alarm.WRONG_ORIGIN)
    keys: list[OpKey | ReqKey] = [*hub.op_keys, *hub.req_keys]
    if _repeats([key.id for key in keys]):
        raise MalformedError("two keys of one id")
    raw = [key.public.raw for key in keys]
    # Under one key for two things, what was signed as one could be shown as the other.
    if _repeats(raw) or not {vkeys.raw_of(each) for each in _note_keys(hub)}.isdisjoint(raw):
        raise MalformedError("one key for two things")


def _check_epochs(keys: Iterable[OpKey], highest: int) -> None:
    for key in keys:
        if key.until is not None and key.until < key.first:
            raise MalformedError("a key ends before it begins")
        # An epoch begins because the keys of the one before are no longer to be believed.
        if key.until is None and key.epoch < highest:
            raise MalformedError("a key of an earlier epoch is still in use")


def _check_closed(hub: HubFile) -> None:
    epochs = [*(log.epoch for log in hub.log.closed), hub.epoch]
    if epochs != sorted(set(epochs)):
        raise MalformedError("each log begins with a new epoch")


def _note_keys(hub: HubFile) -> list[str]:
    witness = [] if hub.witness is None else [hub.witness]
    return [*hub.log.vkeys, *(key.vkey for key in hub.log.retired), *witness]


def _repeats(things: Sequence[Hashable]) -> bool:
    return len(set(things)) < len(things)
