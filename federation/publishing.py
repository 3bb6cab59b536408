# SPDX-License-Identifier: Apache-2.0
"""From what a hub says to its log: signed operations, entries, tiles, a checkpoint.

Everything here takes values and returns values; the hub keeps them together, in one commit, and
lets the checkpoint out only afterwards.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from federation.keys import Signer
from federation.log.checkpoints import Checkpoint
from federation.log.cosignatures import cosign
from federation.log.merkle import Frontier, leaf_hash
from federation.log.notes import Note
from federation.log.tiles import WIDTH, hash_above
from federation.operations.envelopes import Sealed, sealed
from federation.operations.payloads import Written, write
from federation.operations.values import Operation

Place = tuple[int, int]
"""A tile of hashes: its level, and its index on it."""


@dataclass(frozen=True)
class Signed:
    """An operation that its hub has signed."""

    said: Written
    sealed: Sealed


@dataclass(frozen=True)
class Growth:
    """What a log gets as it grows.

    Attributes:
        frontier: of all its entries.
        tiles: bytes of each tile that changed, full or not.
    """

    frontier: Frontier
    tiles: Mapping[Place, bytes]


@dataclass(frozen=True)
class LogKeys:
    """By what a hub speaks for its log.

    Attributes:
        origin: the log's name.
        log: signs checkpoints.
        beat_name: of the key that says the hub is alive.
        beat: that key, which signs nothing but cosignatures.
    """

    origin: str
    log: Signer
    beat_name: str
    beat: Signer


def signed(operations: Iterable[Operation], signer: Signer, key_id: str) -> list[Signed]:
    """Write and sign operations.

    Raises:
        MalformedError: One of them cannot be said.
    """
    written = (write(one) for one in operations)
    return [Signed(one, sealed(one.payload, signer, key_id)) for one in written]


def grown(frontier: Frontier, edge: Mapping[int, bytes], entries: Sequence[bytes]) -> Growth:
    """Append entries to a log.

    Args:
        frontier: before them.
        edge: the bytes of the last tile of each level, where that is not full.
        entries: at least one.
    """
    hashes = [leaf_hash(one) for one in entries]
    tiles: dict[Place, bytes] = {}
    level, start = 0, frontier.size
    fresh = b"".join(hashes)
    while fresh:
        fresh, start = _level_grown(level, start, edge.get(level, b""), fresh, tiles)
        level += 1
    return Growth(frontier.extended(hashes), tiles)


def _level_grown(
    level: int, start: int, last: bytes, fresh: bytes, tiles: dict[Place, bytes]
) -> tuple[bytes, int]:
    """Add hashes to one level; returns those that stand for its new full tiles, and where."""
    full = WIDTH * 32
    index, data, above = start // WIDTH, last + fresh, []
    first = index
    while data:
        tile, data = data[:full], data[full:]
        tiles[level, index] = tile
        if len(tile) == full:
            above.append(hash_above(tile))
        index += 1
    return b"".join(above), first


def checkpoint(frontier: Frontier, keys: LogKeys, now: int) -> Note:
    """Sign what a log is now, and that its hub is alive.

    Args:
        frontier: of a log that is kept already: a checkpoint leaves after the commit that holds
            its tree.
        keys: the hub's.
        now: seconds since 1970.
    """
    note = Checkpoint(keys.origin, frontier.size, frontier.root()).signed(keys.log)
    return alive(note, keys, now)


def alive(note: Note, keys: LogKeys, now: int) -> Note:
    """Say again, later, that this is still what the log is."""
    beat = cosign(note.text, keys.beat_name, keys.beat, now)
    others = [one for one in note.signatures if one.name != keys.beat_name]
    return Note(note.text, ()).with_signatures((*others, beat))
