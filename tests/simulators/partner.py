# SPDX-License-Identifier: Apache-2.0
"""A partner hub that says and serves what a test wants: the truth, unless told otherwise."""

from dataclasses import dataclass, field, replace
from typing import Any

from federation.believing import Partner
from federation.identity.values import OpKey
from federation.keys import MemorySigner
from federation.log.cosignatures import Cosigner
from federation.log.merkle import Frontier
from federation.log.proofs import consistency_proof, inclusion_proof
from federation.log.tiles import ENTRIES, Tile, reading
from federation.log.verifiers import Verifier
from federation.operations.leaves import Kind
from federation.operations.values import Op, Operation
from federation.pages import Page, Record, Withheld
from federation.publishing import LogKeys, Signed, checkpoint, grown, signed
from federation.trust import Trust, accept
from tests.simulators.statements import NOW, ORIGIN, SET, operation

HERE = "hub-b.example"
OPERATOR = "games.example"
LOG, BEAT, OP, THIEF = (MemorySigner(bytes([n]) * 32) for n in (1, 2, 3, 4))
KEY = "op-1"


def trusted(**changed: Any) -> Partner:
    """What was settled with the hub of this module."""
    partner = Partner(
        hub=ORIGIN,
        origin=f"{ORIGIN}/fed/1",
        log=(Verifier(f"{ORIGIN}/fed/1", LOG.public),),
        beat=Cosigner(f"{ORIGIN}/beat", BEAT.public),
        op_keys={KEY: OpKey(KEY, OP.public, 1, 0, None)},
        operators=frozenset({OPERATOR}),
        sets=frozenset({SET}),
        here=HERE,
    )
    return replace(partner, **changed)


@dataclass
class PartnerHub:
    """A log and what is in it."""

    keys: LogKeys = field(
        default_factory=lambda: LogKeys(f"{ORIGIN}/fed/1", LOG, f"{ORIGIN}/beat", BEAT)
    )
    frontier: Frontier = field(default_factory=Frontier)
    records: list[Record] = field(default_factory=list)
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def say(self, *operations: Operation, signer: MemorySigner = OP, key_id: str = KEY) -> None:
        """Sign operations and log them."""
        for one in signed(operations, signer, key_id):
            self.log(self.record(one))

    def record(self, one: Signed, **changed: Any) -> Record:
        """The record that the next entry would have."""
        record = Record(
            len(self.records), Kind.OWN, one.said.operation.origin, one.said.id, one.sealed.told
        )
        return replace(record, **changed)

    def log(self, record: Record) -> None:
        """Log whatever it is."""
        self.records.append(record)
        edge = {
            level: self.tiles[level, (self.frontier.size >> 8 * level) // 256]
            for level in range(8)
            if (self.frontier.size >> 8 * level) % 256
        }
        growth = grown(self.frontier, edge, [record.entry(record.id)])
        self.frontier, self.tiles = growth.frontier, {**self.tiles, **growth.tiles}

    def page(self, start: int = 0, end: int | None = None, **changed: Any) -> Page:
        """A page up to now, with a checkpoint."""
        size = changed.pop("size", self.frontier.size)
        end = size if end is None else end
        page = Page(
            start,
            end,
            size,
            tuple(self.records[start:end]),
            (SET,),
            tuple(consistency_proof(end, size, reading(size, self._fetch))),
            self.note(),
        )
        return replace(page, **changed)

    def revokes(self, start: int = 0) -> Page:
        """The revokes from somewhere on."""
        end = len(self.records)
        return Page(start, end, end, tuple(self.records[start:end]), (SET,), is_sparse=True)

    def path(self, index: int) -> tuple[bytes, ...]:
        """That an entry is in the log as it is now."""
        size = self.frontier.size
        return tuple(inclusion_proof(index, size, reading(size, self._fetch)))

    def note(self, now: int = NOW) -> bytes:
        """The checkpoint of now."""
        return checkpoint(self.frontier, self.keys, now).encoded()

    def withhold(self, index: int, reason: Withheld = Withheld.POLICY) -> None:
        """Serve an entry without its operation from now on."""
        self.records[index] = replace(self.records[index], envelope=None, withheld=reason)

    def _fetch(self, wanted: Any) -> list[bytes]:
        assert all(tile.level != ENTRIES for tile in wanted)
        return [self._tile(tile) for tile in wanted]

    def _tile(self, tile: Tile) -> bytes:
        return self.tiles[tile.level, tile.index][: 32 * tile.width]


def statements(count: int, **changed: Any) -> list[Operation]:
    """Operations on so many indicators, all different."""
    return [
        operation(
            Op.ASSERT, target=f"ind_{_letters(index)}", salt=index.to_bytes(16, "big"), **changed
        )
        for index in range(count)
    ]


def _letters(number: int) -> str:
    digits = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(digits[number >> 5 * place & 31] for place in range(26))


def followed(hub: PartnerHub, partner: Partner | None = None, trust: Trust | None = None) -> Trust:
    """What is believed of a hub once everything it serves was accepted."""

    page = hub.page(0 if trust is None else trust.applied)
    return accept(page.encoded(), partner or trusted(), trust or Trust(), NOW).trust
