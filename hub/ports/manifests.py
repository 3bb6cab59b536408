# SPDX-License-Identifier: Apache-2.0
"""What a unit of work can do with manifests: whose a set is, and which hubs share it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class SetHome:
    """A set that is in use, and whose it is.

    Attributes:
        key: internal.
        id: public.
        name: as it is called here.
        tlp: its label here.
        onward: ``none``, or to whom what is in it may be passed on.
        home: the hub whose manifest counts; None: it is ours.
    """

    key: int
    id: str
    name: str
    tlp: str
    onward: str
    home: str | None


@dataclass(frozen=True)
class SetManifest:
    """What the hub of a set says of it: the manifest that counts here.

    Attributes:
        set_key: internal key of the set.
        set_id: public.
        operation: id of the operation that says it.
        expires: until when, seconds since 1970.
        name: as the hub of the set calls it.
        tlp: its label, as operations say it.
        onward: ``none`` or ``set``.
        hubs: those that share it, each with the SHA-256 of its first root, hex.
    """

    set_key: int
    set_id: str
    operation: str
    expires: int
    name: str
    tlp: str
    onward: str
    hubs: Mapping[str, str] = field(default_factory=dict)

    @property
    def lets_onward(self) -> bool:
        """Whether a hub of the set may pass on what another said in it."""
        return self.onward == "set"


@dataclass(frozen=True)
class Naming:
    """What people here decided of a hub for a set of ours.

    Attributes:
        root: SHA-256 of its first root, of a hub that is no partner; else None.
        named: whether the manifest is to name it.
    """

    root: str | None
    named: bool


class Manifests(Protocol):
    """Sets between hubs."""

    def homes(self) -> dict[str, SetHome]:
        """All sets that are in use, by public id."""
        ...

    def rehome(self, set_key: int, home: str | None) -> None:
        """Let another hub's manifest count; what counted before does no more."""
        ...

    def open_onward(self, set_key: int, onward: str) -> None:
        """Let what is in a set be passed on, or not."""
        ...

    def counting(self, now: int) -> dict[str, SetManifest]:
        """The manifests that count now, by the public ids of their sets."""
        ...

    def keep(self, manifest: SetManifest) -> None:
        """Let a manifest count, in the place of the one before."""
        ...

    def drop(self, set_key: int) -> None:
        """Let none count for a set."""
        ...

    def namings(self, set_key: int) -> dict[str, Naming]:
        """What was decided of hubs, for a set of ours."""
        ...

    def name(self, set_key: int, hub: str, naming: Naming) -> None:
        """Decide it."""
        ...

    def review(self, set_key: int) -> None:
        """Look at all that is held in a set, once more: from whom it may come has changed."""
        ...

    def reviews(self) -> list[tuple[int, int]]:
        """Sets that are looked at, each with how far that is."""
        ...

    def reviewed(self, set_key: int, *, expected: int, after: int | None) -> bool:
        """Note how far a set was looked at; None: all of it. False: somebody was quicker."""
        ...
