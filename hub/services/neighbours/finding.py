# SPDX-License-Identifier: Apache-2.0
"""The search for neighbours: whose strong codes agree, of the same kind of item."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from hub.domain.indicators import NEIGHBOUR_BITS, Code, Indicator
from hub.domain.standing import says_alike
from hub.ports import Hub, Work
from matching.batches import Batch, Hits, Part, words_of
from matching.signals import INDEX, PDQ, SIGNALS

VIDEO, VIDEO_SHARE = "video", 0.8
RADIUS = {name: NEIGHBOUR_BITS if name == PDQ.name else 0 for name in SIGNALS}


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
            is_video = indicator.item_kind == VIDEO
            numbered = list(enumerate(codes)) if is_video else [(0, code) for code in codes]
            hits = self._search(numbered, max(1, len(codes)))
            found = _near(hits, codes, indicator, work)
            self._found[asked] = found - {indicator.key}
        return self._found[asked]

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

    def _search(self, numbered: Sequence[tuple[int, Code]], items: int) -> Hits:
        """Uncapped, by plain strong codes, each with the number of its item."""
        # The state first: the mask then knows every label that a row of it carries.
        state = self._hub.engine.state
        return self._hub.engine.search(
            _batch(numbered, items),
            self._hub.directory.mask_of_all_sets(),
            radius=RADIUS,
            capped=False,
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


def _near(hits: Hits, codes: Sequence[Code], indicator: Indicator, work: Work) -> set[int]:
    plain = hits.stored == 0
    keys = hits.indicator[plain].tolist()
    if indicator.item_kind != VIDEO:
        return set(keys)
    exact = hits.signal[plain] != INDEX[PDQ.name]
    same_file = set(hits.indicator[plain][exact].tolist())
    return same_file | _videos(hits, codes, indicator, work)


def _videos(hits: Hits, codes: Sequence[Code], indicator: Indicator, work: Work) -> set[int]:
    """Videos of which, in both directions, at least 0.8 of the frames are found."""
    frames = [code for code in codes if code.signal == PDQ.name]
    asked: dict[int, set[int]] = defaultdict(set)
    frame_rows = (hits.signal == INDEX[PDQ.name]) & (hits.stored == 0)
    for item, key in zip(
        hits.item[frame_rows].tolist(), hits.indicator[frame_rows].tolist(), strict=True
    ):
        asked[key].add(item)
    enough = [k for k, some in asked.items() if len(some) >= VIDEO_SHARE * len(frames)]
    theirs = work.indicators.codes(key for key in enough if key != indicator.key)
    mine = frames_of(frames)
    return {key for key, some in theirs.items() if is_covered(frames_of(plain_strong(some)), mine)}


def frames_of(codes: Iterable[Code]) -> np.ndarray:
    """The PDQs of an item, uint64[n, 4]."""
    values = b"".join(code.value for code in codes if code.signal == PDQ.name)
    return words_of(PDQ, values)


def is_covered(theirs: np.ndarray, mine: np.ndarray) -> bool:
    """Whether at least 0.8 of their frames are near one of mine."""
    found = sum(
        int(np.bitwise_count(mine ^ frame).sum(axis=1).min(initial=PDQ.bits)) <= NEIGHBOUR_BITS
        for frame in theirs
    )
    return found >= VIDEO_SHARE * len(theirs)
