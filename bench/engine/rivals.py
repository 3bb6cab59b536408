# SPDX-License-Identifier: Apache-2.0
"""What the field uses, on one thread: faiss, and the index that the peer builds on it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench.engine.data import BITS, RADIUS, Words, as_bytes
from bench.engine.ours import Found

FLAT, MULTI, PEER = "faiss flat", "faiss multi-hash", "threatexchange PDQIndex"
BEYOND = RADIUS + 1
"""faiss finds what is nearer than this, not what is as near."""


class NoRivalsError(Exception):
    """They are not installed."""


@dataclass(frozen=True)
class Contender:
    """Somebody who is asked.

    Attributes:
        name: what its figures are called.
        ready: turns questions into what it takes; that is not timed.
        ask: answers them all.
        found: reads its answer.
        takes_batches: whether it has a way to be asked many at once.
    """

    name: str
    ready: Callable[[Words], Any]
    ask: Callable[[Any], Any]
    found: Callable[[Any], Found]
    takes_batches: bool = True


def flat(held: Words) -> Contender:
    """Faiss, brute force: ``IndexBinaryFlat``."""
    faiss = _faiss()
    index = faiss.IndexBinaryFlat(BITS)
    return _filled(FLAT, index, held)


def multi(held: Words) -> Contender:
    """Faiss, multi-index hashing as the peer sets it: 16 parts of 16 bits, one flip."""
    faiss = _faiss()
    index = faiss.IndexBinaryMultiHash(BITS, 16, 16)
    index.nflip = 1
    return _filled(MULTI, index, held)


def peer(held: Words) -> Contender:
    """The peer's ``PDQIndex``, which takes one code at a time, as text."""
    _faiss()
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex  # noqa: PLC0415 - an extra

    texts = _texts(held)
    index = PDQIndex(zip(texts, range(len(texts)), strict=True))
    return Contender(
        PEER,
        _texts,
        lambda asked: [*map(index.query, asked)],
        _found_by_peer,
        takes_batches=False,
    )


def scans(held: Words, most: int) -> Sequence[Callable[[Any], Any]]:
    """Both ways in which faiss scans just these codes: all in the radius, and the nearest few.

    Args:
        held: to be scanned.
        most: how many are the nearest few.

    Returns:
        What takes questions as `as_bytes` gives them.
    """
    index = _faiss().IndexBinaryFlat(BITS)
    index.add(as_bytes(held))
    return partial(_range_search, index), lambda asked: index.search(asked, most)


def _filled(name: str, index: Any, held: Words) -> Contender:
    index.add(as_bytes(held))
    return Contender(name, as_bytes, partial(_range_search, index), _found_by_faiss)


def _range_search(index: Any, asked: Any) -> Any:
    return index.range_search(asked, BEYOND)


def _found_by_faiss(answer: Any) -> Found:
    limits, distances, rows = answer
    counts = np.diff(limits.astype(np.int64))
    query = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
    return Found(query, rows.astype(np.uint64), distances.astype(np.uint16))


def _found_by_peer(answer: Any) -> Found:
    told = [(q, hit) for q, hits in enumerate(answer) for hit in hits]
    return Found(
        np.array([q for q, _ in told], np.uint32),
        np.array([hit.metadata for _, hit in told], np.uint64),
        np.array([hit.similarity_info.distance for _, hit in told], np.uint16),
    )


def _texts(codes: Words) -> list[str]:
    return [row.tobytes().hex() for row in as_bytes(codes)]


def _faiss() -> Any:
    # Before its threads exist: later nobody listens.
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        import faiss  # noqa: PLC0415 - an extra
    except ImportError:
        raise NoRivalsError("the rivals are missing; `make bench-engine` installs them") from None
    faiss.omp_set_num_threads(1)
    return faiss
