# SPDX-License-Identifier: Apache-2.0
"""A third hub, whose word the peer passes on: the hub under test knows it by a manifest only."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from federation.identity import repository
from federation.identity.values import HubFile, Log, Operator, OpKey
from federation.log.cosignatures import Cosigner
from federation.log.verifiers import Verifier
from federation.operations.leaves import Kind
from federation.operations.payloads import operation_id, write
from federation.operations.values import Manifest, NamedHub, Op, Operation, Policy
from federation.pages import Inclusion, Record
from federation.publishing import LogKeys
from tests.hostile.behaviours import Change
from tests.hostile.contract import HERE
from tests.hostile.peer import Peer, Told, envelope_of, online, roles, said
from tests.simulators.partner import KEY, PartnerHub
from tests.simulators.statements import NOW, ORIGIN, SET, operation
from tests.support.repositories import MemoryFiles
from tests.support.signing import signer

NAME = "hub-c.example"
RUNS_IT = "run.hub-c.example"
LOG_ORIGIN = f"{NAME}/fed/1"
SPEAKS, LOGS, BEATS = signer(161), signer(162), signer(163)
ROOTS, FIRST = (141, 142, 143), 150
"""Numbers of its root keys, of whom two must sign, and of the first of its other TUF keys."""
AUTHOR = f"{NAME}/m/{'t' * 16}"
NOBODYS = "0" * 64
"""In the manifest, of the hub under test: which root that has is its own affair."""


def keys() -> LogKeys:
    """Of its log."""
    return LogKeys(LOG_ORIGIN, LOGS, f"{NAME}/beat", BEATS)


def third_file(name: str = NAME, **changes: Any) -> HubFile:
    """What it says of itself."""
    log = f"{name}/fed/1"
    file = HubFile(
        hub=name,
        operator=Operator(RUNS_IT, "ngo"),
        base=f"https://{name}/fed/v1",
        operators=(RUNS_IT,),
        log=Log(log, (Verifier(log, LOGS.public).vkey,)),
        op_keys=(OpKey(KEY, SPEAKS.public, 1, 0, None),),
        req_keys=(),
        witness=Cosigner(f"{name}/beat", BEATS.public).vkey,
    )
    return replace(file, **changes)


def theirs(number: int, **changed: Any) -> Operation:
    """What a member of the third hub says, which others may pass on."""
    values = {
        "origin": NAME,
        "author": AUTHOR,
        "operator": RUNS_IT,
        "policy": Policy("amber", (SET,), "set"),
    }
    return said(number, **values | changed)


@dataclass
class Third:
    """The hub, as the peer shows it.

    Attributes:
        files: its TUF repository.
        log: what it said.
        roots: numbers of its root keys.
        first: number of what it said first.
        root: hash of its first root.
    """

    files: MemoryFiles = field(default_factory=MemoryFiles)
    log: PartnerHub = field(default_factory=lambda: PartnerHub(keys()))
    roots: tuple[int, ...] = ROOTS
    first: int = 50
    root: str = field(init=False)

    def __post_init__(self) -> None:
        self.root = repository.created(
            self.files,
            roles(self.roots, first=FIRST),
            third_file(),
            root_signers=[signer(number) for number in self.roots[:2]],
            signers=online(FIRST),
            now=NOW,
        )
        self.log.say(theirs(self.first), signer=SPEAKS)

    def answer(self, path: str, now: int) -> Told:
        """What the peer has to say to a path under ``/peers``."""
        name = path.removeprefix(f"/peers/{NAME}/")
        if name == "checkpoint":
            return Told(self.log.note(now), media_type="text/plain; charset=utf-8")
        found = self.files.held.get(name.removeprefix("tuf/"))
        return Told(b"" if found is None else found, 404 if found is None else 200,
                    "application/octet-stream")  # fmt: skip

    def paths(self) -> list[str]:
        """All that there is to ask for."""
        files = [f"/peers/{NAME}/tuf/{name}" for name in sorted(self.files.held)]
        return [*files, f"/peers/{NAME}/checkpoint"]

    def publish(self, **changes: Any) -> None:
        """Show another ``hub.json``."""
        file = third_file(**changes)
        repository.published(self.files, file, signers=online(FIRST), now=NOW)

    def says(self, one: Operation) -> Inclusion:
        """It logs what it said, whoever signed that; returns the proof that it did."""
        told = write(one).payload
        index = len(self.log.records)
        self.log.log(Record(index, Kind.OWN, NAME, operation_id(told), envelope_of(one, SPEAKS)))
        return self.proof(index)

    def proof(self, index: int) -> Inclusion:
        """That an entry is in its log as that is now."""
        return Inclusion(index, self.log.frontier.size, self.log.path(index))


# -- what the peer says of it --------------------------------------------------------------------


def manifest(root: str, here: str, n: int = 1, **changed: Any) -> Operation:
    """What the peer says of the set: which hubs share it, and that what is in it may go on."""
    hubs = (NamedHub(ORIGIN, here), NamedHub(HERE, NOBODYS), NamedHub(NAME, root))
    values: dict[str, Any] = {
        "author": f"{ORIGIN}/o/{'m' * 16}",
        "body": Manifest("shared", "amber", "set", hubs),
        "policy": Policy("amber", (SET,), "set"),
        "n": n,
        "salt": b"of a manifest %02d" % n,
    }
    return operation(Op.SET, **values | changed)


def introduced(peer: Peer) -> None:
    """The peer honestly names a third hub among those that share the set, and mirrors it."""
    third = peer.third = Third()
    one = manifest(third.root, peer.pairing.root_sha256)
    peer.say(one)
    peer.manifests = {SET: operation_id(write(one).payload)}


def third_of(peer: Peer) -> Third:
    """The hub that the peer mirrors."""
    assert isinstance(peer.third, Third)
    return peer.third


def passes_on(
    one: Operation,
    *,
    envelope: Any = None,
    proof: Callable[[Third, Inclusion], Inclusion | None] | None = None,
) -> Change:
    """A peer that passes on what the third hub said.

    Args:
        one: it; in the third hub's log.
        envelope: in which it comes; None: as the third hub signed it.
        proof: what becomes of the proof that it is in that log.
    """

    def attack(peer: Peer) -> None:
        third, told = third_of(peer), write(one).payload
        inclusion: Inclusion | None = third.says(one)
        if proof is not None and inclusion is not None:
            inclusion = proof(third, inclusion)
        peer.put(envelope_of(one, SPEAKS) if envelope is None else envelope, told,
                 kind=Kind.RELAY, source=NAME, inclusion=inclusion)  # fmt: skip

    return attack
