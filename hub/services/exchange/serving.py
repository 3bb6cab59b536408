# SPDX-License-Identifier: Apache-2.0
"""Serve our log: pages to partners, as their sets allow; tiles and checkpoints to anybody."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from federation.audience import is_released
from federation.log.bundles import bundled
from federation.log.proofs import consistency_proof
from federation.log.tiles import ENTRIES, Tile, reading
from federation.operations.envelopes import Sealed
from federation.operations.leaves import Kind, entry
from federation.pages import MAX_BYTES, MAX_RECORDS, Page, Record, Withheld
from federation.returned import Returned
from hub.domain.errors import ConflictError
from hub.ports import Hub, Work
from hub.ports.exchange import Enrolled, Leaf, OwnLog, Told, Voice
from hub.services.exchange.origins import shown_to
from hub.services.exchange.relaying import Audience, Terms

RELAYED = 4 * 1024
"""Bytes that a relay takes beside its operation, at most as a rule."""
CHECKPOINT, TUF = "checkpoint", "tuf/"
SPARE = 64 * 1024
"""Bytes of a page that are kept for its checkpoint and its proof."""


class NotSoLongError(ConflictError):
    """The log is not as long as it is asked about."""

    def __init__(self) -> None:
        super().__init__("The log is not so long.", "not-so-long")


def page(
    partner: Enrolled, *, start: int, size: int | None, limit: int, hub: Hub, voice: Voice
) -> Page:
    """The operations from somewhere on, as far as the partner may have them.

    Args:
        partner: who asks.
        start: index of the first entry.
        size: of the checkpoint to hold them against; None: the newest, which comes with the page.
        limit: entries at most.
        hub: whose log it is.
        voice: by what it speaks.

    Raises:
        NotSoLongError: The log never was so long.
    """
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
        at = log.noted if size is None else size
        if at > log.noted or start > at or log.note is None:
            raise NotSoLongError
        end = min(at, start + min(limit, MAX_RECORDS))
        asking = _Asking.of(partner, voice, work, _now(hub))
        leaves = work.logs.entries(log, start, end)
        records = asking.fitting(leaves)
        end = start + len(records)
        proof = consistency_proof(end, at, reading(at, tiles_of(log, work)))
        notes = asking.notes(leaves, records, work)
    note = log.note if size is None else None
    shared = tuple(sorted(partner.sets))
    return Page(
        start, end, at, tuple(records), shared, tuple(proof), note,
        manifests=asking.manifests, notes=notes,
    )  # fmt: skip


def revokes(partner: Enrolled, *, start: int, limit: int, hub: Hub, voice: Voice) -> Page:
    """What was taken back from somewhere on, ahead of everything else."""
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
        most = min(limit, MAX_RECORDS)
        found = work.logs.revokes(log, start, most)
        end = found[-1].index + 1 if len(found) == most else log.size
        asking = _Asking.of(partner, voice, work, _now(hub))
        known = asking.fitting(found)
        records = [one for one in known if one.withheld is None]
        notes = asking.notes(found, known, work)
    if len(known) < len(found):
        end = found[len(known)].index
    shared = tuple(sorted(partner.sets))
    return Page(
        start, max(start, end), max(start, end), tuple(records), shared, is_sparse=True,
        manifests=asking.manifests, notes=notes,
    )  # fmt: skip


def returned(partner: Enrolled, *, start: int, after: int, hub: Hub) -> Returned:
    """What we hold of what a partner said itself.

    Args:
        partner: who asks.
        start: index in its log from which on it misses something.
        after: what the answer before this one said comes next; 0: this is the first question.
        hub: ours.
    """
    with hub.begin.reading() as work:
        found = work.exchange.told_by(
            partner.key, partner.hub, start=start, after=after, limit=MAX_RECORDS
        )
    fitting: list[Told] = []
    left = MAX_BYTES - SPARE
    for one in found:
        left -= _room(one.sealed)
        if left < 0 and fitting:
            break
        fitting.append(one)
    is_all = len(fitting) == len(found) < MAX_RECORDS
    held = [(one.index, one.sealed.told) for one in fitting]
    head = partner.trust.head
    return Returned(
        held, None if is_all else fitting[-1].key, head.note if head is not None else None
    )


def tile(path: str, *, hub: Hub, voice: Voice) -> bytes:
    """A file of the log, for whoever verifies it.

    Raises:
        MalformedError: A log has no such file.
        NotSoLongError: This log is not so long.
    """
    wanted = Tile.parse(path)
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
        if wanted.level == ENTRIES:
            return _bundle(wanted, log, work)
        return tiles_of(log, work)([wanted])[0]


def shown_checkpoint(*, hub: Hub, voice: Voice) -> bytes:
    """The checkpoint of now.

    Raises:
        NotSoLongError: There is none yet.
    """
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
    if log.note is None:
        raise NotSoLongError
    return log.note


def of_peer(name: str, what: str, partner: Enrolled, *, hub: Hub, voice: Voice) -> bytes | None:
    """What is known here of another hub: a file of its TUF repository, or its newest checkpoint.

    None: nothing, or it is not for whoever asks.
    """
    with hub.begin.reading() as work:
        terms = Terms.of(work, voice.hub, _now(hub))
    peer = terms.known.get(name)
    if peer is None or name not in Audience(partner, terms).hubs():
        return None
    if what == CHECKPOINT:
        return None if peer.trust.head is None else peer.trust.head.note
    return hub.abroad.mirrored(name, what.removeprefix(TUF)) if what.startswith(TUF) else None


def has_news(start: int, *, hub: Hub, voice: Voice) -> bool:
    """Whether a checkpoint is shown that covers more than so many entries."""
    with hub.begin.reading() as work:
        return work.logs.open(voice.log.origin).noted > start


# -- steps ---------------------------------------------------------------------------------------


def _now(hub: Hub) -> int:
    return int(hub.clock().timestamp())


@dataclass(frozen=True)
class _Asking:
    """Who asks, and what it may have at a moment."""

    partner: Enrolled
    audience: Audience
    manifests: Mapping[str, str]
    now: int

    @classmethod
    def of(cls, partner: Enrolled, voice: Voice, work: Work, now: int) -> "_Asking":
        terms = Terms.of(work, voice.hub, now)
        manifests = shown_to(partner, terms.counting)
        return cls(partner, Audience(partner, terms), manifests, now)

    def fitting(self, leaves: Sequence[Leaf]) -> list[Record]:
        """As many records as a page holds, each with its operation if they may have that."""
        records: list[Record] = []
        left = MAX_BYTES - SPARE
        for leaf in leaves:
            record = self._record(leaf)
            left -= _length(leaf, record)
            if left < 0 and records:
                break
            records.append(record)
        return records

    def notes(
        self, leaves: Sequence[Leaf], records: Sequence[Record], work: Work
    ) -> tuple[bytes, ...]:
        """The checkpoints to which relays lead, among the records of the first of some leaves."""
        places = {
            (leaf.log, one.inclusion.size)
            for leaf, one in zip(leaves, records, strict=False)
            if one.inclusion
        }
        found = work.relays.notes(places) if places else {}
        return tuple(note for _, note in sorted(found.items()))

    def _record(self, leaf: Leaf) -> Record:
        reason = self._withheld(leaf)
        if reason is not None or leaf.sealed is None:
            return Record(leaf.index, leaf.kind, leaf.source, leaf.id.hex(), withheld=reason)
        return Record(
            leaf.index, leaf.kind, leaf.source, envelope=leaf.sealed.told,
            inclusion=leaf.inclusion,
        )  # fmt: skip

    def _withheld(self, leaf: Leaf) -> Withheld | None:
        # What is past its time was emptied as well, or soon will be.
        if leaf.keep <= self.now:
            return Withheld.EXPIRED
        if leaf.sealed is None:
            return Withheld.PURGED
        if leaf.kind is Kind.RELAY:
            return None if self.audience.may_have(leaf) else Withheld.POLICY
        sets = orjson.loads(leaf.sealed.payload)["policy"]["sets"]
        return None if is_released(sets, self.partner.sets) else Withheld.POLICY


def _length(leaf: Leaf, record: Record) -> int:
    """Bytes that a record takes at most."""
    if record.envelope is None or leaf.sealed is None:
        return 512
    # A relay brings its path, and a checkpoint that others may share.
    proof = RELAYED if record.inclusion is not None else 0
    return _room(leaf.sealed) + proof


def _room(sealed: Sealed) -> int:
    """Bytes that an envelope takes at most: base64 adds a third."""
    return len(sealed.payload) * 4 // 3 + 1024


def tiles_of(log: OwnLog, work: Work) -> Callable[[Sequence[Tile]], list[bytes]]:
    """Reads tiles of hashes, each as wide as it is asked for."""

    def fetch(wanted: Sequence[Tile]) -> list[bytes]:
        found = work.logs.tiles(log, [(one.level, one.index) for one in wanted])
        return [_cut(one, data) for one, data in zip(wanted, found, strict=True)]

    return fetch


def _cut(wanted: Tile, data: bytes | None) -> bytes:
    """A tile as wide as was asked for: what is full by now was narrower before."""
    bytes_wanted = wanted.width * 32
    if data is None or len(data) < bytes_wanted:
        raise NotSoLongError
    return data[:bytes_wanted]


def _bundle(wanted: Tile, log: OwnLog, work: Work) -> bytes:
    first = wanted.index * 256
    if first + wanted.width > log.noted:
        raise NotSoLongError
    leaves = work.logs.entries(log, first, first + wanted.width)
    return bundled(entry(one.kind, one.id.hex(), one.source) for one in leaves)
