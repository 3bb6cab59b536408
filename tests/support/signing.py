# SPDX-License-Identifier: Apache-2.0
"""Keys that everybody may know, by a number, and a log's note under them."""

from federation.keys import MemorySigner
from federation.log.checkpoints import Checkpoint
from federation.log.cosignatures import Cosigner
from federation.log.merkle import Frontier, leaf_hash
from federation.log.verifiers import Verifier

ORIGIN = "hub-a.example/fed/1"


def signer(number):
    return MemorySigner(bytes([number]) * 32)


def log_key(number=1, name=ORIGIN):
    return Verifier(name, signer(number).public)


def cosigner(number, name=None):
    return Cosigner(name or f"witness-{number}.example/w", signer(number).public)


def checkpoint(size, origin=ORIGIN, entry=b"entry %d"):
    """What a log of so many entries says of itself."""
    leaves = [leaf_hash(entry % at) for at in range(size)]
    return Checkpoint(origin, size, Frontier().extended(leaves).root())
