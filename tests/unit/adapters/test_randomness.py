# SPDX-License-Identifier: Apache-2.0
"""Random bytes: as many as asked for, none twice, not even in a child."""

import os
from itertools import count

from hub.adapters.randomness import POOL_BYTES, RandomPool


def numbered():
    """A source whose every byte stands elsewhere in a long sequence."""
    numbers = count()
    return lambda size: b"".join(next(numbers).to_bytes(4) for _ in range(-(-size // 4)))[:size]


def test_bytes_are_handed_out_once_in_the_order_they_came():
    pool = RandomPool(numbered())

    found = b"".join(pool(12) for _ in range(3 * POOL_BYTES // 12))

    parts = [found[start : start + 12] for start in range(0, len(found), 12)]
    assert len(set(parts)) == len(parts)
    assert {len(part) for part in parts} == {12}


def test_more_than_a_pool_is_given_at_once():
    assert len(RandomPool()(POOL_BYTES + 1)) == POOL_BYTES + 1


def test_source_is_asked_once_for_many():
    asked = []

    def source(size):
        asked.append(size)
        return os.urandom(size)

    pool = RandomPool(source)
    for _ in range(POOL_BYTES // 16):
        pool(16)

    assert asked == [POOL_BYTES]


def test_child_hands_out_other_bytes_than_its_parent():
    pool = RandomPool()
    pool(16)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, pool(16))
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(read, 16) != pool(16)
