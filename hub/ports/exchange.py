# SPDX-License-Identifier: Apache-2.0
"""What a unit of work can do between hubs: the promises of the repositories, a topic each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from federation.errors import RefusedError
from federation.identity.values import HubFile
from federation.keys import Signer
from federation.log.merkle import Frontier
from federation.operations.envelopes import Sealed
from federation.operations.leaves import Kind
from federation.operations.values import Register
from federation.pages import Inclusion
from federation.ports import Nonces, Wire
from federation.publishing import Growth, LogKeys
from federation.transport.signatures import Signing
from federation.trust import Trust
from federation.witnessing import Seen
from hub.domain.pace import Pace

STORE, REVIEW, COUNTS = 0, 1, 2
"""Levels of trust: kept only, shown to people, counted."""
ACTIVE, PAUSED, SUSPENDED, QUARANTINED = "active", "paused", "suspended", "quarantined"


def mirror_of(hub: str) -> str:
    """Where a partner mirrors who another hub is, under its own address."""
    return f"/peers/{hub}"


@dataclass(frozen=True)
class Voice:
    """By what a hub speaks to others.

    Attributes:
        hub: its name.
        op: signs its operations.
        op_id: what that key is called.
        epoch: of the operations.
        log: what speaks for its log.
        operator: who runs it: by whom it speaks of sets.
        operator_kind: what that is.
        root: SHA-256 of its first TUF root, hex.
    """

    hub: str
    op: Signer
    op_id: str
    epoch: int
    log: LogKeys
    operator: str
    operator_kind: str
    root: str


@dataclass(frozen=True)
class Enrolled:
    """A partner, as it was paired, and what is believed of it.

    Attributes:
        key: internal.
        hub: its name.
        base: where it is asked.
        root: SHA-256 of its first TUF root, hex.
        operators: names of those that it may vouch for.
        level: STORE, REVIEW or COUNTS.
        state: ACTIVE, PAUSED, SUSPENDED or QUARANTINED.
        sets: public ids of the sets that are shared with it, with their internal keys.
        heard: those of them that it said it shares with us, while we read its log from the start.
        told: of these, the manifest by which both of us went while we did.
        identity: its hub.json as it was verified last.
        trust: what is believed of its log.
        revoked_to: up to where revokes were taken ahead.
        refused: bad operations since somebody looked.
        released_until: until when it may add as much as it likes.
        reached_at: when it answered last.
        error: what went wrong since.
        created_at: when it was paired.
        relayed: whether it was never paired: it is known by a set's manifest, and by what others
            pass on.
        via: internal key of the partner by which it was heard of last.
    """

    key: int
    hub: str
    base: str
    root: str
    operators: frozenset[str]
    level: int
    state: str
    sets: Mapping[str, int]
    heard: frozenset[str]
    identity: bytes | None = field(repr=False)
    trust: Trust = field(repr=False)
    revoked_to: int
    refused: int
    released_until: datetime | None
    reached_at: datetime | None
    error: str | None
    created_at: datetime
    told: Mapping[str, str] = field(default_factory=dict)
    relayed: bool = False
    via: int | None = None


@dataclass(frozen=True)
class Kept:
    """A register as it is kept.

    Attributes:
        key: internal; 0: not kept yet.
        register: its name.
        about: public id of the indicator it is about.
        version: epoch and n.
        keep: until when, seconds since 1970.
        ids: of the operation that holds; of two, sorted, if its author contradicts itself.
        operation: internal key of the first.
        other: of the second.
        indicator: internal key of the indicator that came of it.
        said: which version of our own indicator, or opinion, was said last.
    """

    key: int
    register: Register
    about: str
    version: tuple[int, int]
    keep: int
    ids: tuple[bytes, ...]
    operation: int | None
    other: int | None = None
    indicator: int | None = None
    said: int | None = None


@dataclass(frozen=True)
class Statement:
    """An operation as it is kept, and where it came from.

    Attributes:
        version: epoch and n.
        keep: until when, seconds since 1970.
        id: SHA-256 of the payload.
        sealed: what proves it.
        partner: internal key of who handed it on; None: our own.
        index: in the log it came from.
    """

    version: tuple[int, int]
    keep: int
    id: bytes
    sealed: Sealed
    partner: int | None
    index: int


@dataclass(frozen=True)
class Told:
    """An operation as a partner handed it on.

    Attributes:
        key: internal.
        index: in that partner's log.
        sealed: what proves it.
    """

    key: int
    index: int
    sealed: Sealed


@dataclass(frozen=True)
class Leaf:
    """An entry of our own log, with its operation.

    Attributes:
        index: where it is.
        kind: whose operation it is.
        source: the hub that signed it.
        id: of the operation.
        sealed: what proves it; None: it was purged.
        keep: until when anybody needs it.
        is_revoke: whether it takes something back.
        inclusion: of a relay: where it is in its origin's log.
    """

    index: int
    kind: Kind
    source: str
    id: bytes
    sealed: Sealed | None
    keep: int
    is_revoke: bool = False
    inclusion: Inclusion | None = None


@dataclass(frozen=True)
class OwnLog:
    """Our own log.

    Attributes:
        key: internal.
        origin: its name.
        frontier: over all its entries.
        note: the checkpoint that may be shown; None: none yet.
        noted: entries that it covers.
    """

    key: int
    origin: str
    frontier: Frontier
    note: bytes | None = field(repr=False)
    noted: int

    @property
    def size(self) -> int:
        """Its entries."""
        return self.frontier.size


class Partners(Protocol):
    """Other hubs, and what is believed of them."""

    def all(self) -> list[Enrolled]:
        """Everybody who was paired, by name."""
        ...

    def known(self) -> list[Enrolled]:
        """The same, and whoever is known by manifests only."""
        ...

    def named(self, hub: str) -> Enrolled | None:
        """The partner of that name."""
        ...

    def heard_of(self, hub: str) -> Enrolled | None:
        """The partner of that name, or the hub that is known by a manifest only."""
        ...

    def keyed(self, key: int) -> Enrolled | None:
        """The hub of that internal key."""
        ...

    def hear(self, key: int, told: Mapping[str, str]) -> None:
        """Note by which manifests both hubs went while all of a partner's log was read."""
        ...

    def unhear(self) -> None:
        """Note that of nobody: what was passed on is to be read once more."""
        ...

    def meet(self, hub: str, root: str, *, level: int, at: datetime) -> None:
        """Keep a hub that a manifest names, if nobody of that name is known."""
        ...

    def add(
        self,
        *,
        hub: str,
        base: str,
        root: str,
        operators: Collection[str],
        level: int,
        at: datetime,
    ) -> int:
        """Enrol a hub; returns its internal key.

        Raises:
            ConflictError: It is enrolled already.
        """
        ...

    def change(self, key: int, **values: object) -> None:
        """Set columns of a partner: ``level``, ``state``, ``identity``, ``refused``, and such."""
        ...

    def keep(self, key: int, *, expected: int, trust: Trust) -> bool:
        """Keep what is believed of its log, if nothing was applied since *expected*.

        False means that somebody else was quicker, and that nothing is to be kept.
        """
        ...

    def share(self, key: int, set_key: int) -> None:
        """Share a set with a partner; what is in it is to be published."""
        ...

    def unshare(self, key: int, set_key: int) -> bool:
        """Share it no more; whether it was."""
        ...

    def say_again(self, set_key: int) -> None:
        """Hold everything in a set against what was said of it, once more."""
        ...

    def heard(self, key: int, sets: Collection[str]) -> None:
        """Note which of the sets that are shared with a partner it shares with us."""
        ...

    def shared_sets(self) -> dict[int, str]:
        """Internal keys and public ids of all sets that are shared with anybody."""
        ...

    def backfills(self) -> list[tuple[int, int]]:
        """Sets of which not everything was published yet, each with how far it is."""
        ...

    def backfilled(self, set_key: int, *, expected: int, after: int | None) -> bool:
        """Note how far a set is published; None: all of it. False: somebody was quicker."""
        ...

    def mark(self, hub: str, state: str) -> int:
        """Set the state of all parties that speak through a hub; returns how many changed."""
        ...

    def witnessed(self, origin: str) -> Seen | None:
        """What was cosigned last of a log; None: nothing."""
        ...

    def witness(self, expected: Seen, seen: Seen) -> bool:
        """Keep what was cosigned, if what was before is as expected; whether it is kept."""
        ...

    def pace(self, key: int, now: datetime) -> Pace:
        """What a partner did of late."""
        ...

    def live(self, hub: str) -> int:
        """How many live indicators of a hub's authors there are, counted as far as it matters."""
        ...

    def paced(self, key: int, now: datetime, *, added: int, revoked: int) -> None:
        """Count what a partner did just now."""
        ...

    def accuse(self, key: int | None, error: RefusedError, at: datetime) -> None:
        """Keep evidence: the first and the latest of a kind, and some between, never more."""
        ...

    def evidence(self, key: int | None) -> list[dict[str, object]]:
        """What is kept against a partner, oldest first."""
        ...


class Exchange(Protocol):
    """Registers, and the operations in them."""

    def registers(self, names: Iterable[Register]) -> dict[Register, Kept]:
        """Those that are kept, locked against other writers."""
        ...

    def of_earlier_epochs(self, origin: str, epoch: int, now: int, limit: int) -> list[Kept]:
        """Registers of a hub that were not written in an epoch yet, and somebody needs still.

        All but policies, which go for what was said in theirs.
        """
        ...

    def told_by(
        self, partner: int, name: str, *, start: int, after: int, limit: int
    ) -> list[Told]:
        """Operations of a partner's own, whoever brought them, by internal key from *after* on.

        Args:
            partner: internal key.
            name: the partner's.
            start: the first index of that partner's log that is asked for.
            after: the largest internal key that is known.
            limit: at most so many.
        """
        ...

    def about(self, public_ids: Collection[str], kinds: Collection[str]) -> list[Kept]:
        """All registers of some kinds that are about some indicators, whoever wrote them."""
        ...

    def foreign(self, after: int, limit: int) -> list[Kept]:
        """Registers of indicators that others write, beyond one, in the order of internal keys."""
        ...

    def of_indicator(self, key: int) -> Kept | None:
        """The register of an indicator, from which it came or in which it was said; or None."""
        ...

    def sealed(self, operations: Iterable[int]) -> dict[int, Sealed]:
        """The signed bytes of operations, by internal key; what was purged is missing."""
        ...

    def keep(self, registers: Sequence[Kept]) -> None:
        """Add registers, or change them."""
        ...

    def add(self, statements: Sequence[Statement]) -> dict[bytes, int]:
        """Keep operations, no two alike; returns their internal keys by their ids."""
        ...

    def drop(self, operations: Iterable[int]) -> None:
        """Forget operations that nothing needs any more and that are in no log of ours."""
        ...

    def void(self, partner: int, name: str, cuts: Mapping[str, int]) -> list[Kept]:
        """Registers in which something holds that a partner's key signed after it was stolen.

        Args:
            partner: internal key.
            name: the partner's.
            cuts: ids of keys, each with the first index of the partner's log that does not count.
        """
        ...

    def let_go(self, registers: Sequence[Kept]) -> None:
        """Forget registers, and what was said in them unless it is in a log of ours."""
        ...

    def purge(self, register: Register) -> int:
        """Erase what was said in a register of an indicator; its place in logs stays."""
        ...

    def forget(self, now: int, *, own: int, limit: int) -> int:
        """Forget registers that nobody needs any more, with all that was said in them.

        What is in our own log keeps its place there, and is empty. What an indicator came of is
        kept for as long as that is live.

        Args:
            now: what others said and is to be kept until then goes, in seconds since 1970.
            own: the same, of what we said ourselves.
            limit: registers at most.

        Returns:
            how many registers.
        """
        ...


class Logs(Protocol):
    """Our own log."""

    def open(self, origin: str, *, lock: bool = False) -> OwnLog:
        """The log of that name; not kept before its first entry is.

        With *lock* nobody appends to it before this transaction is over.
        """
        ...

    def edge(self, log: OwnLog) -> dict[int, bytes]:
        """The bytes of its last tile of each level, where that is not full."""
        ...

    def append(
        self, log: OwnLog, operations: Sequence[int], leaves: Sequence[Leaf], growth: Growth
    ) -> bool:
        """Add entries; False: it is not of the size it was, and nothing was added."""
        ...

    def show(self, log: OwnLog, note: bytes, size: int) -> None:
        """Let a checkpoint out, if none of a larger size is out already."""
        ...

    def entries(self, log: OwnLog, start: int, end: int) -> list[Leaf]:
        """Entries of a run, in order."""
        ...

    def revokes(self, log: OwnLog, start: int, limit: int) -> list[Leaf]:
        """Entries from somewhere on that take something back, in order."""
        ...

    def tiles(self, log: OwnLog, places: Sequence[tuple[int, int]]) -> list[bytes | None]:
        """The bytes of tiles of hashes, as long as they are by now; None: there is none."""
        ...


class Abroad(Protocol):
    """What lies between this hub and others: its own identity, and the ways to them."""

    @property
    def public_url(self) -> str:
        """Where others find us, without a path."""
        ...

    @property
    def nonces(self) -> Nonces:
        """Which requests came already."""
        ...

    def voice(self) -> Voice | None:
        """By what this hub speaks; None: it was paired with nobody yet.

        Raises:
            MissingKeyError: A key is not where it should be.
        """
        ...

    def known(self) -> HubFile | None:
        """What this hub says of itself; None: nothing yet."""
        ...

    def signing(self) -> Signing:
        """Who signs our requests and answers; same errors, and there is a voice."""
        ...

    def file(self, path: str) -> bytes | None:
        """A file of our own TUF repository; None: there is none."""
        ...

    def files(self) -> dict[str, bytes]:
        """All that a newcomer needs of our own TUF repository, by path."""
        ...

    def refresh(self, now: int) -> None:
        """Say that what our repository shows is still meant, if that is due."""
        ...

    def mirrored(self, hub: str, path: str) -> bytes | None:
        """A file of another hub's TUF repository, as it was verified last; None: there is none."""
        ...

    def identity_through(self, other: Enrolled, wire: Wire) -> HubFile:
        """Learn who another hub is from a partner that mirrors its repository.

        The partner need not be trusted for that: what it shows is verified from the first root on.
        Same errors as ``identity``.
        """
        ...

    def outrun(self, now: int) -> None:
        """Show what our repository shows under versions that nobody can have seen.

        After a restore, which may have put it back as well.
        """
        ...

    def change_op_key(self, *, size: int, stolen_at: int | None) -> str:
        """Sign operations with another key from now on; returns its id.

        Args:
            size: entries of our log, to which nobody may append meanwhile.
            stolen_at: the first entry that is not to be believed, if the old key was stolen.

        Raises:
            MissingKeyError: There is no identity, or the key that signs it is not here.
        """
        ...

    def begin_log(self, *, size: int, root: bytes) -> str:
        """Close our log at a tree that counts, and begin another; returns its name.

        The same errors.
        """
        ...

    def identity(self, partner: Enrolled) -> HubFile:
        """Ask a partner who it is.

        Raises:
            TransportError: It did not answer.
            RefusedError: It is not to be believed; what was known still holds.
        """
        ...

    def identity_by(self, partner: Enrolled, wire: Wire) -> HubFile:
        """The same, on another way than the network; same errors."""
        ...

    def open_wire(self, partner: Enrolled) -> Wire:
        """The way to what a partner tells anybody, and what proves itself: nothing is signed."""
        ...

    def wire(self, partner: Enrolled, known: HubFile) -> Wire:
        """The way to a partner, whose answers its keys sign."""
        ...
