# SPDX-License-Identifier: Apache-2.0
"""The tree agrees with RFC 6962 written word for word, and believes nothing else."""

import pytest
from hypothesis import given, strategies as st

from federation.errors import Alarm, MalformedError, RefusedError
from federation.log.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    Frontier,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from federation.log.proofs import consistency_proof, full_subtrees, inclusion_proof
from tests.support import rfc6962

MOST = 70  # entries: past a power of two, and quick for the slow tree
ENTRIES = [b"entry %d" % number for number in range(MOST)]
ROOTS = [rfc6962.root(ENTRIES[:size]) for size in range(MOST + 1)]
READ = rfc6962.reading(ENTRIES)
LEAVES = [leaf_hash(entry) for entry in ENTRIES]

sizes = st.integers(1, MOST)
# What may be done to a list of hashes that makes another list of it.
changes = st.sampled_from(["flip", "drop", "double", "append", "swap", "empty"])


def changed(hashes, how, at):
    hashes = list(hashes)
    at = at % len(hashes) if hashes else 0
    if how == "append" or not hashes:
        return [*hashes, bytes(32)]
    if how == "flip":
        hashes[at] = bytes([hashes[at][0] ^ 1]) + hashes[at][1:]
    elif how == "drop":
        del hashes[at]
    elif how == "double":
        hashes.insert(at, hashes[at])
    elif how == "swap" and len(hashes) > 1:
        hashes[at], hashes[at - 1] = hashes[at - 1], hashes[at]
    else:
        hashes = []
    return hashes


def inclusion(index, size):
    return inclusion_proof(index, size, READ)


def consistency(old, new):
    return consistency_proof(old, new, READ)


def test_a_frontier_has_the_roots_of_every_size():
    frontiers = [Frontier()]
    for leaf in LEAVES:
        frontiers.append(frontiers[-1].extended([leaf]))

    assert [frontier.root() for frontier in frontiers] == ROOTS
    assert [frontier.size for frontier in frontiers] == list(range(MOST + 1))


@given(st.integers(0, MOST), st.integers(0, MOST))
def test_it_does_not_matter_in_how_many_steps_a_log_grows(one, other):
    at, end = sorted((one, other))

    stepwise = Frontier().extended(LEAVES[:at]).extended(LEAVES[at:end])

    assert stepwise == Frontier().extended(LEAVES[:end])
    assert Frontier.parse(stepwise.encoded()) == stepwise


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(7),
        bytes(8) + bytes(32),
        (1).to_bytes(8, "big"),
        (1).to_bytes(8, "big") + bytes(31),
        (1).to_bytes(8, "big") + bytes(33),
        (3).to_bytes(8, "big") + bytes(32),
        (2**63).to_bytes(8, "big") + bytes(32),
    ],
)
def test_a_frontier_is_read_as_it_was_written_or_not_at_all(data):
    with pytest.raises(MalformedError):
        Frontier.parse(data)


def test_the_largest_frontier_fits_where_it_is_stored():
    largest = Frontier(MAX_SIZE, (bytes(32),) * 63)

    assert len(largest.encoded()) == 2024
    assert Frontier.parse(largest.encoded()) == largest
    with pytest.raises(MalformedError):
        largest.extended([bytes(32)])


@given(sizes, st.data())
def test_every_entry_is_proven_as_the_standard_says(size, data):
    index = data.draw(st.integers(0, size - 1))

    proof = inclusion(index, size)

    assert proof == rfc6962.path(index, ENTRIES[:size])
    verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@given(sizes, st.data())
def test_every_growth_is_proven_as_the_standard_says(new, data):
    old = data.draw(st.integers(1, new))

    proof = consistency(old, new)

    assert proof == rfc6962.proof(old, ENTRIES[:new])
    verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)


@given(sizes, st.data(), changes, st.integers(0, 9))
def test_a_changed_path_leads_nowhere(size, data, how, at):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion(index, size)
    other = changed(proof, how, at)

    if other != proof:
        with pytest.raises(RefusedError) as refused:
            verify_inclusion(index, size, LEAVES[index], other, ROOTS[size])
        assert refused.value.alarm == Alarm.NOT_IN_LOG


@given(sizes, st.data())
def test_a_path_is_for_one_place_one_entry_and_one_root(size, data):
    index = data.draw(st.integers(0, size - 1))
    elsewhere = data.draw(st.integers(-1, MOST - 1).filter(lambda place: place != index))
    other = data.draw(st.sampled_from(LEAVES).filter(lambda leaf: leaf != LEAVES[index]))
    proof = inclusion(index, size)

    for place, leaf, root in [
        (elsewhere, LEAVES[index], ROOTS[size]),
        (index, other, ROOTS[size]),
        (index, LEAVES[index], ROOTS[size - 1]),
    ]:
        with pytest.raises(RefusedError):
            verify_inclusion(place, size, leaf, proof, root)


def test_a_path_is_as_long_as_the_way_though_the_hashes_fit():
    left, right = LEAVES[:2]
    both = node_hash(left, right)

    for index, size, leaf, path in [
        (0, 2, both, []),
        (0, 4, both, [ROOTS[2]]),
        (0, 1, right, [left]),
        (1, 2, right, [left, ROOTS[2]]),
    ]:
        root = leaf
        for beside in path:
            root = node_hash(beside, root)
        with pytest.raises(RefusedError) as refused:
            verify_inclusion(index, size, leaf, path, root)
        assert refused.value.alarm == Alarm.NOT_IN_LOG


@given(sizes, st.data(), changes, st.integers(0, 9))
def test_a_changed_proof_of_growth_is_refused(new, data, how, at):
    old = data.draw(st.integers(0, new))
    proof = consistency(old, new)
    other = changed(proof, how, at)

    if other != proof:
        with pytest.raises(RefusedError) as refused:
            verify_consistency(old, ROOTS[old], new, ROOTS[new], other)
        assert refused.value.alarm == Alarm.FORK


@given(sizes, st.data())
def test_a_log_that_changed_an_entry_cannot_prove_that_it_did_not(new, data):
    old = data.draw(st.integers(1, new))
    at = data.draw(st.integers(0, old - 1))
    rewritten = [*ENTRIES[:at], b"another", *ENTRIES[at + 1 : new]]
    root = rfc6962.root(rewritten)

    with pytest.raises(RefusedError) as refused:
        verify_consistency(old, ROOTS[old], new, root, rfc6962.proof(old, rewritten))

    assert refused.value.alarm == Alarm.FORK


@given(sizes, st.data())
def test_a_log_does_not_shrink(old, data):
    new = data.draw(st.integers(0, old - 1))

    with pytest.raises(RefusedError) as refused:
        verify_consistency(old, ROOTS[old], new, ROOTS[new], [])

    assert refused.value.alarm == Alarm.ROLLBACK
    with pytest.raises(RefusedError):
        consistency(old, new)


def test_everything_grows_from_the_empty_log_and_only_from_that():
    verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], [])
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])

    for old_root, new, new_root in [
        (ROOTS[1], 5, ROOTS[5]),
        (ROOTS[1], 0, ROOTS[1]),
        (EMPTY_ROOT, 0, ROOTS[1]),
    ]:
        with pytest.raises(RefusedError) as refused:
            verify_consistency(0, old_root, new, new_root, [])
        assert refused.value.alarm == Alarm.FORK


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_what_is_no_hash_is_not_hashed(length):
    for leaf, path, root in [
        (bytes(length), [], ROOTS[1]),
        (LEAVES[0], [bytes(length)], ROOTS[1]),
        (LEAVES[0], [], bytes(length)),
    ]:
        with pytest.raises(MalformedError):
            verify_inclusion(0, 1, leaf, path, root)
    with pytest.raises(MalformedError):
        verify_consistency(1, ROOTS[1], 2, ROOTS[2], [bytes(length)])


@given(st.integers(1, MAX_SIZE), st.data())
def test_a_proof_asks_once_for_few_hashes(size, data):
    index = data.draw(st.integers(0, size - 1))
    asked = []

    def read(nodes):
        asked.append(nodes)
        return [bytes(32)] * len(nodes)

    inclusion_proof(index, size, read)
    consistency_proof(index, size, read)

    assert all(len(nodes) <= 2 * size.bit_length() for nodes in asked)
    assert len(asked) <= 2
    # Only what is stored: full subtrees, all of whose entries are in the log.
    assert all((at + 1) << level <= size for nodes in asked for level, at in nodes)


def test_no_entry_is_proven_that_the_log_does_not_have():
    for index in (-1, 5):
        with pytest.raises(RefusedError) as refused:
            inclusion(index, 5)
        assert refused.value.alarm == Alarm.NOT_IN_LOG


def test_full_subtrees_are_the_bits_of_a_size():
    assert list(full_subtrees(0, 13)) == [(3, 0), (2, 2), (0, 12)]
    assert list(full_subtrees(8, 13)) == [(2, 2), (0, 12)]
