# SPDX-License-Identifier: Apache-2.0
"""Making rows, requests and engines for the tests of matching."""

from dataclasses import fields

import numpy as np

from matching.batches import Batch, Part
from matching.digests import rows_digest
from matching.engine import Engine
from matching.ports import Chunk, Head, Snapshot, Total
from matching.signals import INDEX


def random_codes(rng, signal, rows):
    """Random codes, zero behind the signal's bits: uint64 ``(rows, words)``."""
    codes = rng.integers(0, 1 << 64, (rows, signal.words), np.uint64)
    if signal.bits % 64:
        codes[:, -1] &= np.uint64((1 << 64) - (1 << (64 - signal.bits % 64)))
    return codes


def near_copies(rng, signal, codes, rows, most=None):
    """Copies of random codes with up to a few bits more than the radius flipped; half exact."""
    if not len(codes):
        return random_codes(rng, signal, rows)
    copies = codes[rng.integers(0, len(codes), rows)].copy()
    most = signal.near + 3 if most is None else most
    for row in range(0, rows, 2):
        for bit in rng.permutation(signal.bits)[: rng.integers(0, most + 1)]:
            copies[row, bit // 64] ^= np.uint64(1 << int(63 - bit % 64))
    return copies


def chunk_of(signal, codes, rng=None, *, tags=None, keys=None, indicators=None):
    """A chunk; indicators count from 1 and all is plain under label 1, unless chosen otherwise."""
    rows = len(codes)
    if keys is None:
        keys = np.arange(1, rows + 1, dtype=np.uint64)
        if indicators:
            keys = rng.integers(1, indicators, rows).astype(np.uint64)
    if tags is None:
        tags = np.full(rows, 1, np.uint32)
        if rng is not None:
            derivations = rng.choice([0, 0, 1, 7], rows).astype(np.uint32)
            tags = derivations << np.uint32(24) | rng.integers(1, 6, rows).astype(np.uint32)
    return Chunk(signal.name, np.ascontiguousarray(codes), keys, tags)


def batch_of(signal, codes, rng=None):
    """A request, one item a code; plain unless chosen otherwise."""
    rows = len(codes)
    derivations = np.zeros(rows, np.uint8)
    if rng is not None:
        derivations = rng.choice([0, 0, 2], rows).astype(np.uint8)
    part = Part(signal, codes, np.arange(rows, dtype=np.uint32), derivations)
    return Batch((part,), rows)


def snapshot_of(chunks, position=1, timeline="t"):
    """A snapshot that says the truth of its chunks."""
    totals: dict[str, Total] = {}
    for chunk in chunks:
        live = (chunk.tags & np.uint32((1 << 24) - 1)) != 0
        digest = rows_digest(
            INDEX[chunk.signal], chunk.indicators[live], chunk.tags[live], chunk.codes[live]
        )
        before = totals.get(chunk.signal, Total(0, 0))
        totals[chunk.signal] = Total(
            before.count + int(live.sum()), (before.digest + digest) % (1 << 64)
        )
    return Snapshot(Head(timeline, position), totals, chunks)


def engine_of(chunks):
    """An engine that holds these chunks."""
    engine = Engine()
    engine.load(snapshot_of(chunks))
    return engine


def agree(engine, exact, batch, allowed, **choices):
    """Assert that both give the very same hits."""
    fast = engine.search(batch, allowed, **choices)
    slow = exact.search(batch, allowed, **choices)
    for field in fields(slow):
        if field.name not in {"timeline", "position"}:
            left, right = getattr(fast, field.name), getattr(slow, field.name)
            assert left.dtype == right.dtype, field.name
            assert left.tolist() == right.tolist(), field.name
