# SPDX-License-Identifier: Apache-2.0
"""What TUF metadata says, in the few words that are asked for here."""

from typing import Any, TypeVar

from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from federation.errors import MalformedError, MissingKeyError
from federation.identity.tuf_keys import public_of

T = TypeVar("T", Root, Snapshot, Targets, Timestamp)


def read(kind: type[T], data: bytes) -> Metadata[T]:
    """Read metadata of one kind; whether it is signed is for others to ask.

    Raises:
        MalformedError: It is none.
    """
    metadata = _any(data)
    if not isinstance(metadata.signed, kind):
        raise MalformedError(f"no metadata of the kind {kind.type}")
    return metadata


def check_signed(root: bytes, *others: bytes) -> None:
    """Check that readers who know a root will believe something, before it is shown to them.

    Raises:
        MissingKeyError: It was not signed by the key that the root names for it.
    """
    delegator = read(Root, root).signed
    for each in others:
        metadata = _any(each)
        try:
            delegator.verify_delegate(
                metadata.signed.type, metadata.signed_bytes, metadata.signatures
            )
        except UnsignedMetadataError as error:
            what = f"not the key that the root names for {metadata.signed.type}"
            raise MissingKeyError(what) from error


def version_of(data: bytes) -> int:
    """The version of any kind of metadata; whether it is signed is for others to ask.

    Raises:
        MalformedError: It is no metadata.
    """
    version: int = _any(data).signed.version
    return version


def expiry_of(data: bytes) -> int:
    """When metadata is no longer believed, in seconds since 1970.

    Raises:
        MalformedError: It is no metadata.
    """
    return int(_any(data).signed.expires.timestamp())


def snapshot_version(timestamp: bytes) -> int:
    """The version of the snapshot that a timestamp names.

    Raises:
        MalformedError: It is no timestamp.
    """
    return read(Timestamp, timestamp).signed.snapshot_meta.version


def targets_version(snapshot: bytes) -> int:
    """The version of the targets that a snapshot names.

    Raises:
        MalformedError: It is no snapshot, or names none.
    """
    meta = read(Snapshot, snapshot).signed.meta.get("targets.json")
    if meta is None:
        raise MalformedError("a snapshot without targets")
    return meta.version


def target_hash(targets: bytes, name: str) -> str:
    """SHA-256 of a file among targets, in hex.

    Raises:
        MalformedError: They are no targets, or it is not among them.
    """
    file = read(Targets, targets).signed.targets.get(name)
    if file is None or "sha256" not in file.hashes:
        raise MalformedError(f"targets without {name}")
    return file.hashes["sha256"]


def check_root_keys(root: bytes) -> None:
    """Look at the keys that a root names, which TUF takes as they come.

    Raises:
        MalformedError: It is no root, or one key stands there under two ids and would count twice.
        WeakKeyError: Anybody could sign with one of them.
    """
    keys = read(Root, root).signed.keys.values()
    if len({public_of(key) for key in keys}) < len(keys):
        raise MalformedError("a key of a root has two ids")


def _any(data: bytes) -> Metadata[Any]:
    try:
        return Metadata.from_bytes(data)
    except DeserializationError as error:
        raise MalformedError("no TUF metadata") from error
