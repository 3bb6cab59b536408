# SPDX-License-Identifier: Apache-2.0
"""New keys for what this hub says: made, shown to partners, and used from that moment on."""

from collections.abc import Sequence

from federation.errors import MissingKeyError
from federation.identity import succession
from federation.identity.values import HubFile
from federation.log.verifiers import Verifier
from federation.signers.files import Randomness
from hub.adapters.identities import BASE, NAMELESS, Identity, log_key


def change_op_key(
    identity: Identity, *, size: int, stolen_at: int | None, randomness: Randomness, now: int
) -> str:
    """Sign operations with another key; returns its id.

    Args:
        identity: the hub's.
        size: entries of its log, to which nobody may append meanwhile.
        stolen_at: the first entry that is not to be believed, if the old key was stolen.
        randomness: makes the key.
        now: seconds since 1970.

    Raises:
        MissingKeyError: There is no identity, or the key of targets is not here.
    """
    known = _known(identity)
    key = identity.made(_file(succession.next_op_key(known)), randomness)
    new = succession.with_op_key(known, key.public, size=size, stolen_at=stolen_at)
    identity.show(new, now)
    return new.op_keys[-1].id


def change_req_key(identity: Identity, *, randomness: Randomness, now: int) -> str:
    """Sign requests and answers with another key; returns its id; same errors."""
    known = _known(identity)
    last = max(int(_file(one.id).rpartition("-")[2]) for one in known.req_keys)
    key = identity.made(f"req-{last + 1}", randomness)
    new = succession.with_req_key(known, key.public)
    identity.show(new, now)
    return new.req_keys[-1].id


def introduce_anew(
    identity: Identity, *, public_url: str, operators: Sequence[str] | None, now: int
) -> None:
    """Say anew where the hub is met and for whom it speaks; same errors.

    Args:
        identity: the hub's.
        public_url: where others find it.
        operators: for whom it speaks beside the one that runs it; None: as before.
        now: seconds since 1970.

    Raises:
        MalformedError: A name is none, or the address is none that a partner may be at.
    """
    known = _known(identity)
    said = known.operators if operators is None else operators
    base = public_url.rstrip("/") + BASE
    identity.show(succession.introduced_anew(known, base=base, operators=said), now)


def begin_log(
    identity: Identity, *, size: int, root: bytes, randomness: Randomness, now: int
) -> str:
    """Close the log and begin another, with new keys; returns its name; same errors.

    Args:
        identity: the hub's.
        size: entries of the old log that count.
        root: hash over them.
        randomness: makes the keys.
        now: seconds since 1970.
    """
    known = _known(identity)
    origin = succession.next_log(known)
    log = identity.made(log_key(origin), randomness)
    op = identity.made(_file(succession.next_op_key(known)), randomness)
    vkey = Verifier(origin, log.public).vkey
    new = succession.with_new_log(known, size=size, root=root, vkey=vkey, public=op.public)
    # It may have been put back from a copy: nobody knows which versions partners have seen.
    identity.show(new, now, least=now)
    return origin


def _known(identity: Identity) -> HubFile:
    known = identity.known()
    if known is None:
        raise MissingKeyError(NAMELESS)
    return known


def _file(key_id: str) -> str:
    return key_id.rpartition("#")[2]
