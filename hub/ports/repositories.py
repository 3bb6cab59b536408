# SPDX-License-Identifier: Apache-2.0
"""What a unit of work can do: the promises of the repositories, a topic each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from hub.domain.changes import Delta
from hub.domain.entries import Described
from hub.domain.indicators import Account, Code, Draft, Indicator, Opinion, Words
from hub.domain.sharing import Known, Party, Speaker
from hub.domain.votes import Link
from matching.ports import Head


class Parties(Protocol):
    """Who there is, read whole; and the parties by which members speak."""

    def load(self) -> Known:
        """Read all of it: some thousand rows at most."""
        ...

    def labels(self) -> dict[int, frozenset[int]]:
        """Each label with the internal keys of its sets."""
        ...

    def party_of(self, member: int) -> Party:
        """The party by which a local member contributes, made at its first word."""
        ...

    def author_of(self, hub: str, author: str, *, operator: int, kind: str, state: str) -> Party:
        """The party of a remote author, made at its first word."""
        ...

    def speakers(self, parties: Iterable[int]) -> dict[int, Speaker]:
        """Who speaks by those parties."""
        ...

    def mouths(self, operators: Collection[str]) -> list[tuple[str, str | None]]:
        """Through which hubs operators of those names spoke; None: one has a member here."""
        ...

    def operator_ids(self, keys: set[int]) -> dict[int, str]:
        """Public ids of operators by internal key."""
        ...


class Indicators(Protocol):
    """Indicators, their versions, codes and entries."""

    def find(self, public_id: str, *, lock: bool = False) -> Indicator | None:
        """The indicator of that public id, as it stands; *lock* keeps other writers off it."""
        ...

    def find_external(self, operator: int, external_id: str) -> Indicator | None:
        """The operator's indicator of that name of its own, locked against other writers."""
        ...

    def known_externals(self, operator: int, names: Collection[str]) -> set[str]:
        """Which of those names of its own the operator has given already."""
        ...

    def taken(self, public_ids: Collection[str]) -> set[str]:
        """Which of those public ids there are already."""
        ...

    def contributed_since(self, operator: int, moment: datetime) -> list[int]:
        """The operator's contributions of a moment or later that are not known to be copies."""
        ...

    def by_keys(self, keys: Iterable[int]) -> dict[int, Indicator]:
        """The indicators of those internal keys."""
        ...

    def of_operator(self, operator: int, *, after: int, limit: int) -> list[Indicator]:
        """The operator's indicators but the erased, oldest first, from beyond an internal key."""
        ...

    def keys_in_set(self, set_key: int, *, after: int, limit: int) -> list[int]:
        """Internal keys of the live entries of a set beyond one, in order."""
        ...

    def count_in(self, set_key: int, item_kind: str) -> int:
        """How many live indicators of a kind are in a set."""
        ...

    def codes(self, keys: Iterable[int]) -> dict[int, tuple[Code, ...]]:
        """The codes that the latest versions of those indicators carry."""
        ...

    def frame_counts(self, keys: Iterable[int]) -> dict[int, int]:
        """How many frames those indicators have that are of videos."""
        ...

    def versions(self, key: int) -> list[Any]:
        """Every version of an indicator, oldest first, as rows of the version table."""
        ...

    def sealed_account(self, key: int) -> Any | None:
        """The sealed account of an account indicator, or None once it was erased."""
        ...

    def due(self, now: datetime, limit: int) -> list[str]:
        """Public ids of live indicators whose time is over."""
        ...

    def intern(self, sets: Sequence[int]) -> tuple[int, bool]:
        """The label of a combination of sets, and whether this transaction is its first use."""
        ...

    def add(
        self,
        drafts: Sequence[Draft],
        *,
        public_ids: Sequence[str],
        party: Party,
        labels: Mapping[tuple[int, ...], int],
        at: datetime,
    ) -> list[tuple[Indicator, Mapping[str, Delta]]]:
        """Keep new indicators; returns each with what it does to the totals.

        There is at least one; the label of each combination of sets is given.
        """
        ...

    def keep_account(self, key: int, account: Account, sealed: bytes) -> None:
        """Keep the sealed value of an account indicator."""
        ...

    def revise(
        self,
        known: Indicator,
        *,
        words: Words,
        sets: tuple[int, ...],
        expires: datetime,
        label: int,
        party: int,
        at: datetime,
        derived: Sequence[Code] | None = None,
    ) -> tuple[Indicator, Mapping[str, Delta]]:
        """Add a version; *derived* replaces the derived codes, None leaves them."""
        ...

    def end(
        self,
        known: Indicator,
        *,
        kind: str,
        state: str,
        at: datetime,
        party: int | None = None,
        reason: str | None = None,
    ) -> tuple[Indicator, Mapping[str, Delta]]:
        """Add the version by which an indicator says nothing more; its words stay behind."""
        ...

    def purge(self, key: int) -> None:
        """Delete every code and value of an indicator; its versions keep only their place."""
        ...

    def rename(self, key: int, public_id: str) -> None:
        """Let an indicator go by another public id from now on."""
        ...

    def mark_copied(self, key: int) -> None:
        """Note that its operator had seen a neighbour here before it contributed."""
        ...


class Votes(Protocol):
    """Links between entries and those who vote on them."""

    def described(self, keys: Iterable[int], sets: Iterable[int]) -> list[Described]:
        """Describe entries with their votes, tombstones included."""
        ...

    def links(
        self, indicator: int, set_key: int
    ) -> set[tuple[int | None, int | None, int | None]]:
        """What votes on an entry: of each vote the voter, the opinion or the exclusion."""
        ...

    def lock(self, indicator: int, set_key: int) -> None:
        """Keep other writers off an entry's links until this transaction ends."""
        ...

    def link_opinion(self, indicator: int, set_key: int, link: Link) -> None:
        """Link an opinion to an entry at once: a dispute must not wait for a job.

        What the operator said before on this entry, through the same hub, is unlinked.
        """
        ...

    def replace(self, indicator: int, set_key: int, found: Sequence[Link]) -> bool:
        """Make the entry's links the best of *found*; returns whether anything changed."""
        ...

    def linked_entries(self, voter: int) -> list[tuple[int, int]]:
        """The entries, as (indicator, set), on which an indicator votes."""
        ...

    def reached_entries(self, indicator: int) -> list[tuple[int, int]]:
        """The entries beside its own, likewise, on which opinions of an indicator are votes."""
        ...

    def neighbours(self, indicator: int) -> dict[int, list[int]]:
        """The indicators that vote on an indicator's entries, by set."""
        ...

    def has_room(self, indicator: int, set_key: int, link: Link) -> bool:
        """Whether a further vote may be added without choosing anew which links are kept."""
        ...

    def add(self, indicator: int, set_key: int, link: Link) -> None:
        """Add a vote to an entry that has room for it."""
        ...


class Opinions(Protocol):
    """Opinions, appeals and outcomes."""

    def add(
        self, opinion: Opinion, *, indicator: int, public_id: str, party: Party, at: datetime
    ) -> tuple[int, int]:
        """Keep an opinion, which replaces the operator's earlier one; returns key and number.

        What it said through another hub stays: which of the two counts is for whoever reads.
        """
        ...

    def of_entries(self, indicators: list[int], set_key: int) -> list[Any]:
        """The live opinions on those indicators in a set, as rows of the opinion table.

        Each with the hub through which it was said; None: here.
        """
        ...

    def open_appeal(
        self, *, indicator: int, operator: int, public_id: str, ground: str, at: datetime
    ) -> None:
        """Open an appeal; while it is open the indicator is disputed everywhere."""
        ...

    def find_appeal(self, public_id: str) -> Any | None:
        """The appeal of that public id, locked against other writers."""
        ...

    def close_appeal(self, key: int, *, upheld: bool, at: datetime) -> None:
        """Close an appeal with what was decided."""
        ...

    def appeals(self, indicator: int) -> list[Any]:
        """The appeals on an indicator, oldest first."""
        ...

    def held(self, ground: str, before: datetime, hub: str | None, limit: int) -> list[int]:
        """Indicators under an open appeal on a ground, of before a moment, of a hub's authors."""
        ...

    def record_outcome(self, values: dict[str, Any]) -> None:
        """Keep what became of a receipt; saying it anew replaces what was said."""
        ...

    def outcome_counts(self, indicator: int) -> dict[str, int]:
        """How often each outcome was reported of an indicator."""
        ...


class Facts(Protocol):
    """What lookups and feeds leave behind; and budgets."""

    def add_hits(self, hits: Mapping[tuple[int, int], tuple[datetime, int]]) -> None:
        """Add hits by (operator, indicator): when first, and how many."""
        ...

    def had_hit(
        self, operator: int, indicators: Iterable[int], since: datetime, until: datetime
    ) -> bool:
        """Whether the operator had a hit on one of the indicators in that time."""
        ...

    def gone_hits(self, operator: int, since: datetime, until: datetime) -> list[int]:
        """What the operator had a hit on in that time and is gone by now."""
        ...

    def gone_served(self, operator: int, since: datetime, until: datetime) -> list[int]:
        """What stood in sets that the operator was served in that time, and went since."""
        ...

    def serve(self, operator: int, sets: Iterable[int], position: int, at: datetime) -> None:
        """Note that everything in the sets up to the position was served to the operator."""
        ...

    def was_served(
        self, operator: int, entries: Mapping[int, int], since: datetime, until: datetime
    ) -> bool:
        """Whether the operator was served one of the entries, given as set and position."""
        ...

    def hit_counts(self, indicator: int) -> tuple[int, int]:
        """How many hits an indicator had in the days kept, and by how many operators."""
        ...

    def forget(self, now: datetime) -> None:
        """Delete facts and budgets that are too old to matter."""
        ...

    def spend_today(self, name: str, operator: int, day: int, amount: int) -> int:
        """Add to a budget's use of a day; returns the day's use, this included."""
        ...


class History(Protocol):
    """The head, the changes, job cursors and control slots."""

    def head(self) -> Head:
        """Timeline and last position."""
        ...

    def instance(self) -> str:
        """The random id of this hub, for the names of its keys in Redis."""
        ...

    def totals(self) -> dict[str, list[Any]]:
        """Running count and digest by signal."""
        ...

    def after(self, position: int, limit: int) -> Sequence[Any]:
        """Changes beyond a position, in order."""
        ...

    def entered(self, indicator: int) -> dict[int, int]:
        """Each set that an indicator is or was in, with the position at which it came there."""
        ...

    def change_at(self, position: int) -> int | None:
        """The last position at or before *position*, or None before the first."""
        ...

    def start_timeline(self, timeline: str) -> None:
        """Begin a new history: what was read before a restore must not be mixed with this."""
        ...

    def cursor(self, name: str) -> int:
        """How far a job has come."""
        ...

    def advance(self, name: str, *, expected: int, position: int) -> bool:
        """Move a job's cursor, if nobody else did; False means that somebody did."""
        ...

    def toggle(self, slot: int) -> int:
        """Turn a control slot on or off; returns its new label."""
        ...

    def live_slots(self) -> list[int]:
        """The control slots that are on."""
        ...
