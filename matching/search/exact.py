# SPDX-License-Identifier: Apache-2.0
"""The yardstick: the same question answered in the plainest way there is.

NumPy counts bits, Python does the rest, nothing is shared with the fast path. It takes memory and
time without bounds; tests hold the engine against it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.batches import Batch, Hits, Part
from matching.ports import LABEL_BITS, LABEL_MASK, Chunk
from matching.signals import INDEX, VPDQ
from matching.signals.vpdq import SHARE


class Row(NamedTuple):
    """One row found, in the order in which rows of an item are told."""

    derived: bool
    distance: int
    indicator: int
    signal: int
    asked: int
    stored: int


class ExactSearch:
    """Search chunks of rows by comparing everything with everything.

    Args:
        chunks: rows; those of label 0 are never found.
    """

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = list(chunks)

    def search(
        self,
        batch: Batch,
        allowed: NDArray[np.bool_],
        *,
        per_item: int = 100,
        per_request: int = 20_000,
        radius: Mapping[str, int] | None = None,
        capped: bool = True,
        both: bool = False,
    ) -> Hits:
        """Answer as `Engine.search` does."""
        items: list[list[Row]] = [[] for _ in range(batch.items)]
        for part in batch.parts:
            bits = (radius or {}).get(part.signal.name, part.signal.near)
            rows = self._rows(part, allowed, bits)
            if part.signal is VPDQ:
                rows = self._videos(part, allowed, bits, both=both)
            for item, row in rows:
                items[item].append(row)
        best = [_best(rows) for rows in items]
        kept = _capped(best, per_item, per_request) if capped else best
        truncated = [len(k) < len(b) for k, b in zip(kept, best, strict=True)]
        return _hits(kept, truncated)

    def _rows(
        self, part: Part, allowed: NDArray[np.bool_], radius: int
    ) -> Iterator[tuple[int, Row]]:
        index = INDEX[part.signal.name]
        for chunk in self._chunks:
            if chunk.signal != part.signal.name:
                continue
            for code, item, asked in zip(part.codes, part.items, part.derivations, strict=True):
                distances = np.bitwise_count(chunk.codes ^ code).sum(axis=1, dtype=np.int64)
                for place in np.flatnonzero(distances <= radius).tolist():
                    label, stored = _label(chunk, place), int(chunk.tags[place]) >> LABEL_BITS
                    if 0 < label < len(allowed) and allowed[label]:
                        derived = bool(asked or stored)
                        found = int(chunk.indicators[place])
                        distance = int(distances[place])
                        yield (
                            int(item),
                            Row(derived, distance, found, index, int(asked), stored),
                        )

    def _videos(
        self, part: Part, allowed: NDArray[np.bool_], radius: int, *, both: bool
    ) -> Iterator[tuple[int, Row]]:
        stored = self._frames(allowed)
        asked: dict[int, set[int]] = defaultdict(set)
        for code, item in zip(part.codes, part.items.tolist(), strict=True):
            asked[item].add(_number(code))
        for item, mine in asked.items():
            for indicator, theirs in stored.items():
                distance = _agreement(mine, theirs, radius, both=both)
                if distance is not None:
                    yield item, Row(False, distance, indicator, INDEX[VPDQ.name], 0, 0)  # noqa: FBT003 - a row's first column

    def _frames(self, allowed: NDArray[np.bool_]) -> dict[int, list[int]]:
        frames: dict[int, list[int]] = defaultdict(list)
        for chunk in self._chunks:
            if chunk.signal == VPDQ.name:
                for place, indicator in enumerate(chunk.indicators.tolist()):
                    label = _label(chunk, place)
                    if 0 < label < len(allowed) and allowed[label]:
                        frames[indicator].append(_number(chunk.codes[place]))
        return frames


def _number(code: NDArray[np.uint64]) -> int:
    words: list[int] = code.tolist()
    return sum(word << 64 * place for place, word in enumerate(words))


def _agreement(
    mine: Collection[int], theirs: Collection[int], radius: int, *, both: bool
) -> int | None:
    """The least distance within which enough frames agree; None where they do not."""
    ends = [_reach(mine, theirs, radius), _reach(theirs, mine, radius)]
    found = [one for one in ends if one is not None]
    if len(found) < (2 if both else 1):
        return None
    return max(found) if both else min(found)


def _reach(some: Collection[int], others: Collection[int], radius: int) -> int | None:
    near = sorted(min((one ^ other).bit_count() for other in others) for one in some)
    for place, distance in enumerate(near, 1):
        if distance <= radius and Fraction(place, len(some)) >= Fraction(*SHARE):
            return distance
    return None


def _label(chunk: Chunk, place: int) -> int:
    return int(chunk.tags[place]) & LABEL_MASK


def _best(rows: list[Row]) -> list[Row]:
    best: dict[tuple[int, int], Row] = {}
    for row in sorted(rows, key=lambda r: (r.derived, r.distance, r.asked, r.stored)):
        best.setdefault((row.indicator, row.signal), row)
    return sorted(best.values())


def _capped(items: list[list[Row]], per_item: int, per_request: int) -> list[list[Row]]:
    pairs = []
    for item, rows in enumerate(items):
        indicators = list(dict.fromkeys(row.indicator for row in rows))[:per_item]
        for place, indicator in enumerate(indicators):
            first = next(row for row in rows if row.indicator == indicator)
            pairs.append((place, first.derived, first.distance, indicator, item))
    kept = {(item, indicator) for *_, indicator, item in sorted(pairs)[:per_request]}
    return [
        [row for row in rows if (item, row.indicator) in kept] for item, rows in enumerate(items)
    ]


def _hits(items: list[list[Row]], truncated: list[bool]) -> Hits:
    rows = [(item, row) for item, found in enumerate(items) for row in found]
    return Hits(
        item=np.array([item for item, _ in rows], np.uint32),
        indicator=np.array([row.indicator for _, row in rows], np.uint64),
        signal=np.array([row.signal for _, row in rows], np.uint8),
        distance=np.array([row.distance for _, row in rows], np.uint16),
        asked=np.array([row.asked for _, row in rows], np.uint8),
        stored=np.array([row.stored for _, row in rows], np.uint8),
        truncated=np.array(truncated, np.bool_),
    )
