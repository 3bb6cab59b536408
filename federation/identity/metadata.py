# SPDX-License-Identifier: Apache-2.0
"""TUF's four kinds of metadata, from values to signed bytes: no disk, and time is an argument.

The root names who may sign what; targets, what ``hub.json`` is; the snapshot, which targets; the
timestamp, which snapshot, and that it is today's. https://theupdateframework.github.io/specification
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from federation.errors import MalformedError, MissingKeyError
from federation.identity.reading import T, read
from federation.identity.tuf_keys import Adapter, public_of, tuf_key
from federation.keys import PublicKey, Signer

DAY = 86_400  # seconds
# How long each is believed. A timestamp is all that a thief of the online keys could freeze.
ROOT_LIFE = 365 * DAY
TARGETS_LIFE = 90 * DAY
SNAPSHOT_LIFE = 7 * DAY
TIMESTAMP_LIFE = DAY


@dataclass(frozen=True)
class Roles:
    """Who may sign what.

    Args:
        root: the keys that may replace all others: one to begin with, three after a ceremony.
        threshold: how many of them must sign.
        targets: the key for ``hub.json``; best kept offline, too.
        snapshot: an online key.
        timestamp: an online key; may be the same.

    Raises:
        MalformedError: There are not so many root keys, or one of them is used for something else.
    """

    root: tuple[PublicKey, ...]
    threshold: int
    targets: PublicKey
    snapshot: PublicKey
    timestamp: PublicKey

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= len(set(self.root)) == len(self.root):
            raise MalformedError("as many root keys must sign as there are, or fewer")
        if {self.targets, self.snapshot, self.timestamp}.intersection(self.root):
            raise MalformedError("a root key signs nothing but roots")


def write_root(
    roles: Roles, signers: Iterable[Signer], now: int, before: bytes | None = None
) -> bytes:
    """The first root, or the one that follows another.

    Args:
        roles: who may sign what from now on.
        signers: root keys, as many as these roles ask for, and as the root before asked for.
        now: seconds since 1970.
        before: the newest root so far.

    Raises:
        MissingKeyError: Too few of the keys signed.
        MalformedError: What was before is no root.
    """
    last = None if before is None else read(Root, before).signed
    root = Root(
        version=1 if last is None else last.version + 1,
        expires=_after(now, ROOT_LIFE),
        keys={key.keyid: key for key in map(tuf_key, _keys(roles))},
        roles=_roles(roles),
    )
    metadata = _signed(root, signers)
    if not root.get_root_verification_result(last, metadata.signed_bytes, metadata.signatures):
        raise MissingKeyError("too few of the root keys have signed")
    return metadata.to_bytes()


def write_targets(
    files: Mapping[str, bytes], version: int, signers: Iterable[Signer], now: int
) -> bytes:
    """What files there are, by their names."""
    told = {name: TargetFile.from_data(name, data, ["sha256"]) for name, data in files.items()}
    return _signed(Targets(version, None, _after(now, TARGETS_LIFE), told), signers).to_bytes()


def write_snapshot(targets: bytes, version: int, signers: Iterable[Signer], now: int) -> bytes:
    """Which targets there are."""
    meta = {"targets.json": _meta(Targets, targets)}
    return _signed(Snapshot(version, None, _after(now, SNAPSHOT_LIFE), meta), signers).to_bytes()


def write_timestamp(snapshot: bytes, version: int, signers: Iterable[Signer], now: int) -> bytes:
    """Which snapshot there is, today."""
    told = Timestamp(
        version, None, _after(now, TIMESTAMP_LIFE), snapshot_meta=_meta(Snapshot, snapshot)
    )
    return _signed(told, signers).to_bytes()


def read_roles(root: bytes) -> Roles:
    """Who may sign what, by a root; whether that is signed is for others to ask.

    Raises:
        MalformedError: It is no root of ours: a role but the root's has more than one key.
    """
    said = read(Root, root).signed
    root_role = said.roles[Root.type]

    def only(role: str) -> PublicKey:
        ids = said.roles[role].keyids
        if len(ids) != 1:
            raise MalformedError("a role with more keys than one")
        return public_of(said.keys[ids[0]])

    return Roles(
        root=tuple(public_of(said.keys[one]) for one in root_role.keyids),
        threshold=root_role.threshold,
        targets=only(Targets.type),
        snapshot=only(Snapshot.type),
        timestamp=only(Timestamp.type),
    )


def _signed(value: T, signers: Iterable[Signer]) -> Metadata[T]:
    metadata = Metadata(value)
    for signer in signers:
        metadata.sign(Adapter(signer), append=True)
    return metadata


def _keys(roles: Roles) -> Sequence[PublicKey]:
    return (*roles.root, roles.targets, roles.snapshot, roles.timestamp)


def _roles(roles: Roles) -> dict[str, Role]:
    return {
        Root.type: Role([tuf_key(key).keyid for key in roles.root], roles.threshold),
        Targets.type: Role([tuf_key(roles.targets).keyid], 1),
        Snapshot.type: Role([tuf_key(roles.snapshot).keyid], 1),
        Timestamp.type: Role([tuf_key(roles.timestamp).keyid], 1),
    }


def _meta(kind: type[T], data: bytes) -> MetaFile:
    return MetaFile.from_data(read(kind, data).signed.version, data, ["sha256"])


def _after(now: int, life: int) -> datetime:
    return datetime.fromtimestamp(now + life, UTC)
