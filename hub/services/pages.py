# SPDX-License-Identifier: Apache-2.0
"""How much a page may hold: videos have so many codes that a thousand of them fit into none."""

from collections.abc import Sequence

from hub.ports import Work

MOST_FRAMES = 50_000
"""Frames told on a page, about 6 MB; a video alone is told whatever it has."""


def fitting(keys: Sequence[int], work: Work) -> int:
    """How many of the first of these indicators a page may hold; at least one, if there is one."""
    counts = work.indicators.frame_counts(keys)
    seen: set[int] = set()
    total = 0
    for place, key in enumerate(keys):
        total += 0 if key in seen else counts.get(key, 0)
        seen.add(key)
        if total > MOST_FRAMES and place:
            return place
    return len(keys)
