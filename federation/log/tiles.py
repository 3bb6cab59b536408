# SPDX-License-Identifier: Apache-2.0
"""How a log lies on disk and behind HTTP: hashes and entries, 256 to a file that never changes.

On level 0 a tile holds the hashes of entries, on each level above those of full tiles below. The
last tile of a level may be partial: it has its width in its path, so it never changes either.
https://c2sp.org/tlog-tiles
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from federation.errors import Alarm, MalformedError
from federation.log.merkle import HASH_BYTES, MAX_SIZE, Frontier, split
from federation.log.proofs import Node, Read

HEIGHT = 8  # levels of the tree in a tile
WIDTH = 1 << HEIGHT
ENTRIES = -1  # the level of bundles of entries: below the hashes of entries
MAX_LEVEL = MAX_SIZE.bit_length() // HEIGHT
_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9])/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Tile:
    """Where one file is.

    Args:
        level: 0 to MAX_LEVEL, or ENTRIES.
        index: from 0, along the level.
        width: hashes, or entries, in it.

    Raises:
        MalformedError: No log has such a tile.
    """

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if (
            not ENTRIES <= self.level <= MAX_LEVEL
            or not 1 <= self.width <= WIDTH
            or self.index < 0
            or self._end > MAX_SIZE
        ):
            raise MalformedError("no log has such a tile")

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """Read a path, which has no slash before it.

        Raises:
            MalformedError: It is not the one path of a tile.
        """
        found = _PATH.fullmatch(path)
        if found is None:
            raise MalformedError("not the path of a tile")
        level = ENTRIES if found["level"] == "entries" else int(found["level"])
        index = int(re.sub("[x/]", "", found["index"]))
        tile = cls(level, index, int(found["width"] or WIDTH))
        if tile.path != path:
            raise MalformedError("a path that could be written otherwise", Alarm.NON_CANONICAL)
        return tile

    @property
    def path(self) -> str:
        """Where it is, under a log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        index, last = divmod(self.index, 1000)
        parts = [f"{last:03}"]
        while index:
            index, part = divmod(index, 1000)
            parts.insert(0, f"x{part:03}")
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(parts)}{partial}"

    @property
    def nodes(self) -> list[Node]:
        """What its hashes are hashes of; those of a bundle's entries."""
        first = self.index * WIDTH
        return [(HEIGHT * max(self.level, 0), first + at) for at in range(self.width)]

    @property
    def _end(self) -> int:
        """Entries that a log has at least which has this tile."""
        return self.index * WIDTH + self.width << HEIGHT * max(self.level, 0)


def tiles_of(size: int) -> Iterator[Tile]:
    """All tiles and bundles of a log of some size."""
    return new_tiles(0, size)


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """Tiles and bundles that a log gets as it grows: those that fill up, then the partial ones."""
    yield from full_tiles(old, new)
    yield from (tile for tile in partial_tiles(new) if old < new)


def full_tiles(old: int, new: int) -> Iterator[Tile]:
    """Tiles and bundles that fill up as a log grows, each after what it is made of."""
    for level in range(ENTRIES, MAX_LEVEL + 1):
        shift = HEIGHT * (max(level, 0) + 1)
        yield from (Tile(level, index) for index in range(old >> shift, new >> shift))


def partial_tiles(size: int) -> Iterator[Tile]:
    """Tiles and bundles that are not full in a log of some size; at most one a level."""
    for level in range(ENTRIES, MAX_LEVEL + 1):
        hashes = size >> HEIGHT * max(level, 0)
        if width := hashes % WIDTH:
            yield Tile(level, hashes // WIDTH, width)


def hashes_of(tile: Tile, data: bytes) -> list[bytes]:
    """Cut a tile's bytes into its hashes.

    Raises:
        MalformedError: They are fewer, or more.
    """
    if len(data) != tile.width * HASH_BYTES:
        raise MalformedError("a tile has another size than its path says")
    return split(data)


def hash_above(data: bytes) -> bytes:
    """Hash that stands for a full tile on the level above."""
    return Frontier().extended(split(data)).root()


def reading(size: int, fetch: Callable[[Sequence[Tile]], Sequence[bytes]]) -> Read:
    """Read hashes of full subtrees, for proofs, from the tiles of a log of some size.

    Args:
        size: entries in the log.
        fetch: the bytes of tiles, in the order they are asked for; each is asked for once.
    """

    def read(nodes: Sequence[Node]) -> list[bytes]:
        homes = [_home(node, size) for node in nodes]
        wanted = list(dict.fromkeys(tile for tile, _ in homes))
        got = dict(zip(wanted, fetch(wanted), strict=True))
        hashes = {tile: hashes_of(tile, data) for tile, data in got.items()}
        return [Frontier().extended(hashes[tile][part]).root() for tile, part in homes]

    return read


def _home(node: Node, size: int) -> tuple[Tile, slice]:
    """Tile a subtree is in, and which of its hashes are the subtree's."""
    level, within = divmod(node[0], HEIGHT)
    first = node[1] << within
    index, start = divmod(first, WIDTH)
    width = min(WIDTH, (size >> HEIGHT * level) - index * WIDTH)
    return Tile(level, index, width), slice(start, start + (1 << within))
