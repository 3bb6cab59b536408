# SPDX-License-Identifier: Apache-2.0
"""What is kept between hubs: partners, what they said, and our own log, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from federation.keys import Signer
from federation.log.merkle import Frontier
from federation.operations.envelopes import Sealed
from federation.operations.leaves import Kind
from federation.operations.values import Register
from federation.pages import Inclusion
from federation.publishing import LogKeys
from federation.trust import Trust

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
        base: where it is asked; empty: nowhere.
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

    @property
    def is_asked(self) -> bool:
        """Whether it is followed; else it brings what it says, or others pass it on."""
        return bool(self.base) and not self.relayed


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
        register: in which it is said.
        version: epoch and n.
        keep: until when, seconds since 1970.
        id: SHA-256 of the payload.
        sealed: what proves it.
        partner: internal key of who handed it on; None: our own.
        index: in the log it came from.
    """

    register: Register
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
        log: name of that log.
    """

    index: int
    kind: Kind
    source: str
    id: bytes
    sealed: Sealed | None
    keep: int
    is_revoke: bool = False
    inclusion: Inclusion | None = None
    log: str = ""


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
