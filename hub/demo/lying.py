# SPDX-License-Identifier: Apache-2.0
"""What a thief of a hub's keys does: sign a second history of it, and show that to others."""

import hashlib
import urllib.error
import urllib.request

from federation.log.checkpoints import Checkpoint
from federation.log.notes import Note
from federation.signers.files import load
from federation.witnessing import Request
from hub.demo.paired import Paired

TIMEOUT_SECONDS = 30.0
REFUSED = 422
"""How a witness answers to a log that does not continue what it saw."""
EVIDENCE = 2
"""Signed notes that prove a second history to anybody."""
FOUND = 200


def saw_all_of(hub: Paired, witness: Paired) -> bool:
    """Whether a witness has seen all that is in a hub's log."""
    seen, now = _seen(hub, witness), _checkpoint(f"{hub.running.url}/fed/v1/log/checkpoint")
    return seen is not None and now is not None and seen.size == now.size > 0


def second_history(hub: Paired, witness: Paired) -> tuple[int, int]:
    """Show a witness another history of a log than it has seen, as long, and rightly signed.

    Args:
        hub: whose keys they are.
        witness: whom it is shown.

    Returns:
        the size of the log, and the status that the witness answered.
    """
    seen = _seen(hub, witness)
    size = 0 if seen is None else seen.size
    other = Checkpoint(_origin(hub), size, hashlib.sha256(b"another history").digest())
    note = other.signed(load(hub.exchange / "keys" / "log-1.key"))
    body = Request(size, (), note).encoded()
    status, _ = _asked(f"{witness.running.url}/fed/v1/witness/add-checkpoint", body)
    return size, status


def _origin(hub: Paired) -> str:
    return f"{hub.name}/fed/1"


def _seen(hub: Paired, witness: Paired) -> Checkpoint | None:
    name = hashlib.sha256(_origin(hub).encode()).hexdigest()
    return _checkpoint(f"{witness.running.url}/fed/v1/witness/{name}/checkpoint")


def _checkpoint(url: str) -> Checkpoint | None:
    status, note = _asked(url)
    return Checkpoint.parse(Note.parse(note).text) if status == FOUND else None


def _asked(url: str, body: bytes | None = None) -> tuple[int, bytes]:
    headers = {"Content-Type": "text/plain"} if body else {}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - this machine
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - same
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
