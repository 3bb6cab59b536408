# SPDX-License-Identifier: Apache-2.0
"""Items, indicators, opinions, outcomes: what parties say, as values.

A version is never edited: saying it anew makes version n + 1, and withdrawing is a version too.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

LONGEST_LIFE = timedelta(days=730)
DEFAULT_LIFE = timedelta(days=365)
NEIGHBOUR_BITS = 16
"""r_c of the design: PDQ codes this close are one picture recompressed (in 89 % of cases)."""


MATCH, REVIEW, RESEARCH = "match", "review", "research"
"""The most that may follow from what a partner says: a match that counts, a person's look, or
nothing but that it is kept."""


@dataclass(frozen=True)
class Code:
    """One value of one signal, of one item.

    ``value`` has the signal's width in bytes; ``derivation`` 0 is the plain code.
    """

    signal: str
    value: bytes = field(repr=False)
    derivation: int = 0
    quality: int | None = None
    at_ms: int | None = None


@dataclass(frozen=True)
class Account:
    """An account, already normalised: one kind and one value."""

    kind: str
    value: str = field(repr=False)
    subject: str = "unknown"


@dataclass(frozen=True)
class Words:
    """What is said about an item, in the closed words of the vocabulary."""

    harm: tuple[str, ...]
    use: str
    depicts: str
    basis: str
    assessed_by: int = 0
    priority: str = "standard"
    confidence: str = "low"
    content_class: str = "not-assessed"
    synthetic: str = "unknown"
    countries: tuple[str, ...] = ()
    class_refs: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    case: str | None = None
    list_name: str | None = None
    observed_at: datetime | None = None
    act: str = MATCH
    """The most that may follow from it: MATCH or REVIEW; who contributes here says MATCH."""


@dataclass(frozen=True)
class Draft:
    """A contribution or revision that passed every check and is ready to be written."""

    item_kind: str
    codes: tuple[Code, ...]
    words: Words
    sets: tuple[int, ...]
    """Internal keys, sorted."""
    expires: datetime
    external_id: str | None = None
    account: Account | None = None
    profile: str | None = None


@dataclass(frozen=True)
class Opinion:
    """What an operator thinks of another's entry."""

    set_key: int
    stance: str
    reason: str | None = None
    basis: str | None = None
    assessed_by: int = 0
    reach: str = "this"


@dataclass(frozen=True)
class Indicator:
    """An indicator as its latest version has it; ``key``, ``party``, ``sets`` are internal."""

    key: int
    id: str
    operator: int
    operator_kind: str
    party: int
    item_kind: str
    external_id: str | None
    profile: str | None
    strong: bool
    created_at: datetime
    n: int
    state: str
    expires: datetime
    label: int
    copied: bool
    sets: tuple[int, ...]
    words: Words

    @property
    def is_live(self) -> bool:
        """Whether it still says something."""
        return self.state == LIVE


LIVE, WITHDRAWN, EXPIRED, ERASED = "live", "withdrawn", "expired", "erased"
