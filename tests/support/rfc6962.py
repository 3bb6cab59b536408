# SPDX-License-Identifier: Apache-2.0
"""RFC 6962, section 2.1, word for word and slow: what the quick tree must agree with."""

from hashlib import sha256


def _split(entries):
    middle = 1
    while middle * 2 < len(entries):
        middle *= 2
    return entries[:middle], entries[middle:]


def root(entries):
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\0" + entries[0]).digest()
    left, right = _split(entries)
    return sha256(b"\1" + root(left) + root(right)).digest()


def path(index, entries):
    if len(entries) == 1:
        return []
    left, right = _split(entries)
    if index < len(left):
        return [*path(index, left), root(right)]
    return [*path(index - len(left), right), root(left)]


def proof(old, entries, *, whole=True):
    if old == len(entries):
        return [] if whole else [root(entries)]
    left, right = _split(entries)
    if old <= len(left):
        return [*proof(old, left, whole=whole), root(right)]
    return [*proof(old - len(left), right, whole=False), root(left)]


def reading(entries):
    """Answer what proofs are built from: hashes of full subtrees."""
    return lambda nodes: [root(entries[i << level : (i + 1) << level]) for level, i in nodes]
