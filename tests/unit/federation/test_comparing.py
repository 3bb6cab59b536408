# SPDX-License-Identifier: Apache-2.0
"""What two hubs were shown of one log, held against each other: proof, doubt, or nothing."""

import base64

import pytest

from federation.comparing import Shown, compare
from federation.errors import Alarm, RefusedError, TransportError
from federation.keys import MemorySigner
from federation.log.merkle import Frontier, leaf_hash, verify_consistency
from federation.log.tiles import full_tiles, hash_above, partial_tiles
from federation.log.verifiers import Verifier
from federation.publishing import LogKeys, checkpoint
from tests.simulators.statements import NOW

ORIGIN = "hub-a.example/fed/1"
LOG, BEAT = MemorySigner(b"\1" * 32), MemorySigner(b"\2" * 32)
KEYS = (Verifier(ORIGIN, LOG.public),)
SIZES = (1, 2, 3, 255, 256, 257, 512, 700)


def entries(size, *, lie=None):
    """Entries of a log; in a lie one of them is another."""
    return [b"lie" if at == lie else b"entry %d" % at for at in range(size)]


def shown(some):
    frontier = Frontier().extended(map(leaf_hash, some))
    note = checkpoint(frontier, LogKeys(ORIGIN, LOG, "hub-a.example/w", BEAT), NOW).encoded()
    return Shown.of(note, ORIGIN, KEYS)


def serving(some):
    """Answers with the tiles of a log, as wide as they are asked for."""
    hashes = [leaf_hash(one) for one in some]
    levels = [hashes]
    while len(levels[-1]) >= 256:
        below = levels[-1]
        levels.append([hash_above(b"".join(below[at : at + 256]))
                       for at in range(0, len(below) // 256 * 256, 256)])  # fmt: skip

    def fetch(wanted):
        return [
            b"".join(levels[tile.level][tile.index * 256 : tile.index * 256 + tile.width])
            for tile in wanted
        ]

    return fetch


def nobody(_wanted):
    raise AssertionError("nobody need be asked")


def refused(one, other, fetch):
    with pytest.raises(RefusedError) as told:
        compare(one, other, fetch)
    return told.value


@pytest.mark.parametrize("old", SIZES)
@pytest.mark.parametrize("new", SIZES)
def test_one_history_is_one_whatever_was_shown_first(old, new):
    if old > new:
        old, new = new, old
    one, other = shown(entries(old)), shown(entries(new))

    compare(one, other, serving(entries(new)) if old < new else nobody)
    compare(other, one, serving(entries(new)) if old < new else nobody)


def test_nothing_contradicts_an_empty_log():
    compare(shown([]), shown(entries(5)), nobody)


def test_two_hashes_at_one_size_are_proof():
    one, other = shown(entries(5)), shown(entries(5, lie=2))

    error = refused(one, other, nobody)

    assert error.alarm is Alarm.SPLIT_VIEW
    assert set(error.evidence) == {one.note, other.note}


@pytest.mark.parametrize("old", [one for one in SIZES if one < 700])
def test_two_histories_of_two_sizes_are_proof_to_anybody(old):
    small, large = shown(entries(old, lie=old // 2)), shown(entries(700))

    error = refused(large, small, serving(entries(700)))

    assert error.alarm is Alarm.SPLIT_VIEW
    first, second, third = error.evidence
    assert (first, second) == (small.note, large.note)
    # Whoever has the evidence needs nothing else: what the larger was is not what was shown.
    root, *proof = map(base64.b64decode, third.splitlines())
    verify_consistency(old, root, 700, large.root, proof)
    assert root != small.root


@pytest.mark.parametrize("fetch", [
    serving(entries(300)),
    lambda wanted: [b"" for _ in wanted],
    lambda wanted: [bytes(32 * tile.width) for tile in wanted],
], ids=["another-log", "nothing", "zeros"])  # fmt: skip
def test_hashes_that_nobody_signed_prove_nothing(fetch):
    small, large = shown(entries(200)), shown(entries(300, lie=250))

    error = refused(small, large, fetch)

    assert (error.alarm, error.evidence) == (Alarm.GAP, ())


def test_who_does_not_answer_is_no_liar():
    def away(_wanted):
        raise TransportError("it is away")

    with pytest.raises(TransportError):
        compare(shown(entries(200)), shown(entries(300)), away)


def test_tiles_are_those_of_the_larger_log_and_few():
    asked = []
    fetch = serving(entries(700))

    def counting(wanted):
        asked.extend(wanted)
        return fetch(wanted)

    compare(shown(entries(257)), shown(entries(700)), counting)

    assert set(asked) <= {*full_tiles(0, 700), *partial_tiles(700)}
    assert len(set(asked)) <= 4
