# SPDX-License-Identifier: Apache-2.0
"""Who may see what: askers, their grants, and the labels that make it quick.

A label stands for one combination of sets. Label 0 is gone, label 1 marks the controls; neither is
ever visible. A member's mask is the set of labels that touch a set it may look up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

GONE = 0
CONTROL = 1
FIRST_LABEL = 2
MAX_LABEL = 2**24 - 1

CONTRIBUTE, LOOKUP, REPLICA = "contribute", "lookup", "replica"


@dataclass(frozen=True)
class Asker:
    """Who is asking, as the key says, with what it may do in which set.

    ``grants`` maps a set's internal key to the rights of the member in it.
    """

    key: int
    member: int
    member_id: str
    operator: int
    operator_kind: str
    sandbox: bool
    scopes: frozenset[str]
    grants: Mapping[int, frozenset[str]]
    party: "Party | None" = None
    """By which the member contributes; None where it must be asked of the truth."""

    def may(self, scope: str) -> bool:
        """Whether the key carries the scope."""
        return scope in self.scopes or "admin" in self.scopes

    def sets_with(self, right: str) -> frozenset[int]:
        """The internal keys of the sets in which the member holds the right."""
        return frozenset(key for key, rights in self.grants.items() if right in rights)


def visible_labels(labels: Mapping[int, frozenset[int]], sets: frozenset[int]) -> Iterable[int]:
    """The labels that touch at least one of the sets."""
    return (label for label, touched in labels.items() if label >= FIRST_LABEL and touched & sets)


@dataclass(frozen=True)
class Party:
    """Whoever contributes: a local member, or a remote author, always for an operator."""

    key: int
    operator: int
    operator_kind: str


@dataclass(frozen=True)
class Speaker:
    """Who speaks by a party: a member of this hub, or an author of another.

    Attributes:
        operator: internal key.
        operator_id: public id.
        operator_name: DNS-style, the same in every hub.
        operator_kind: as it is now.
        member_id: public id of the member; None: of another hub.
        hub: of the author; None: of this hub.
        author: its pseudonym there.
    """

    operator: int
    operator_id: str
    operator_name: str
    operator_kind: str
    member_id: str | None
    hub: str | None
    author: str | None


@dataclass(frozen=True)
class SharingSet:
    """What is shared with whom, under a TLP label."""

    key: int
    id: str
    name: str
    tlp: str
    sandbox: bool
    onward: str = "none"


@dataclass(frozen=True)
class Key:
    """A member's key as it is checked: the MAC of its secret, and until when it is good."""

    mac: bytes
    expires: datetime
    asker: Asker


@dataclass(frozen=True)
class Known:
    """Everything a worker must know to say who asks and what they may see."""

    keys: dict[str, Key]
    sets: dict[str, SharingSet]
    labels: dict[int, frozenset[int]]
