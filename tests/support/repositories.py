# SPDX-License-Identifier: Apache-2.0
"""A TUF repository of a hub's with keys by their numbers, and what a thief could make of it."""

import hashlib
from collections.abc import Callable

from tuf.api.metadata import Metadata, Root

from federation.identity import repository
from federation.identity.folders import Files
from federation.identity.hubfile import write
from federation.identity.metadata import Roles
from federation.identity.pairing import Pairing
from federation.identity.repository import Signers
from federation.identity.tuf_keys import Adapter
from tests.simulators.identities import BASE, HUB, hub_file
from tests.support.signing import signer

ROOTS = (1, 2, 3)  # the numbers of a ceremony's root keys
DAY = 86_400


def online(first=10):
    """The other keys: numbers from the first on."""
    return Signers((signer(first),), (signer(first + 1),), (signer(first + 2),))


def roles(roots=ROOTS, threshold=2, first=10):
    """Who may sign: root keys by their numbers, and the online keys from a number on."""
    targets, snapshot, timestamp = (signer(first + at).public for at in range(3))
    keys = tuple(signer(number).public for number in roots)
    return Roles(keys, threshold, targets, snapshot, timestamp)


def signers_of(numbers):
    return [signer(number) for number in numbers]


def signed_root(said, numbers):
    """A root of any content, signed by the keys of these numbers, as many as they are."""
    signed = Metadata(Root.from_dict(said))
    for number in numbers:
        signed.sign(Adapter(signer(number)), append=True)
    return signed.to_bytes()


class MemoryFiles:
    """Files in memory, whose writer may die.

    Args:
        left: how many writes succeed before it does.
    """

    def __init__(self, left=10**9):
        self.held = {}
        self.left = left
        self.written: Callable[[], None] = lambda: None

    def read(self, name):
        return self.held.get(name)

    def write(self, name, data):
        if not self.left:
            raise OSError("the machine stopped")
        self.left -= 1
        self.held[name] = data
        self.written()

    def fetch(self, path, max_bytes):
        """The way of a follower to these files."""
        data = self.held.get(path.removeprefix("/tuf/"))
        assert data is None or len(data) <= max_bytes
        return data


class Partner:
    """A hub that shows itself in some files.

    Args:
        files: where.
        now: when it begins.
    """

    def __init__(self, files: Files, now: int) -> None:
        self.files, self.now = files, now
        self.first = 10
        self.roots = ROOTS
        self.hub = hub_file()

    def begin(self) -> Pairing:
        root = repository.created(
            self.files,
            roles(),
            self.hub,
            root_signers=signers_of((1, 2)),
            signers=online(),
            now=self.now,
        )
        return Pairing(HUB, BASE, root)

    def publish(self, **changes):
        self.hub = hub_file(**changes)
        repository.published(self.files, self.hub, signers=online(self.first), now=self.now)

    def refresh(self, now=None):
        keys = online(self.first)
        repository.refreshed(
            self.files,
            snapshot=keys.snapshot,
            timestamp=keys.timestamp,
            now=self.now if now is None else now,
        )

    def rotate(self, *, signing=(1, 2, 4), roots=(1, 2, 4), first=20, leaving=True):
        before = online(self.first) if leaving else None
        repository.rotated(
            self.files,
            roles(roots, first=first),
            root_signers=signers_of(signing),
            signers=online(first),
            leaving=before,
            now=self.now,
        )
        self.roots, self.first = roots, first

    def held(self, name):
        data = self.files.read(name)
        assert data is not None
        return data

    def target_name(self):
        return f"targets/{hashlib.sha256(write(self.hub)).hexdigest()}.hub.json"


def contents(folder):
    """Every file under a folder, by name: what was kept."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
