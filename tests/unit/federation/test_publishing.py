# SPDX-License-Identifier: Apache-2.0
"""A log that grows bit by bit has the tiles that it would have had at once."""

from hypothesis import given, strategies as st

from federation.log.checkpoints import opened
from federation.log.cosignatures import Cosigner, times
from federation.log.merkle import Frontier, leaf_hash
from federation.log.tiles import WIDTH, hash_above
from federation.log.verifiers import Verifier
from federation.publishing import LogKeys, alive, checkpoint, grown
from tests.simulators.partner import BEAT, LOG

KEYS = LogKeys("hub-a.example/fed/1", LOG, "hub-a.example/beat", BEAT)


def level(hashes):
    return [b"".join(hashes[at : at + WIDTH]) for at in range(0, len(hashes), WIDTH)]


def whole(entries: list[bytes]) -> dict[tuple[int, int], bytes]:
    """Every tile of a log, made the slow way."""
    tiles: dict[tuple[int, int], bytes] = {}
    hashes, height = [leaf_hash(one) for one in entries], 0
    while hashes:
        made = level(hashes)
        tiles |= {(height, index): data for index, data in enumerate(made)}
        hashes = [hash_above(data) for data in made if len(data) == 32 * WIDTH]
        height += 1
    return tiles


def edge_of(tiles, size):
    return {
        height: tiles[height, (size >> 8 * height) // WIDTH]
        for height in range(8)
        if (size >> 8 * height) % WIDTH
    }


@given(st.lists(st.sampled_from([1, 2, 7, 100, 255, 256, 257, 600, 1000]), max_size=8))
def test_grown_bit_by_bit(steps):
    entries = [b"%d" % index for index in range(sum(steps))]
    frontier, at = Frontier(), 0
    tiles: dict[tuple[int, int], bytes] = {}
    for count in steps:
        growth = grown(frontier, edge_of(tiles, at), entries[at : at + count])
        frontier, tiles, at = growth.frontier, {**tiles, **growth.tiles}, at + count

    assert tiles == whole(entries)
    assert frontier == Frontier().extended(leaf_hash(one) for one in entries)


def test_grown_past_a_tile_of_tiles():
    entries = [b"%d" % index for index in range(WIDTH * WIDTH + 3)]
    first = grown(Frontier(), {}, entries[:-4])
    rest = grown(first.frontier, edge_of(first.tiles, len(entries) - 4), entries[-4:])

    assert {**first.tiles, **rest.tiles} == whole(entries)


def test_a_checkpoint_says_what_the_log_is_and_that_its_hub_is_alive():
    frontier = grown(Frontier(), {}, [b"a", b"b"]).frontier
    beat = Cosigner(KEYS.beat_name, BEAT.public)

    note = checkpoint(frontier, KEYS, 1_000)
    later = alive(note, KEYS, 2_000)

    for one, time in ((note, 1_000), (later, 2_000)):
        said = opened(one, KEYS.origin, [Verifier(KEYS.origin, LOG.public)])
        assert (said.size, said.root) == (2, frontier.root())
        assert times(one, [beat]) == {beat: time}
        assert len(one.signatures) == 2
