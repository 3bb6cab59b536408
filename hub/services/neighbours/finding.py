# SPDX-License-Identifier: Apache-2.0
"""The search for neighbours: whose strong codes agree, of the same kind of item."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hub.domain.exclusions import Exclusion
from hub.domain.guards import PICTURE, VIDEO
from hub.domain.indicators import NEIGHBOUR_BITS, Code, Indicator
from hub.domain.standing import says_alike
from hub.ports import Hub, Work
from matching.batches import Batch, Hits, Part, words_of
from matching.signals import PDQ, SIGNALS, VPDQ
from matching.signals.vpdq import SHARE

LOOKS = frozenset({PDQ.name, VPDQ.name})
RADIUS = {name: NEIGHBOUR_BITS if name in LOOKS else 0 for name in SIGNALS}
_TOGETHER = 64  # frames compared at once


class Finder:
    """Searches for neighbours, each once: what was found ahead is not searched for again."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._found: dict[tuple[int, int], set[int]] = {}

    def near(self, indicator: Indicator, work: Work) -> set[int]:
        """Internal keys of the direct neighbours, in whatever set, whoever contributed them."""
        asked = (indicator.key, indicator.n)
        if asked not in self._found:
            codes = plain_strong(work.indicators.codes([indicator.key]).get(indicator.key, ()))
            hits = self._search([(0, code) for code in codes], 1)
            found = set(hits.indicator[hits.stored == 0].tolist())
            self._found[asked] = found - {indicator.key}
        return self._found[asked]

    def within(self, one: Exclusion, work: Work) -> list[Indicator]:
        """The pictures of a set that an exclusion means, by a plain code, as they stand now."""
        radius = {**RADIUS, one.code.signal: one.radius}
        hits = self._search([(0, one.code)], 1, radius)
        found = work.indicators.by_keys(hits.indicator[hits.stored == 0].tolist())
        return [
            known
            for _, known in sorted(found.items())
            if known.item_kind == PICTURE and one.set_key in known.sets
        ]

    def look_ahead(self, some: Iterable[Indicator], work: Work) -> None:
        """Search for many in one go; a video has too many frames for that."""
        asked = [one for one in some if one.item_kind != VIDEO]
        if not asked:
            return
        codes = work.indicators.codes(one.key for one in asked)
        numbered = [
            (number, code)
            for number, one in enumerate(asked)
            for code in plain_strong(codes.get(one.key, ()))
        ]
        found: list[set[int]] = [set() for _ in asked]
        hits = self._search(numbered, len(asked))
        plain = hits.stored == 0
        pairs = zip(hits.item[plain].tolist(), hits.indicator[plain].tolist(), strict=True)
        for number, key in pairs:
            found[number].add(key)
        for one, keys in zip(asked, found, strict=True):
            self._found[one.key, one.n] = keys - {one.key}

    def _search(
        self,
        numbered: Sequence[tuple[int, Code]],
        items: int,
        radius: Mapping[str, int] = RADIUS,
    ) -> Hits:
        """Uncapped, by plain strong codes, each with the number of its item."""
        # The state first: the mask then knows every label that a row of it carries.
        state = self._hub.engine.state
        return self._hub.engine.search(
            _batch(numbered, items),
            self._hub.directory.mask_of_all_sets(),
            radius=radius,
            capped=False,
            both=True,
            state=state,
        )


def neighbours_in(
    indicator: Indicator, set_key: int, work: Work, finder: Finder
) -> dict[int, Indicator]:
    """The direct neighbours of an indicator in one set, whoever contributed them, by key."""
    found = alike_items(indicator, finder.near(indicator, work), work)
    return {
        key: one
        for key, one in found.items()
        if set_key in one.sets and says_alike(one.words.harm, indicator.words.harm)
    }


def alike_items(indicator: Indicator, keys: set[int], work: Work) -> dict[int, Indicator]:
    """Those that are of the same kind of item, as they stand now."""
    found = work.indicators.by_keys(keys)
    return {key: one for key, one in found.items() if one.item_kind == indicator.item_kind}


def plain_strong(codes: Iterable[Code]) -> list[Code]:
    """The codes that may make neighbours: strong ones that were not derived."""
    return [code for code in codes if not code.derivation and SIGNALS[code.signal].strong]


def _batch(numbered: Sequence[tuple[int, Code]], items: int) -> Batch:
    by_signal: dict[str, list[tuple[int, Code]]] = defaultdict(list)
    for number, code in numbered:
        by_signal[code.signal].append((number, code))
    parts = tuple(
        Part(
            SIGNALS[name],
            words_of(SIGNALS[name], b"".join(code.value for _, code in some)),
            np.array([number for number, _ in some], np.uint32),
            np.zeros(len(some), np.uint8),
        )
        for name, some in by_signal.items()
    )
    return Batch(parts, items)


def frames_of(codes: Iterable[Code]) -> NDArray[np.uint64]:
    """The frames of an item, uint64[n, 4]."""
    return words_of(VPDQ, b"".join(code.value for code in codes if code.signal == VPDQ.name))


def is_covered(theirs: NDArray[np.uint64], mine: NDArray[np.uint64]) -> bool:
    """Whether enough of their frames are near one of mine, as the engine asks it of a video."""
    share, whole = SHARE
    may_miss = len(theirs) * (whole - share) // whole
    missed = 0
    for start in range(0, len(theirs), _TOGETHER):
        some = theirs[start : start + _TOGETHER, None]
        distances = np.bitwise_count(some ^ mine).sum(axis=2, dtype=np.uint16)
        nearest = distances.min(axis=1, initial=VPDQ.bits)
        missed += int(np.count_nonzero(nearest > NEIGHBOUR_BITS))
        if missed > may_miss:
            return False
    return True
