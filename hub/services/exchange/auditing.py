# SPDX-License-Identifier: Apache-2.0
"""Verify our own log from its entries up: what was said, what commits to it, what is shown."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from federation.errors import FederationError
from federation.identity.values import HubFile
from federation.log.checkpoints import Checkpoint, opened
from federation.log.merkle import Frontier, leaf_hash, verify_inclusion
from federation.log.notes import Note
from federation.log.tiles import HEIGHT, WIDTH, hash_above
from federation.operations.envelopes import opened as opened_envelope, verified
from federation.operations.leaves import Kind, entry
from federation.operations.payloads import operation_id
from hub.ports import Hub
from hub.ports.exchange import Leaf, OwnLog, Voice
from hub.ports.relays import Place
from hub.services.exchange.partners import log_keys

AT_ONCE = 1_000
FULL = WIDTH * 32  # bytes of a tile
Told = Callable[[int], None]


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        origin: the log's.
        entries: how many were verified.
        purged: how many of them have lost their operation, as they may.
        faults: what is not as it must be, each in a sentence; nothing: all is well.
    """

    origin: str
    entries: int
    purged: int
    faults: tuple[str, ...]


def verify_log(hub: Hub, voice: Voice, known: HubFile, told: Told) -> Audit:
    """Read the whole log and hold everything against everything.

    Args:
        hub: ours.
        voice: by what we speak.
        known: what we say of ourselves: the keys that count.
        told: told how many entries more were verified.
    """
    with hub.begin.reading() as work:
        log = work.logs.open(voice.log.origin)
    auditor = _Auditor(log, known)
    for start in range(0, log.size, AT_ONCE):
        end = min(log.size, start + AT_ONCE)
        with hub.begin.reading() as work:
            leaves = work.logs.entries(log, start, end)
            notes = work.relays.notes(
                {(one.log, one.inclusion.size) for one in leaves if one.inclusion is not None}
            )
            auditor.take(start, end, leaves, notes)
        told(end - start)
    auditor.end()
    for places in _slices(list(auditor.tiles)):
        with hub.begin.reading() as work:
            found = work.logs.tiles(log, places)
        auditor.compare(places, found)
    return auditor.audit()


class _Auditor:
    """Holds entries against what commits to them, as they come."""

    def __init__(self, log: OwnLog, known: HubFile) -> None:
        self._log, self._known = log, known
        self._frontier = Frontier()
        self._levels: list[bytearray] = []
        self._noted: bytes | None = Frontier().root() if log.noted == 0 else None
        self._purged = 0
        self._faults: list[str] = []
        self.tiles: dict[tuple[int, int], bytes] = {}

    def take(self, start: int, end: int, leaves: list[Leaf], notes: Mapping[Place, bytes]) -> None:
        if [one.index for one in leaves] != list(range(start, end)):
            self._faults.append(f"entries {start} to {end - 1} are not all there")
        for leaf in leaves:
            self._check(leaf, notes)
            hashed = leaf_hash(entry(leaf.kind, leaf.id.hex(), leaf.source))
            self._frontier = self._frontier.extended([hashed])
            self._grow(0, hashed)
            if self._frontier.size == self._log.noted:
                self._noted = self._frontier.root()

    def _check(self, leaf: Leaf, notes: Mapping[Place, bytes]) -> None:
        if leaf.sealed is None:
            self._purged += 1
            return
        if operation_id(leaf.sealed.payload) != leaf.id.hex():
            self._faults.append(f"entry {leaf.index} commits to another operation")
            return
        if leaf.kind is Kind.RELAY:
            self._check_relay(leaf, notes)
            return
        key = self._known.op_key(leaf.sealed.key_id)
        if key is None or not key.holds_at(leaf.index):
            self._faults.append(f"entry {leaf.index} is signed by a key that does not hold there")
            return
        try:
            verified(opened_envelope(leaf.sealed.told), key.public, key.id)
        except FederationError:
            self._faults.append(f"entry {leaf.index} is not signed by its key")

    def _check_relay(self, leaf: Leaf, notes: Mapping[Place, bytes]) -> None:
        """Hold what another hub said against the log of that hub, as it was shown to us.

        Whether its keys signed that was asked when it came; by now it may have others.
        """
        inclusion = leaf.inclusion
        note = None if inclusion is None else notes.get((leaf.log, inclusion.size))
        if inclusion is None or note is None:
            self._faults.append(f"entry {leaf.index} has nothing that proves whose it is")
            return
        hashed = leaf_hash(entry(Kind.OWN, leaf.id.hex(), leaf.source))
        try:
            root = Checkpoint.parse(Note.parse(note).text).root
            verify_inclusion(inclusion.index, inclusion.size, hashed, inclusion.path, root)
        except FederationError:
            self._faults.append(f"entry {leaf.index} is not shown to be in its hub's log")

    def _grow(self, level: int, hashed: bytes) -> None:
        """Add a hash to the last tile of a level; what is full stands for itself above."""
        if level == len(self._levels):
            self._levels.append(bytearray())
        data = self._levels[level]
        data += hashed
        if len(data) == FULL:
            self.tiles[level, self._index(level)] = bytes(data)
            self._levels[level] = bytearray()
            self._grow(level + 1, hash_above(bytes(data)))

    def _index(self, level: int) -> int:
        """Of the tile that the last entry is in, or under."""
        return (self._frontier.size - 1 >> HEIGHT * level) // WIDTH

    def end(self) -> None:
        """Hold the roots against what is kept and what is shown."""
        for level, data in enumerate(self._levels):
            if data:
                self.tiles[level, (self._frontier.size >> HEIGHT * level) // WIDTH] = bytes(data)
        if self._frontier != self._log.frontier:
            self._faults.append("the frontier that is kept is not that of the entries")
        if self._log.note is None:
            return
        keys = log_keys(self._known)
        try:
            shown = opened(Note.parse(self._log.note), self._log.origin, keys)
        except FederationError as error:
            self._faults.append(f"the checkpoint that is shown is not ours: {error}")
            return
        if (shown.size, shown.root) != (self._log.noted, self._noted):
            self._faults.append("the checkpoint that is shown is not of these entries")

    def compare(self, places: list[tuple[int, int]], found: list[bytes | None]) -> None:
        """Hold tiles that are kept against those that follow from the entries."""
        for (level, index), data in zip(places, found, strict=True):
            if data != self.tiles[level, index]:
                self._faults.append(f"tile {index} of level {level} is not that of the entries")

    def audit(self) -> Audit:
        return Audit(self._log.origin, self._frontier.size, self._purged, tuple(self._faults))


def _slices(places: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    return (places[at : at + 100] for at in range(0, len(places), 100))
