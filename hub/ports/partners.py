# SPDX-License-Identifier: Apache-2.0
"""What a unit of work can do between hubs: the promises of the repositories, a topic each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from federation.errors import RefusedError
from federation.identity.values import HubFile
from federation.operations.envelopes import Sealed
from federation.operations.values import Register
from federation.ports import Nonces, Wire
from federation.publishing import Growth
from federation.transport.signatures import Signing
from federation.trust import Trust
from federation.witnessing import Seen
from hub.domain.pace import Pace
from hub.ports.exchange import Enrolled, Kept, Leaf, OwnLog, Statement, Told, Voice


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

    def keyed(self, key: int, *, lock: bool = False) -> Enrolled | None:
        """The hub of that internal key; *lock*: nobody else changes it meanwhile."""
        ...

    def hear(self, key: int, told: Mapping[str, str]) -> None:
        """Note by which manifests both hubs went while all of a partner's log was read."""
        ...

    def unhear(self, keys: Collection[int]) -> None:
        """Note that of none of some partners: what they passed on is to be read once more."""
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

    def mirror(self, hub: str) -> dict[str, bytes]:
        """All of them, by path: as many as there are."""
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
