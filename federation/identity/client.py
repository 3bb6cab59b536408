# SPDX-License-Identifier: Apache-2.0
"""Learn who a partner is, and go on believing it: TUF's own client, over our way to the partner.

All begins with a pairing string. The first root is what it says by its hash; every later root is
signed as the one before it asked; the rest follows from the newest root. Today is what this
machine's clock says: TUF's client takes no other.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from federation.errors import (
    Alarm,
    MalformedError,
    RefusedError,
    TransportError,
    WeakKeyError,
)
from federation.forms.canonical import MAX_BYTES
from federation.identity import hubfile
from federation.identity.hubfile import read_hub_file
from federation.identity.pairing import Pairing
from federation.identity.reading import check_root_keys, version_of
from federation.identity.values import HubFile

Fetch = Callable[[str, int], bytes | None]
"""Gets a path under the partner's base, at most so many bytes; None if there is nothing.

It raises what ``federation.ports.Wire.get`` raises.
"""

METADATA, TARGETS = "/tuf/metadata/", "/tuf/targets/"
ROOT_SUFFIX = ".root.json"
NOT_FOUND = 404
MAX_FILE = MAX_BYTES
_HEX = re.compile(r"[0-9a-f]{64}")
_CONFIG = UpdaterConfig(
    max_delegations=0,  # the targets role speaks for itself
    root_max_length=128 * 1024,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=64 * 1024,
    targets_max_length=256 * 1024,
)
# What TUF's client refuses, from the particular to the general.
_ALARMS: tuple[tuple[type[Exception], Alarm, str], ...] = (
    (UnsignedMetadataError, Alarm.BAD_SIGNATURE, "too few signatures of the keys that count"),
    (BadVersionNumberError, Alarm.ROLLBACK, "another version than the one that must follow"),
    (ExpiredMetadataError, Alarm.STALE, "nobody has said of late that it is still meant"),
    (LengthOrHashMismatchError, Alarm.BAD_SIGNATURE, "not the file that was signed"),
    (DownloadLengthMismatchError, Alarm.TOO_LARGE, "longer than it may be"),
    (RepositoryError, Alarm.MALFORMED, "no TUF metadata"),
)


@dataclass(frozen=True)
class Followed:
    """What a partner says of itself now.

    Attributes:
        hub: its file; whether its address is still the one of the pairing is for people to ask.
        root_version: which of its roots vouches for it.
    """

    hub: HubFile
    root_version: int


def follow(pairing: Pairing, fetch: Fetch, folder: Path) -> Followed:
    """Catch up with a partner.

    Args:
        pairing: whom to believe.
        fetch: the way to it.
        folder: where what was learnt is kept, by which a step back is known; one partner's own,
            and one caller's at a time. Kept are only things that were rightly signed.

    Raises:
        TransportError: The partner did not answer, or lacks a file; ask again later.
        RefusedError: It is not to be believed: BAD_SIGNATURE, ROLLBACK, GAP, STALE (nothing newer
            was signed in time), TOO_LARGE, MALFORMED or WRONG_ORIGIN. What was known still holds.
        OSError: The folder cannot be read or written.
    """
    metadata, targets = folder / "metadata", folder / "targets"
    for place in (metadata, targets):
        place.mkdir(parents=True, exist_ok=True)
    with _translated():
        # 1. The root of the pairing string, and no other, is where belief begins.
        first = _first_root(pairing, fetch, metadata)
        updater = Updater(
            str(metadata),
            METADATA,
            target_base_url=TARGETS,
            fetcher=_Fetcher(fetch),
            config=_CONFIG,
            bootstrap=first,
        )
        # 2. Later roots, then the timestamp, the snapshot, the targets: TUF, section 5.3.
        updater.refresh()
        # 3. The file they vouch for, read before it takes the place of what was known.
        hub = _hub_file(updater, pairing, targets)
    return Followed(hub, version_of((metadata / "root.json").read_bytes()))


def _first_root(pairing: Pairing, fetch: Fetch, metadata: Path) -> bytes:
    kept = metadata / "root_history" / f"1{ROOT_SUFFIX}"
    if kept.exists() and _is_first(kept.read_bytes(), pairing):
        return kept.read_bytes()
    root = fetch(f"{METADATA}1{ROOT_SUFFIX}", _CONFIG.root_max_length)
    if root is None:
        raise TransportError("there is no first root")
    if not _is_first(root, pairing):
        raise RefusedError(Alarm.BAD_SIGNATURE, "another root than the pairing string names")
    _check_root(root, 1)
    return root


def _is_first(root: bytes, pairing: Pairing) -> bool:
    return hashlib.sha256(root).hexdigest() == pairing.root_sha256


def _hub_file(updater: Updater, pairing: Pairing, targets: Path) -> HubFile:
    info = _told(updater)
    draft, kept = targets / f"{hubfile.NAME}.new", targets / hubfile.NAME
    if updater.find_cached_target(info, str(kept)) is not None:
        return _checked(kept, pairing)
    try:
        updater.download_target(info, str(draft))
        hub = _checked(draft, pairing)
        draft.replace(kept)
    finally:
        draft.unlink(missing_ok=True)
    return hub


def _told(updater: Updater) -> TargetFile:
    """What the targets tell of the file, before it is asked for."""
    info = updater.get_targetinfo(hubfile.NAME)
    if info is None:
        raise MalformedError(f"no {hubfile.NAME} among the targets")
    # Whoever signs what is there also signs how long it is, and the hash is part of a path.
    if info.length > MAX_FILE:
        raise MalformedError(f"{hubfile.NAME} is longer than it may be", Alarm.TOO_LARGE)
    if set(info.hashes) != {"sha256"} or not _HEX.fullmatch(info.hashes["sha256"]):
        raise MalformedError(f"{hubfile.NAME} is told by its SHA-256")
    return info


def _checked(path: Path, pairing: Pairing) -> HubFile:
    hub = read_hub_file(path.read_bytes())
    if hub.hub != pairing.hub:
        raise RefusedError(Alarm.WRONG_ORIGIN, "the file of another hub")
    return hub


def _check_root(root: bytes, version: int) -> None:
    """What TUF's client does not ask of a root, before it may keep it."""
    said = version_of(root)
    if said != version:
        alarm = Alarm.GAP if said > version else Alarm.ROLLBACK
        raise RefusedError(alarm, "a root of another version than its name says")
    check_root_keys(root)


class _Fetcher(FetcherInterface):
    """TUF's client asks for files; they come the way that everything of the partner comes."""

    def __init__(self, fetch: Fetch) -> None:
        self._get = fetch

    def _fetch(self, url: str) -> Iterator[bytes]:
        data = self._get(url, MAX_FILE)
        if data is None:
            raise DownloadHTTPError("not found", NOT_FOUND)
        if url.endswith(ROOT_SUFFIX):
            name = url.removeprefix(METADATA)
            _check_root(data, int(name.removesuffix(ROOT_SUFFIX)))
        return iter([data])


@contextmanager
def _translated() -> Iterator[None]:
    """Foreign errors in our words; none of them says anything of what was refused."""
    try:
        yield
    except WeakKeyError as error:
        raise MalformedError(str(error)) from error
    except (RepositoryError, DownloadError) as error:
        ours = _ours(error)
        raise ours from (None if ours is error.__cause__ else error)


def _ours(error: Exception) -> BaseException:
    cause = error.__cause__
    if isinstance(cause, WeakKeyError):
        return MalformedError(str(cause))
    # TUF's client wraps whatever the way to the partner raised: its word, or a fault of ours.
    if isinstance(error, DownloadError) and cause is not None:
        return cause
    for kind, alarm, what in _ALARMS:
        if isinstance(error, kind):
            return RefusedError(alarm, what)
    return TransportError("a file of the partner's identity is not to be had")
