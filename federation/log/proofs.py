# SPDX-License-Identifier: Apache-2.0
"""Build the proofs that ``merkle`` verifies, from hashes that somebody stored.

A proof is a list of ranges of entries, each hashed to one value. A range is made of few full
subtrees; the hashes of all of them are asked for at once.
"""

from collections.abc import Callable, Iterator, Sequence

from federation.errors import Alarm, RefusedError
from federation.log.merkle import folded

Node = tuple[int, int]
"""A full subtree: over the 2**level entries from index * 2**level."""

Read = Callable[[Sequence[Node]], Sequence[bytes]]
"""Hashes of full subtrees, in the order they are asked for."""

Range = tuple[int, int]
"""Entries from the first up to, not including, the last."""


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """Prove that an entry is in the tree of the first *size*: RFC 6962, section 2.1.1.

    Raises:
        RefusedError: NOT_IN_LOG: there is no such entry.
    """
    return _hashed(inclusion_ranges(index, size), read)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges of entries whose hashes prove that one is in a tree, the nearest first.

    Raises:
        RefusedError: NOT_IN_LOG: there is no such entry.
    """
    if not 0 <= index < size:
        raise RefusedError(Alarm.NOT_IN_LOG, "the log has no entry there yet")
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = middle_of(start, end)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_proof(old: int, new: int, read: Read) -> list[bytes]:
    """Prove that the tree of *new* entries continues that of *old*: RFC 6962, section 2.1.2.

    Raises:
        RefusedError: ROLLBACK: it had more.
    """
    return _hashed(consistency_ranges(old, new), read)


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges of entries whose hashes prove that one tree continues another.

    Raises:
        RefusedError: ROLLBACK: it had more.
    """
    if not 0 <= old <= new:
        raise RefusedError(Alarm.ROLLBACK, "the log had more entries")
    if old in {0, new}:
        return []
    ranges, start, end = [], 0, new
    while end != old:
        middle = middle_of(start, end)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # A verifier knows the old root; it need not be told unless there is more to the old tree.
    if start:
        ranges.append((start, end))
    return ranges[::-1]


def full_subtrees(start: int, end: int) -> Iterator[Node]:
    """Full subtrees, the largest first, of a range that starts at a multiple of its size."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def middle_of(start: int, end: int) -> int:
    """Where a range's left subtree ends: the largest power of two below its size."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _hashed(ranges: Sequence[Range], read: Read) -> list[bytes]:
    parts = [list(full_subtrees(*each)) for each in ranges]
    hashes = iter(read([node for nodes in parts for node in nodes]))
    return [folded([next(hashes) for _ in nodes]) for nodes in parts]
