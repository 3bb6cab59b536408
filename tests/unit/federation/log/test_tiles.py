# SPDX-License-Identifier: Apache-2.0
"""Tiles lie where C2SP says, hold what it says, and any other path is nobody's."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from federation.errors import MalformedError
from federation.log.bundles import MAX_ENTRY, bundled, entries_of
from federation.log.merkle import Frontier, leaf_hash, verify_consistency, verify_inclusion
from federation.log.proofs import consistency_proof, inclusion_proof
from federation.log.tiles import (
    ENTRIES,
    MAX_LEVEL,
    Tile,
    full_tiles,
    hash_above,
    hashes_of,
    new_tiles,
    partial_tiles,
    reading,
    tiles_of,
)

SIZE = 70_000  # three levels; the example of the specification
LEAVES = [leaf_hash(b"%d" % number) for number in range(SIZE)]


def files(size):
    """Every tile of a log, by its path, each made of the level below."""
    made = {}
    for tile in [*full_tiles(0, size), *partial_tiles(size)]:
        if tile.level == 0:
            made[tile] = b"".join(LEAVES[at] for _, at in tile.nodes)
        elif tile.level > 0:
            below = [Tile(tile.level - 1, at) for _, at in tile.nodes]
            made[tile] = b"".join(hash_above(made[one]) for one in below)
    return made


FILES = files(SIZE)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999, 7), "tile/0/999.p/7"),
        (Tile(1, 1_000), "tile/1/x001/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(ENTRIES, 1_234_067, 255), "tile/entries/x001/x234/067.p/255"),
        (Tile(7, 0, 127), "tile/7/000.p/127"),
    ],
)
def test_a_tile_has_one_path(tile, path):
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile//000",
        "tile/00/000",
        "tile/-1/000",
        "tile/8/000",
        "tile/64/000",
        "tile/7/000",
        "tile/Entries/000",
        "tile/data/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/x000/x001/000",
        "tile/0/001/000",
        "tile/0/X001/000",
        "tile/0/x001/x000",
        "tile/0/x1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/00",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/-1",
        "tile/0/000.P/1",
        "tile/0/../000",
        "tile/0/%30%30%30",
        "tile/0/\N{ARABIC-INDIC DIGIT ZERO}00",
        "tile/0/x001" * 9,
        "tile/0/" + "x001/" * 6 + "001",
        "tile/0/" + "x001/" * 1000 + "001",
        "checkpoint",
    ],
)
def test_any_other_path_is_nobodys(path):
    with pytest.raises(MalformedError):
        Tile.parse(path)


@given(st.integers(ENTRIES, MAX_LEVEL), st.integers(0, 2**30), st.integers(1, 256))
def test_what_has_a_path_is_found_there(level, index, width):
    try:
        tile = Tile(level, index, width)
    except MalformedError:
        return
    assert Tile.parse(tile.path) == tile


def test_a_log_has_the_tiles_that_the_specification_counts():
    tiles = list(tiles_of(SIZE))

    levels = [[tile for tile in tiles if tile.level == level] for level in range(3)]
    assert levels[0] == [*(Tile(0, at) for at in range(273)), Tile(0, 273, 112)]
    assert levels[1] == [Tile(1, 0), Tile(1, 1, 17)]
    assert levels[2] == [Tile(2, 0, 1)]
    assert len(tiles) == 2 * 274 + 3
    assert list(tiles_of(256)) == [Tile(ENTRIES, 0), Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.lists(st.integers(0, 200_000), min_size=2, max_size=6).map(sorted))
def test_a_log_that_grows_gets_each_full_tile_once(sizes):
    grown = [tile for old, new in pairwise(sizes) for tile in full_tiles(old, new)]

    assert len(set(grown)) == len(grown)
    assert {*full_tiles(0, sizes[0]), *grown} == set(full_tiles(0, sizes[-1]))
    assert list(new_tiles(sizes[0], sizes[0])) == []


@given(st.integers(1, SIZE), st.data())
def test_tiles_prove_whatever_their_log_could(size, data):
    index = data.draw(st.integers(0, size - 1))
    fetched = []

    def fetch(tiles):
        fetched.extend(tiles)
        # A partial tile is the beginning of what filled up later.
        return [b"".join(_hashes(tile)) for tile in tiles]

    read = reading(size, fetch)
    whole, part = (Frontier().extended(LEAVES[:end]).root() for end in (size, index + 1))

    verify_inclusion(index, size, LEAVES[index], inclusion_proof(index, size, read), whole)
    verify_consistency(index + 1, part, size, whole, consistency_proof(index + 1, size, read))
    assert set(fetched) <= set(tiles_of(size))


def _hashes(tile):
    home = next(one for one in FILES if (one.level, one.index) == (tile.level, tile.index))
    return hashes_of(home, FILES[home])[: tile.width]


def test_a_tile_of_another_size_than_its_path_says_is_refused():
    read = reading(3, lambda tiles: [bytes(64) for _ in tiles])

    with pytest.raises(MalformedError):
        read([(0, 2)])


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_a_bundle_holds_its_entries(entries):
    tile = Tile(ENTRIES, 3, len(entries))

    assert entries_of(tile, bundled(entries)) == entries


@given(st.lists(st.binary(max_size=9), min_size=2, max_size=9), st.data())
def test_a_bundle_that_was_cut_or_is_anothers_is_refused(entries, data):
    whole = bundled(entries)
    cut = data.draw(st.integers(0, len(whole) - 1))

    for tile, written in [
        (Tile(ENTRIES, 0, len(entries)), whole[:cut]),
        (Tile(ENTRIES, 0, len(entries)), whole + b"\0"),
        (Tile(ENTRIES, 0, len(entries)), whole + b"\0\0"),
        (Tile(ENTRIES, 0, len(entries) - 1), whole),
    ]:
        with pytest.raises(MalformedError):
            entries_of(tile, written)


def test_an_entry_is_as_long_as_two_bytes_can_say():
    assert len(bundled([bytes(MAX_ENTRY)])) == 2 + MAX_ENTRY

    with pytest.raises(MalformedError):
        bundled([bytes(MAX_ENTRY + 1)])
