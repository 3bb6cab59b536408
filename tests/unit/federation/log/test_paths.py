# SPDX-License-Identifier: Apache-2.0
"""Whoever follows a log can prove what is in it, without a tile of it."""

import random

import pytest

from federation.log.merkle import Frontier, leaf_hash, verify_inclusion
from federation.log.paths import Paths
from federation.log.proofs import consistency_proof, inclusion_proof

HASHES = [leaf_hash(bytes([one & 255, one >> 8])) for one in range(400)]


def read(nodes):
    return [
        Frontier().extended(HASHES[index << level : (index + 1) << level]).root()
        for level, index in nodes
    ]


@pytest.mark.parametrize("seed", range(40))
def test_paths_of_a_page_are_those_that_its_log_would_give(seed):
    chance = random.Random(seed)  # noqa: S311 - no secret
    start, end, size = sorted(chance.randrange(0, 400) for _ in range(3))
    end, size = max(end, start + 1), max(size, start + 1, end)
    paths = Paths(
        Frontier().extended(HASHES[:start]),
        HASHES[start:end],
        size,
        consistency_proof(end, size, read),
    )

    root = Frontier().extended(HASHES[:size]).root()
    for index in range(start, end):
        assert list(paths.of(index)) == inclusion_proof(index, size, read)
        verify_inclusion(index, size, HASHES[index], paths.of(index), root)
