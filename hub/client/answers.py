# SPDX-License-Identifier: Apache-2.0
"""What a hub answers, as values; and how each is read from JSON.

Fields that this client does not know are passed over, so that a newer hub can serve it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from hub.client.errors import Flaw, ProtocolError, flaw_of
from hub.client.values import Code

T = TypeVar("T")


@dataclass(frozen=True)
class Index:
    """How fresh an answer is."""

    timeline: str
    position: int
    head: int
    lag_ms: int | None


@dataclass(frozen=True)
class Hit:
    """One entry that an item hit; a clue, not a proof."""

    standing: str
    band: str
    signal: str
    id: str | None = None
    set: str | None = None
    harm: tuple[str, ...] = ()
    use: str = "unknown"
    depicts: str = "unknown"
    priority: str = "standard"
    operators: int | None = None
    receipt: str | None = field(default=None, repr=False)
    support: tuple[str, ...] = ()
    weak: bool = False
    unverified: bool = False


@dataclass(frozen=True)
class Answer:
    """What is known of one item: ``hit``, ``none``, ``unknown`` or ``error``."""

    answer: str
    complete: bool
    """Whether the hub was in step with all it knows when it answered."""
    ref: str | None = None
    why: str | None = None
    standing: str | None = None
    operators: int | None = None
    at_least: bool = False
    truncated: bool = False
    hits: tuple[Hit, ...] = ()
    error: Flaw | None = None
    explain: Mapping[str, Any] | None = None

    @property
    def is_hit(self) -> bool:
        """Whether anything is known of it."""
        return self.answer == "hit"

    @property
    def is_clear(self) -> bool:
        """Whether it was searched, completely, and nothing is known: never a guess."""
        return self.complete and self.answer == "none"


@dataclass(frozen=True)
class Matches:
    """An answer for each item, in the order asked."""

    complete: bool
    index: Index
    answers: tuple[Answer, ...]

    @property
    def is_clear(self) -> bool:
        """Whether every item is clear."""
        return bool(self.answers) and all(answer.is_clear for answer in self.answers)


@dataclass(frozen=True)
class Kept:
    """What was kept, and where in the hub's history."""

    id: str
    position: int
    n: int | None = None


@dataclass(frozen=True)
class Row:
    """What became of one row of a batch: an error, or where it was kept."""

    index: int
    id: str | None = None
    n: int | None = None
    position: int | None = None
    error: Flaw | None = None


@dataclass(frozen=True)
class Entry:
    """What the hub says of an indicator in one set."""

    set: str
    standing: str
    operators: int
    until: str | None


@dataclass(frozen=True)
class Indicator:
    """An indicator: the whole of one's own, what is told to others else."""

    id: str
    n: int
    state: str
    kind: str
    words: Mapping[str, Any]
    entries: tuple[Entry, ...]
    codes: tuple[Code, ...] = ()
    sets: tuple[str, ...] = ()
    expires: str | None = None
    external_id: str | None = None
    versions: tuple[Mapping[str, Any], ...] = ()
    seen: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page of one's own indicators."""

    items: tuple[Indicator, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class Record:
    """An entry as it is now, for those who match at home; a ``gone`` one is to be deleted."""

    id: str
    n: int
    set: str
    codes: tuple[Code, ...]
    words: Mapping[str, Any]
    standing: str
    until: str | None
    position: int
    gone: bool


@dataclass(frozen=True)
class Resync:
    """A set whose grant changed: ``gained``, snapshot it; ``lost``, delete it."""

    set: str
    what: str


@dataclass(frozen=True)
class Changes:
    """What changed; up to ``withheld_to`` nothing else was for the asker."""

    records: tuple[Record, ...]
    cursor: str = field(repr=False)
    withheld_to: int
    head: int | None
    resync: tuple[Resync, ...]


@dataclass(frozen=True)
class Snapshot:
    """A page of a set; without ``cursor`` it is the last, and ``follow`` goes on from there."""

    records: tuple[Record, ...]
    cursor: str | None = field(repr=False)
    follow: str = field(repr=False)


@dataclass(frozen=True)
class Status:
    """How fresh a hub's answers are."""

    complete: bool
    why: str | None
    index: Index
    whole: Mapping[str, bool]
    """By signal, whether all of it is there to be searched."""


# -- reading -------------------------------------------------------------------------------------


def matches_of(body: Any, refs: Sequence[str | None]) -> Matches:
    """Read the answers to items with these *refs*; none may stand in another's place."""
    complete = body["complete"]
    answers = tuple(_answer(told, complete=complete) for told in body["answers"])
    if len(answers) != len(refs):
        raise ProtocolError("another number of answers than of items")
    if any(ref and answer.ref != ref for ref, answer in zip(refs, answers, strict=True)):
        raise ProtocolError("answers in another order than items")
    return Matches(complete, _made(Index, body["index"]), answers)


def merged(parts: Sequence[Matches]) -> Matches:
    """Make one of the answers to the parts of a long question; as fresh as the oldest."""
    answers = tuple(answer for part in parts for answer in part.answers)
    oldest = min((part.index for part in parts), key=lambda index: index.position)
    return Matches(all(part.complete for part in parts), oldest, answers)


def kept_of(body: Any) -> Kept:
    """Read what was kept."""
    return _made(Kept, body)


def rows_of(first: int) -> Callable[[Any], tuple[Row, ...]]:
    """Read what became of rows, of which the batch's own number 0 is *first*."""

    def read(body: Any) -> tuple[Row, ...]:
        rows = (_with(row, error=flaw_of) for row in body["results"])
        return tuple(_made(Row, {**row, "index": first + row["index"]}) for row in rows)

    return read


def indicator_of(body: Any) -> Indicator:
    """Read one indicator."""
    item = body["item"]
    entries = tuple(_made(Entry, entry) for entry in body["entries"])
    codes = tuple(_made(Code, code) for code in item.get("codes", ()))
    return _made(Indicator, {**body, "kind": item["kind"], "codes": codes, "entries": entries})


def page_of(body: Any) -> Page:
    """Read a page of indicators."""
    return Page(tuple(map(indicator_of, body["items"])), body["next_cursor"])


def changes_of(body: Any) -> Changes:
    """Read a page of changes."""
    return Changes(
        records=tuple(map(_record, body["records"])),
        cursor=body["cursor"],
        withheld_to=body["withheld_to"],
        head=body.get("head"),
        resync=tuple(Resync(one["set"], one["is"]) for one in body.get("resync", ())),
    )


def snapshot_of(body: Any) -> Snapshot:
    """Read a page of a snapshot."""
    return Snapshot(tuple(map(_record, body["records"])), body["cursor"], body["follow"])


def status_of(body: Any) -> Status:
    """Read how fresh a hub is."""
    whole = {one["signal"]: one["whole"] for one in body["signals"]}
    return Status(body["complete"], body["why"], _made(Index, body["index"]), whole)


def _answer(told: Any, *, complete: bool) -> Answer:
    told = _with(told, error=flaw_of, hits=lambda hits: tuple(_made(Hit, hit) for hit in hits))
    return replace(_made(Answer, {**told, "complete": complete}))


def _record(told: Any) -> Record:
    return _made(
        Record,
        _with(told, codes=lambda codes: tuple(_made(Code, code) for code in codes)),
    )


def _with(told: Mapping[str, Any], **readers: Callable[[Any], Any]) -> dict[str, Any]:
    return {
        name: readers[name](value) if name in readers else value for name, value in told.items()
    }


def _made(kind: type[T], told: Mapping[str, Any]) -> T:
    """Make a value of the fields that it knows; lists become tuples."""
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]  # all are dataclasses
    return kind(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in told.items()
            if name in known
        }
    )
