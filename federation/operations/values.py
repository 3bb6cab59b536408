# SPDX-License-Identifier: Apache-2.0
"""Operations as values.

An operation says one thing of one register: the place where one author of one hub says one kind
of thing of one target. Only its origin may write it, and says it anew with a higher version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

LIFE = 2 * 366 * 86_400  # seconds: the longest that an operation is kept


class Op(StrEnum):
    """What an operation does."""

    ASSERT = "assert"
    REVOKE = "revoke"
    OPINION = "opinion"
    POLICY = "policy"
    EXCLUDE = "exclude"
    PURGE = "purge"
    SET = "set"


TAKES_BACK = frozenset({Op.REVOKE, Op.POLICY, Op.PURGE})
"""What goes ahead of everything else: a day late it accuses for a day."""
KINDS: Mapping[Op, str] = {
    Op.ASSERT: "indicator",
    # Of what it takes back, an indicator or else an exclusion: the later of the two holds.
    Op.REVOKE: "indicator",
    Op.OPINION: "opinion",
    Op.POLICY: "policy",
    Op.EXCLUDE: "exclude",
    Op.PURGE: "purge",
    Op.SET: "set",
}

EXCLUSION = "exc_"
"""How the ids of exclusions begin."""


def kind_of(op: Op, target: str) -> str:
    """The kind of register that an operation on a target is written in."""
    if op is Op.REVOKE and target.startswith(EXCLUSION):
        return KINDS[Op.EXCLUDE]
    return KINDS[op]


Word = str | int | tuple[str, ...]


@dataclass(frozen=True, order=True)
class Register:
    """The name of a place that one author writes.

    Attributes:
        origin: hub that speaks for the author.
        author: ``<hub>/m/<pseudonym>`` of a member, ``<hub>/o/<pseudonym>`` of an operator.
        kind: of thing, as ``kind_of`` says.
        target: public id of what it is about.
    """

    origin: str
    author: str
    kind: str
    target: str


@dataclass(frozen=True)
class Policy:
    """Who may have it and what for.

    Attributes:
        tlp: TLP 2.0 label in lower case.
        sets: public ids of the sets it is shared in; whoever is in none of them gets nothing.
        onward: ``none`` (nobody else), or ``set`` (hubs that the set's manifest names).
        act: the most that may follow from it: ``match``, ``review`` or ``research``.
    """

    tlp: str
    sets: tuple[str, ...]
    onward: str = "none"
    act: str = "match"


@dataclass(frozen=True)
class SignalCode:
    """One code of an item.

    Attributes:
        signal: its name; one that is not known here is carried on and searched by nobody.
        value: the code.
        quality: 0 to 100, if its hasher says one.
        derived: by which derivation; None: plain.
    """

    signal: str
    value: bytes = field(repr=False)
    quality: int | None = None
    derived: str | None = None


@dataclass(frozen=True)
class Frames:
    """The frames of a video, packed.

    Attributes:
        codes: 32 bytes each.
        times: 4 bytes each, milliseconds, big-endian.
        qualities: a byte each; 255 where it is not known.
    """

    codes: bytes = field(repr=False)
    times: bytes = field(repr=False)
    qualities: bytes = field(repr=False)


@dataclass(frozen=True)
class Assert:
    """An operator says something of an item.

    Attributes:
        item: kind of thing: picture, video.
        signals: its codes; plain ones never change with a version.
        frames: of a video.
        profile: how a video's frames were taken.
        words: of the vocabulary, verbatim, also those that nobody here knows.
        parents: of the terms that are not in ``vocab/1``: the wider term to read each as.
    """

    item: str
    signals: tuple[SignalCode, ...]
    words: Mapping[str, Word]
    frames: Frames | None = None
    profile: str | None = None
    parents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Revoke:
    """It says it no more."""

    reason: str | None = None


@dataclass(frozen=True)
class Opinion:
    """What an operator thinks of another's entry: of one indicator in one set."""

    stance: str
    reason: str | None = None
    basis: str | None = None
    assessed_by: int = 0
    reach: str = "this"


@dataclass(frozen=True)
class PolicyChange:
    """An indicator is no longer shared in the sets that the policy names.

    Attributes:
        upto: version of the assert that this is about, and those before; a later one that names
            a set again shares it again.
    """

    upto: int


@dataclass(frozen=True)
class Exclude:
    """A picture that must not be found: known to be harmless, with what is near it."""

    code: SignalCode
    radius: int
    reason: str


@dataclass(frozen=True)
class Purge:
    """A request to erase payloads; what was logged of them proves nothing about anybody."""

    reason: str


@dataclass(frozen=True)
class NamedHub:
    """A hub that a set is shared with.

    Attributes:
        hub: its name.
        root: SHA-256 of its first TUF root, hex.
    """

    hub: str
    root: str


@dataclass(frozen=True)
class Manifest:
    """What a set is, and the hubs that share it."""

    name: str
    tlp: str
    onward: str
    hubs: tuple[NamedHub, ...]


Body = Assert | Revoke | Opinion | PolicyChange | Exclude | Purge | Manifest


@dataclass(frozen=True)
class Operation:
    """One statement of one author, by its hub.

    Attributes:
        op: what it does.
        origin: hub that signs it.
        operator: organisation that says it, by its DNS-style name, the same in every hub.
        operator_kind: what kind of organisation it was when it said so.
        author: pseudonym at the origin, stable.
        epoch: grows only with a new operation key after a compromise.
        n: version within the epoch, from 1.
        previous: id of version n - 1 of the register; None for the first.
        target: public id.
        created: seconds since 1970.
        expires: from then on it says nothing.
        keep: from then on nobody needs it, not even to know that it was revoked; never smaller
            than that of any version before.
        salt: 16 random bytes, which keep the log from telling what it commits to.
    """

    op: Op
    origin: str
    operator: str
    operator_kind: str
    author: str
    epoch: int
    n: int
    previous: str | None
    target: str
    created: int
    expires: int
    keep: int
    policy: Policy
    body: Body
    salt: bytes = field(repr=False)

    @cached_property
    def register(self) -> Register:
        """The place it is written in."""
        return Register(self.origin, self.author, kind_of(self.op, self.target), self.target)

    @property
    def version(self) -> tuple[int, int]:
        """Its order within the register."""
        return self.epoch, self.n
