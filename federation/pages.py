# SPDX-License-Identifier: Apache-2.0
"""Pages of operations, as one hub hands them to another.

A page is a run of a log's entries, without a gap: each with its operation, or with the reason why
that is kept back. The entries follow from it, so whoever reads it can hold them against the log's
checkpoint. A page of revokes has gaps: it tells early what the log will tell again.
`docs/protocol/federation.md` §6 has every member.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from federation.errors import MalformedError
from federation.forms import names
from federation.forms.canonical import read, within_bounds, written
from federation.forms.fields import Fields, many, members, one_of, packed, unpadded, whole
from federation.log.merkle import HASH_BYTES
from federation.operations.leaves import Kind, entry

MAX_RECORDS = 1_000
MAX_BYTES = 8 * 1024 * 1024  # of a page
MAX_NOTE = 64 * 1024  # characters
MAX_PROOF = 64  # hashes
MAX_SETS = 10_000
MAX_NOTES = MAX_RECORDS
"""Checkpoints of other hubs in a page: one a record at most."""
REVOKES = "revoke"


class Withheld(StrEnum):
    """Why an entry comes without its operation."""

    POLICY = "policy"
    PURGED = "purged"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Inclusion:
    """Where an operation is in its origin's log.

    Attributes:
        index: of its entry there.
        size: of the tree that the path leads to.
        path: hashes of the subtrees beside the way to that tree's root, the nearest first.
    """

    index: int
    size: int
    path: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class Record:
    """One entry of a log.

    Attributes:
        index: where it is.
        kind: whose operation it commits to.
        source: the hub that signed that.
        id: of the operation, 64 hex digits; empty where it follows from the envelope.
        envelope: as JSON, unread; None: withheld.
        withheld: why.
        inclusion: of another hub's operation: where it is in that hub's log.
    """

    index: int
    kind: Kind
    source: str
    id: str = ""
    envelope: Mapping[str, Any] | None = field(default=None, repr=False)
    withheld: Withheld | None = None
    inclusion: Inclusion | None = None

    def entry(self, operation_id: str) -> bytes:
        """The log's entry, once the operation's id is known."""
        return entry(self.kind, operation_id, self.source)


@dataclass(frozen=True)
class Page:
    """A run of entries, or some revokes out of it.

    Attributes:
        start: index of the first entry.
        end: index after the last.
        size: of the log at the checkpoint that the page is held against.
        records: one an index; of revokes only, fewer.
        sets: public ids of the sets that are shared with whoever asked: what was withheld before
            one of them was may be asked for again.
        proof: that the log of *size* continues that of *end*.
        checkpoint: the note of that size; None: the one that was asked for.
        is_sparse: whether it has revokes only.
        manifests: of sets that are shared with whoever asked and may be passed on in: ids of the
            manifests by which the hub goes.
        notes: checkpoints of other hubs, to which inclusions lead.
    """

    start: int
    end: int
    size: int
    records: tuple[Record, ...]
    sets: tuple[str, ...] = ()
    proof: tuple[bytes, ...] = ()
    checkpoint: bytes | None = None
    is_sparse: bool = False
    manifests: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[bytes, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> "Page":
        """Read a page; nothing of it is verified.

        Raises:
            MalformedError: It is none, or has gaps where it must not.
        """
        fields = Fields(read(data, MAX_BYTES), "the page")
        checkpoint = fields.maybe("checkpoint", note)
        page = cls(
            start=fields.take("from", whole(0)),
            end=fields.take("next", whole(0)),
            size=fields.take("size", whole(0)),
            records=tuple(_record(one) for one in fields.take("ops", _records)),
            sets=fields.take("sets", _sets),
            proof=fields.take("proof", _proof),
            checkpoint=None if checkpoint is None else checkpoint.encode(),
            is_sparse=fields.maybe("only", one_of(REVOKES)) is not None,
            manifests=fields.maybe("manifests", _manifests) or {},
            notes=tuple(one.encode() for one in fields.maybe("checkpoints", _notes) or ()),
        )
        fields.end()
        page.check()
        return page

    def encoded(self) -> bytes:
        """Write it."""
        said: dict[str, Any] = {
            "from": self.start,
            "next": self.end,
            "size": self.size,
            "ops": [_written(one) for one in self.records],
            "proof": [unpadded(one) for one in self.proof],
            "sets": list(self.sets),
        }
        if self.checkpoint is not None:
            said["checkpoint"] = self.checkpoint.decode()
        if self.is_sparse:
            said["only"] = REVOKES
        if self.manifests:
            said["manifests"] = dict(self.manifests)
        if self.notes:
            said["checkpoints"] = [one.decode() for one in self.notes]
        return written(said)

    def check(self) -> None:
        """Refuse what cannot be a run of a log.

        Raises:
            MalformedError: It cannot.
        """
        if not self.start <= self.end <= self.size:
            raise MalformedError("a page ends before it begins, or beyond its log")
        at = [one.index for one in self.records]
        if self.is_sparse:
            if at != sorted(set(at)) or any(not self.start <= one < self.end for one in at):
                raise MalformedError("revokes out of order, or from elsewhere")
        elif at != list(range(self.start, self.end)):
            raise MalformedError("a page with a gap, or out of order")


def _record(said: dict[str, Any]) -> Record:
    fields = Fields(said, "a record")
    index = fields.take("i", whole(0))
    kind = Kind(fields.take("k", _kind))
    source = fields.take("src", names.hub_name)
    reason = fields.maybe("withheld", _withheld)
    if reason is None:
        envelope = within_bounds(fields.take("env", members))
        inclusion = _inclusion(fields) if kind is Kind.RELAY else None
        record = Record(index, kind, source, envelope=envelope, inclusion=inclusion)
    else:
        operation = fields.take("op", names.operation_id)
        record = Record(index, kind, source, operation, withheld=Withheld(reason))
    fields.end()
    return record


def _inclusion(fields: Fields) -> Inclusion | None:
    """What proves a relay; without it only this record is not believed."""
    index = fields.maybe("oi", whole(0))
    if index is None:
        return None
    return Inclusion(
        index=index,
        size=fields.take("os", whole(1)),
        path=fields.take("path", _proof),
    )


def _written(record: Record) -> dict[str, Any]:
    said: dict[str, Any] = {
        "i": record.index,
        "k": record.kind.value,
        "src": record.source,
    }
    if record.withheld is None:
        return said | {"env": record.envelope} | _written_inclusion(record.inclusion)
    return said | {"op": record.id, "withheld": record.withheld.value}


def _written_inclusion(one: Inclusion | None) -> dict[str, Any]:
    if one is None:
        return {}
    return {"oi": one.index, "os": one.size, "path": [unpadded(each) for each in one.path]}


_kind, _withheld = one_of(*Kind), one_of(*Withheld)


def _records(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MAX_RECORDS:
        raise ValueError(f"a list of at most {MAX_RECORDS}")
    return [members(one) for one in value]


_hash = packed(HASH_BYTES)
_sets = many(names.set_id, 0, MAX_SETS)


def _proof(value: Any) -> tuple[bytes, ...]:
    if not isinstance(value, list) or len(value) > MAX_PROOF:
        raise ValueError(f"a list of at most {MAX_PROOF} hashes")
    return tuple(_hash(one) for one in value)


def note(value: Any) -> str:
    """A checkpoint as text, not read yet."""
    if not isinstance(value, str) or len(value) > MAX_NOTE:
        raise ValueError(f"a note of at most {MAX_NOTE} characters")
    return value


def _notes(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_NOTES:
        raise ValueError(f"a list of 1 to {MAX_NOTES} notes")
    return tuple(note(one) for one in value)


def _manifests(value: Any) -> dict[str, str]:
    said = members(value)
    if not 1 <= len(said) <= MAX_SETS:
        raise ValueError(f"an object of 1 to {MAX_SETS} sets")
    return {names.set_id(one): names.operation_id(name) for one, name in said.items()}
