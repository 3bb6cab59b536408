# SPDX-License-Identifier: Apache-2.0
"""Who this hub is to others: its keys, its ``hub.json`` and the TUF repository that shows it.

All of it lies in one folder of the hub's data:

- ``keys``: one file a key; ``root.key`` signs only roots and may be carried away.
- ``tuf``: the repository, served as it is; what it shows is what the hub goes by itself.
- ``partners``: what TUF's client remembers of each of them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from federation.errors import MissingKeyError
from federation.identity import reading, repository
from federation.identity.folders import Folder
from federation.identity.metadata import ROOT_LIFE, TARGETS_LIFE, Roles, read_roles
from federation.identity.pairing import Pairing
from federation.identity.values import HubFile, Log, Operator, OpKey, ReqKey
from federation.keys import MemorySigner, PublicKey, Signer
from federation.log.cosignatures import Cosigner
from federation.log.verifiers import Verifier
from federation.publishing import LogKeys
from federation.signers.ceremony import FILE as ROOT_FILE, THRESHOLD, ceremony
from federation.signers.files import Randomness, create, load
from federation.transport.signatures import Signing
from hub.ports.exchange import Voice

FOLDER = "exchange"
"""In the folder of the hub's data."""
BASE = "/fed/v1"
ROOT, TARGETS, SNAPSHOT, TIMESTAMP = "root", "targets", "snapshot", "timestamp"
OP, LOG, WITNESS, REQUEST = "op-1", "log-1", "witness", "req-1"
NAMES = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP, OP, LOG, WITNESS, REQUEST)
FIRST_EPOCH = 1
FIRST_ROOT = "metadata/1.root.json"
NAMELESS = "this hub has no identity yet: run breakwater partners invite"


@dataclass(frozen=True)
class Introduction:
    """What a hub says of itself when it first meets others.

    Attributes:
        hub: its DNS-style name, never used again by another.
        operator: name of who runs it.
        kind: what that is.
        public_url: where others find it.
        operators: names of those it speaks for.
    """

    hub: str
    operator: str
    kind: str
    public_url: str
    operators: tuple[str, ...]


class Identity:
    """A hub's identity in its folder.

    Args:
        data: the folder of the hub's data.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / FOLDER
        self._read: tuple[int, HubFile] | None = None
        self._keys: dict[str, MemorySigner] = {}

    def begin(self, said: Introduction, randomness: Randomness, now: int) -> Pairing:
        """Make keys and repository; returns what to tell others.

        Raises:
            FileExistsError: There is an identity: others may believe it.
            MalformedError: A name is none, or the address is none that a partner may be at.
        """
        if self.known() is not None:
            raise FileExistsError("this hub has an identity already")
        made = {name: self.made(name, randomness) for name in NAMES}
        file = _introduced(said, made)
        # What a crash left behind was never shown to anybody: it is begun anew.
        for left in (self.folder / "tuf").glob("*/*"):
            left.unlink()
        repository.created(
            self.files,
            Roles(
                root=(made[ROOT].public,),
                threshold=1,
                targets=made[TARGETS].public,
                snapshot=made[SNAPSHOT].public,
                timestamp=made[TIMESTAMP].public,
            ),
            file,
            root_signers=[made[ROOT]],
            signers=repository.Signers((made[TARGETS],), (made[SNAPSHOT],), (made[TIMESTAMP],)),
            now=now,
        )
        return self.pairing()

    @property
    def files(self) -> Folder:
        """Where the repository is."""
        return Folder(self.folder / "tuf")

    def known(self) -> HubFile | None:
        """Its ``hub.json``, as its repository shows it; None: it has no identity yet."""
        try:
            changed = (self.folder / "tuf" / repository.TIMESTAMP).stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if self._read is None or self._read[0] != changed:
            self._read = changed, repository.shown(self.files)
        return self._read[1]

    def made_at(self) -> int:
        """When it was made, in seconds since 1970: nobody can have signed anything to us before.

        Raises:
            FileNotFoundError: It has no identity yet.
        """
        return int((self.folder / "tuf" / FIRST_ROOT).stat().st_mtime)

    def named_since(self) -> int:
        """The same; 0: it has no identity yet."""
        return 0 if self.known() is None else self.made_at()

    def pairing(self) -> Pairing:
        """What to tell others, out of band.

        Raises:
            MissingKeyError: It has no identity yet.
        """
        known, root = self.known(), self.files.read(FIRST_ROOT)
        if known is None or root is None:
            raise MissingKeyError(NAMELESS)
        return Pairing(known.hub, known.base, hashlib.sha256(root).hexdigest())

    def voice(self) -> Voice | None:
        """By what it speaks; None: it has no identity yet."""
        known = self.known()
        if known is None or known.witness is None:
            return None
        op = next(key for key in reversed(known.op_keys) if key.until is None)
        beat = Cosigner.parse(known.witness)
        origin = known.log.origin
        log = LogKeys(origin, self.key(log_key(origin)), beat.name, self.key(WITNESS))
        return Voice(
            known.hub, self.key(_file(op.id)), op.id, op.epoch, log,
            operator=known.operator.id, operator_kind=known.operator.kind,
            root=self.pairing().root_sha256,
        )  # fmt: skip

    def signing(self) -> Signing:
        """Who signs its requests and answers.

        Raises:
            MissingKeyError: It has no identity, or the key is not there.
        """
        known = self.known()
        if known is None:
            raise MissingKeyError(NAMELESS)
        newest = known.req_keys[-1].id
        return Signing(newest, self.key(_file(newest)))

    def show(self, known: HubFile, now: int, *, least: int = 1) -> None:
        """Say something else of itself from now on.

        Raises:
            MissingKeyError: A key is not there: that of targets may have been carried away.
            MalformedError: It cannot be said.
        """
        repository.published(self.files, known, signers=self._signers(), now=now, least=least)

    def outrun(self, now: int) -> None:
        """Show what is shown under versions that nobody can have seen.

        Of a repository that was put back from a copy nobody knows which versions partners know.

        Raises:
            MissingKeyError: A key that is always here is not.
        """
        known = self.known()
        if known is not None and self._has(TARGETS):
            self.show(known, now, least=now)

    def refresh(self, now: int) -> None:
        """Say that what the repository shows is still meant: several times a day.

        What says it for longer is said again before it is over, as long as its key is here; of a
        key that was carried away its holder must think.

        Raises:
            MissingKeyError: A key is not there.
        """
        files, known = self.files, self.known()
        if known is None:
            return
        if self._is_old(files, "root", ROOT_LIFE, now) and self._has(ROOT):
            self._rotated(self._roles(), [self.key(ROOT)], now)
        elif self._is_old(files, "targets", TARGETS_LIFE, now) and self._has(TARGETS):
            repository.published(files, known, signers=self._signers(), now=now)
        else:
            repository.refreshed(
                files,
                snapshot=[self.key(SNAPSHOT)],
                timestamp=[self.key(TIMESTAMP)],
                now=now,
            )

    def share_root(
        self, folders: tuple[Path, Path, Path], randomness: Randomness, now: int
    ) -> int:
        """Give the root to three people, of whom any two speak for the hub from now on.

        The key by which it was made is deleted: whoever kept a copy could still lead astray those
        who never saw more than the first root.

        Args:
            folders: where the three keys are made.
            randomness: makes them.
            now: seconds since 1970.

        Returns:
            the version of the root.

        Raises:
            MissingKeyError: The root's key is not here, or there is no identity.
            ValueError: Two of the folders are one.
            FileExistsError: A folder holds a root key already.
            FileNotFoundError: A folder is not there.
        """
        if self.known() is None:
            raise MissingKeyError(NAMELESS)
        leaving = self._root()
        shared = ceremony(folders, randomness)
        roles = replace(
            self._roles(), root=tuple(one.public for one in shared), threshold=THRESHOLD
        )
        try:
            version = self._rotated(roles, [leaving, *shared], now)
        except BaseException:
            for folder in folders:
                (folder / ROOT_FILE).unlink(missing_ok=True)
            raise
        self._path(ROOT).unlink()
        self._keys.pop(ROOT, None)
        return version

    def renew_root(self, folders: Iterable[Path], now: int) -> int:
        """Sign the root for another year, with the keys of people who keep them.

        Args:
            folders: of as many as the root asks for.
            now: seconds since 1970.

        Returns:
            the version of the root.

        Raises:
            MissingKeyError: A key is not there, or too few of them are the root's.
        """
        return self._rotated(self._roles(), [load(one / ROOT_FILE) for one in folders], now)

    def made(self, name: str, randomness: Randomness) -> MemorySigner:
        """A key, new, or left by an attempt that did not come to its end."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return create(path, randomness)
        except FileExistsError:
            return load(path)

    def replace_online(self, folders: Iterable[Path], randomness: Randomness, now: int) -> int:
        """Replace the keys by which it says who it is, all but the root's.

        Args:
            folders: of root keys, as many as the root asks for; none: the root key is here.
            randomness: makes the new ones.
            now: seconds since 1970.

        Returns:
            the version of the root.

        Raises:
            MissingKeyError: As in ``renew_root``.
        """
        leaving = self._signers()  # before the new ones are there: it mends what a crash left
        online = (TARGETS, SNAPSHOT, TIMESTAMP)
        targets, snapshot, timestamp = (self.made(f"{name}-next", randomness) for name in online)
        roles = replace(
            self._roles(),
            targets=targets.public,
            snapshot=snapshot.public,
            timestamp=timestamp.public,
        )
        signers = repository.Signers((targets,), (snapshot,), (timestamp,))
        root = [load(one / ROOT_FILE) for one in folders] or [self._root()]
        version = self._rotated(roles, root, now, signers=signers, leaving=leaving)
        for name in online:
            self._follow_up(name)
        return version

    def _rotated(
        self,
        roles: Roles,
        root_signers: Iterable[Signer],
        now: int,
        *,
        signers: repository.Signers | None = None,
        leaving: repository.Signers | None = None,
    ) -> int:
        repository.rotated(
            self.files,
            roles,
            root_signers=root_signers,
            signers=signers or self._signers(),
            leaving=leaving or self._signers(),
            now=now,
        )
        return reading.version_of(repository.newest_root(self.files))

    def _is_old(self, files: Folder, role: str, life: int, now: int) -> bool:
        """Whether half of the time is over for which something was said."""
        newest = (
            repository.newest_root(files)
            if role == "root"
            else _newest(self.folder / "tuf" / "metadata", role)
        )
        return reading.expiry_of(newest) - now < life // 2

    def _root(self) -> MemorySigner:
        """The root's key, if it is here."""
        if not self._has(ROOT):
            raise MissingKeyError(
                "the root's key is not here, people keep it: name folders with as many of their "
                "keys as the root asks for"
            )
        return self.key(ROOT)

    def _has(self, name: str) -> bool:
        return self._path(name).exists()

    def _roles(self) -> Roles:
        """Who may sign what by now."""
        return read_roles(repository.newest_root(self.files))

    def _signers(self) -> repository.Signers:
        roles = self._roles()
        return repository.Signers(
            (self._online(TARGETS, roles.targets),),
            (self._online(SNAPSHOT, roles.snapshot),),
            (self._online(TIMESTAMP, roles.timestamp),),
        )

    def _online(self, name: str, named: PublicKey) -> MemorySigner:
        """The key that the root names; what a crash left half done is done."""
        key, following = self.key(name), self._path(f"{name}-next")
        if key.public != named and following.exists():
            self._follow_up(name)
            key = self.key(name)
        return key

    def _follow_up(self, name: str) -> None:
        self._path(f"{name}-next").replace(self._path(name))
        self._keys.pop(name, None)

    def _path(self, name: str) -> Path:
        return self.folder / "keys" / f"{name}.key"

    def key(self, name: str) -> MemorySigner:
        """One of its keys.

        Raises:
            MissingKeyError: It is not there.
        """
        if name not in self._keys:
            self._keys[name] = load(self._path(name))
        return self._keys[name]


def _newest(metadata: Path, role: str) -> bytes:
    """The newest metadata of a role; what is older stays for who is reading it."""
    versions = metadata.glob(f"[0-9]*.{role}.json")
    return max(versions, key=lambda path: int(path.name.partition(".")[0])).read_bytes()


def log_key(origin: str) -> str:
    """What the key of a log is called."""
    return f"log-{origin.rpartition('/')[2]}"


def _file(key_id: str) -> str:
    return key_id.rpartition("#")[2]


def _introduced(said: Introduction, keys: dict[str, MemorySigner]) -> HubFile:
    origin = f"{said.hub}/fed/1"
    operators = dict.fromkeys((said.operator, *said.operators))
    return HubFile(
        hub=said.hub,
        operator=Operator(said.operator, said.kind),
        base=said.public_url.rstrip("/") + BASE,
        operators=tuple(operators),
        log=Log(origin, (Verifier(origin, keys[LOG].public).vkey,)),
        op_keys=(OpKey(f"{said.hub}#{OP}", keys[OP].public, FIRST_EPOCH, 0, None),),
        req_keys=(ReqKey(f"{said.hub}#req-1", keys[REQUEST].public),),
        witness=Cosigner(f"{said.hub}/witness/1", keys[WITNESS].public).vkey,
    )
