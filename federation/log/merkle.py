# SPDX-License-Identifier: Apache-2.0
"""The tree over a log's entries: its root, and proofs of what is in it and how it grew.

Hashes are those of RFC 6962, section 2.1, verification that of RFC 9162, sections 2.1.3.2 and
2.1.4.2. A :class:`Frontier` is all that somebody who follows a log from its start must keep.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from federation.errors import Alarm, MalformedError, RefusedError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
MAX_SIZE = 2**63 - 1  # entries
_SIZE_BYTES = 8


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into the one above them."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """What must be kept of a tree to let it grow and to know its root.

    Args:
        size: entries in the tree.
        hashes: roots of the full subtrees it is made of, the largest and oldest first: one for
            each bit that is set in *size*.

    Raises:
        MalformedError: There are more or fewer hashes, or one is no hash.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.hashes) != self.size.bit_count():
            raise MalformedError("a frontier has one hash for each full subtree")
        _check_hashes(self.hashes)

    @classmethod
    def parse(cls, data: bytes) -> "Frontier":
        """Read what :meth:`encoded` wrote.

        Raises:
            MalformedError: It did not write that.
        """
        if len(data) < _SIZE_BYTES:
            raise MalformedError("a frontier begins with its size")
        size, hashes = data[:_SIZE_BYTES], data[_SIZE_BYTES:]
        return cls(int.from_bytes(size, "big"), tuple(split(hashes)))

    def encoded(self) -> bytes:
        """Write it to be stored: its size in 8 bytes, then its hashes; at most 2,024 bytes."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.hashes)

    def extended(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """Append entries, by their hashes."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaf_hashes:
            size, node = size + 1, leaf
            # As many full subtrees end here as the new size has zeros at its end.
            for _ in range((size & -size).bit_length() - 1):
                node = node_hash(hashes.pop(), node)
            hashes.append(node)
        return Frontier(size, tuple(hashes))

    def root(self) -> bytes:
        """Hash of the whole tree."""
        return folded(self.hashes) if self.hashes else EMPTY_ROOT


def folded(hashes: Sequence[bytes]) -> bytes:
    """Root over neighbouring full subtrees, each smaller than the one before."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def split(data: bytes) -> list[bytes]:
    """Cut hashes that stand one after the other.

    Raises:
        MalformedError: The last one is not whole.
    """
    if len(data) % HASH_BYTES:
        raise MalformedError("a hash has 32 bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Believe that an entry is in a tree, or raise.

    Args:
        index: where it should be, from 0.
        size: entries in the tree.
        leaf: its hash: see :func:`leaf_hash`.
        path: hashes of the subtrees beside its way to the root, the nearest first.
        root: hash of the tree.

    Raises:
        MalformedError: Something that should be a hash is none.
        RefusedError: NOT_IN_LOG: it is not there.
    """
    _check_hashes((leaf, root, *path))
    if not 0 <= index < size or _climbed(index, size - 1, leaf, path)[1] != root:
        raise RefusedError(Alarm.NOT_IN_LOG, "the proof does not lead from the entry to the root")


def verify_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Believe that a tree was only appended to, or raise.

    Args:
        old: entries it had.
        old_root: hash that it had.
        new: entries it has.
        new_root: hash that it has.
        proof: hashes of subtrees; none if *old* is 0 or *new*.

    Raises:
        MalformedError: Something that should be a hash is none.
        RefusedError: ROLLBACK: it had more entries. FORK: it was changed, or the proof is
            another's.
    """
    _check_hashes((old_root, new_root, *proof))
    if not 0 <= old <= new:
        raise RefusedError(Alarm.ROLLBACK, "the log had more entries")
    if old == new:
        grown = not proof and old_root == new_root
    elif old == 0:
        grown = not proof and old_root == EMPTY_ROOT
    else:
        grown = bool(proof) and _both(old, old_root, new, proof) == (old_root, new_root)
    if not grown or (new == 0 and new_root != EMPTY_ROOT):
        raise RefusedError(Alarm.FORK, "the log is not what it was with something appended")


def _both(
    old: int, old_root: bytes, new: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes | None]:
    """Roots of the old and of the new tree that a proof leads to."""
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    # Where the old tree is one full subtree, the proof leaves out what the caller knows.
    seed, *path = proof if at else (old_root, *proof)
    return _climbed(at, last, seed, path)


def _climbed(at: int, last: int, node: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes | None]:
    """Climb from a node: the root of the tree that ends with it, and that of the whole tree.

    *at* is the node's place on its level, *last* that of the rightmost node there. The whole
    tree's root is None if the path has another length than the way.
    """
    before = node
    for beside in path:
        if last == 0:
            return before, None
        if at & 1 or at == last:
            before, node = node_hash(beside, before), node_hash(beside, node)
            # A node without a right neighbour rises until it is a right child itself.
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, beside)
        at, last = at >> 1, last >> 1
    return before, node if last == 0 else None


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise MalformedError("a hash has 32 bytes")
