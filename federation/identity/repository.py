# SPDX-License-Identifier: Apache-2.0
"""A hub's own TUF repository: how ``hub.json`` is shown so that partners keep believing it.

Every file but one has a name of its own, which never means anything else; ``timestamp.json`` says
which of them are meant, and is written when they are there. So whoever reads in between, or after
a crash, sees what was before. One process writes at a time.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from federation.errors import MissingKeyError
from federation.identity import hubfile, metadata, reading
from federation.identity.folders import Files
from federation.identity.metadata import Roles
from federation.identity.values import HubFile
from federation.keys import Signer

TIMESTAMP = "metadata/timestamp.json"


@dataclass(frozen=True)
class Signers:
    """The keys that sign all but roots; each is one, or two while one follows another."""

    targets: tuple[Signer, ...]
    snapshot: tuple[Signer, ...]
    timestamp: tuple[Signer, ...]

    def together_with(self, others: "Signers") -> "Signers":
        """Each signs, and so does the one before it."""
        return Signers(
            (*self.targets, *others.targets),
            (*self.snapshot, *others.snapshot),
            (*self.timestamp, *others.timestamp),
        )


def created(
    files: Files,
    roles: Roles,
    hub: HubFile,
    *,
    root_signers: Iterable[Signer],
    signers: Signers,
    now: int,
) -> str:
    """Begin a repository.

    Args:
        files: where; holds no repository yet.
        roles: who may sign what.
        hub: what to show.
        root_signers: as many root keys as the roles ask for.
        signers: the keys that the roles name.
        now: seconds since 1970.

    Returns:
        SHA-256 of the first root, in hex: what pairing strings name it by.

    Raises:
        FileExistsError: There is a repository, and partners may believe it.
        MissingKeyError: The keys are not those that the roles name.
        MalformedError: The hub's file breaks a rule.
    """
    if files.read(TIMESTAMP) is not None:
        raise FileExistsError("there is a TUF repository already")
    root = metadata.write_root(roles, root_signers, now)
    edition = _published(_NOTHING, hub, signers, now)
    reading.check_signed(root, edition.targets, edition.snapshot, edition.timestamp)
    files.write(_root_name(1), root)
    _show(files, edition)
    return hashlib.sha256(root).hexdigest()


def shown(files: Files) -> HubFile:
    """What is shown now.

    Raises:
        MissingKeyError: There is no repository.
    """
    return hubfile.read_hub_file(_shown(files).hub_json)


def published(files: Files, hub: HubFile, *, signers: Signers, now: int, least: int = 1) -> None:
    """Show another ``hub.json``.

    Args:
        files: where.
        hub: what to show.
        signers: the keys that the root names.
        now: seconds since 1970.
        least: version of all that is signed, at least: of a repository that was put back from a
            copy nobody knows which versions partners have seen.

    Raises:
        MissingKeyError: There is no repository, or the keys are not those its root names.
        MalformedError: The hub's file breaks a rule.
    """
    edition = _published(_shown(files), hub, signers, now, least)
    reading.check_signed(newest_root(files), edition.targets, edition.snapshot, edition.timestamp)
    _show(files, edition)


def refreshed(
    files: Files, *, snapshot: Iterable[Signer], timestamp: Iterable[Signer], now: int
) -> None:
    """Say that what is shown is still meant: several times a day, or partners call it stale.

    The snapshot is signed anew when half of its life is over; targets and root need their own keys
    and so a person (``published``, ``rotated``).

    Raises:
        MissingKeyError: There is no repository, or the keys are not those its root names.
    """
    shown = _shown(files)
    if reading.expiry_of(shown.snapshot) - now < metadata.SNAPSHOT_LIFE // 2:
        shown = _with_snapshot(shown, snapshot, now)
    shown = _with_timestamp(shown, timestamp, now)
    reading.check_signed(newest_root(files), shown.snapshot, shown.timestamp)
    _show(files, shown)


def rotated(
    files: Files,
    roles: Roles,
    *,
    root_signers: Iterable[Signer],
    signers: Signers,
    leaving: Signers | None = None,
    now: int,
) -> None:
    """Replace keys, or the same ones' year: root N is followed by root N+1.

    Args:
        files: where.
        roles: who may sign what from now on.
        root_signers: as many root keys as the roles ask for, and as the last root asked for.
        signers: the keys that the roles name.
        leaving: those that the last root named, if they are still to be believed. With them there
            is no moment at which a partner who looks would refuse what it sees; without them, it
            may have to look again, and what a crash cut short is mended by ``published``.
        now: seconds since 1970.

    Raises:
        MissingKeyError: There is no repository, or the keys are not those the roots name.
    """
    last, shown = newest_root(files), _shown(files)
    root = metadata.write_root(roles, root_signers, now, last)
    signing = signers if leaving is None else signers.together_with(leaving)
    edition = _renewed(shown, shown.hub_json, signing, now)
    everything = (edition.targets, edition.snapshot, edition.timestamp)
    reading.check_signed(root, *everything)
    if leaving is None:
        files.write(_root_name(reading.version_of(root)), root)
        _show(files, edition)
    else:
        # Signed by both, it is believed under either root: so it goes first.
        reading.check_signed(last, *everything)
        _show(files, edition)
        files.write(_root_name(reading.version_of(root)), root)


def newest_root(files: Files) -> bytes:
    """The root that nothing follows yet.

    Raises:
        MissingKeyError: There is no repository.
    """
    version, newest = 0, None
    while (root := files.read(_root_name(version + 1))) is not None:
        version, newest = version + 1, root
    if newest is None:
        raise MissingKeyError("no TUF repository: create one first")
    return newest


@dataclass(frozen=True)
class _Edition:
    """What a reader finds at one time, roots aside; empty bytes are nothing yet."""

    hub_json: bytes
    targets: bytes
    snapshot: bytes
    timestamp: bytes


_NOTHING = _Edition(b"", b"", b"", b"")


def _shown(files: Files) -> _Edition:
    timestamp = _there(files, TIMESTAMP)
    snapshot = _there(files, _name(reading.snapshot_version(timestamp), "snapshot"))
    targets = _there(files, _name(reading.targets_version(snapshot), "targets"))
    hub_json = _there(files, _target_name(reading.target_hash(targets, hubfile.NAME)))
    return _Edition(hub_json, targets, snapshot, timestamp)


def _published(
    shown: _Edition, hub: HubFile, signers: Signers, now: int, least: int = 1
) -> _Edition:
    return _renewed(shown, hubfile.write(hub), signers, now, least)


def _renewed(
    shown: _Edition, hub_json: bytes, signers: Signers, now: int, least: int = 1
) -> _Edition:
    version = max(_following(shown.targets), least)
    targets = metadata.write_targets({hubfile.NAME: hub_json}, version, signers.targets, now)
    edition = replace(shown, hub_json=hub_json, targets=targets)
    edition = _with_snapshot(edition, signers.snapshot, now, least)
    return _with_timestamp(edition, signers.timestamp, now, least)


def _with_snapshot(
    shown: _Edition, signers: Iterable[Signer], now: int, least: int = 1
) -> _Edition:
    version = max(_following(shown.snapshot), least)
    return replace(shown, snapshot=metadata.write_snapshot(shown.targets, version, signers, now))


def _with_timestamp(
    shown: _Edition, signers: Iterable[Signer], now: int, least: int = 1
) -> _Edition:
    version = max(_following(shown.timestamp), least)
    return replace(
        shown, timestamp=metadata.write_timestamp(shown.snapshot, version, signers, now)
    )


def _show(files: Files, edition: _Edition) -> None:
    digest = hashlib.sha256(edition.hub_json).hexdigest()
    _write_new(files, _target_name(digest), edition.hub_json)
    _write_new(files, _name(reading.version_of(edition.targets), "targets"), edition.targets)
    _write_new(files, _name(reading.version_of(edition.snapshot), "snapshot"), edition.snapshot)
    # Last of all: it makes the others count.
    files.write(TIMESTAMP, edition.timestamp)


def _write_new(files: Files, name: str, data: bytes) -> None:
    if files.read(name) != data:
        files.write(name, data)


def _there(files: Files, name: str) -> bytes:
    data = files.read(name)
    if data is None:
        raise MissingKeyError(f"no TUF repository, or not all of it: {name} is not there")
    return data


def _following(data: bytes) -> int:
    return reading.version_of(data) + 1 if data else 1


def _name(version: int, kind: str) -> str:
    return f"metadata/{version}.{kind}.json"


def _root_name(version: int) -> str:
    return _name(version, "root")


def _target_name(digest: str) -> str:
    return f"targets/{digest}.{hubfile.NAME}"
