# SPDX-License-Identifier: Apache-2.0
"""Videos: items of many frames, found by the share of them that is found.

As vPDQ does it: frames that look exactly alike count once, a frame is found when the other video
has one within the radius, and two videos match when enough of the frames asked are found, or
enough of those stored. Told is one row for each pair of an item and an indicator, as near as the
frames are that make up its share: the least distance within which enough of them are found.

Frames are searched in blocks. A block that finds too much to be remembered is searched again in
halves; so memory is bounded by the rows held, however long a static scene is.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from matching.batches import Part
from matching.search.leasts import Counts, Leasts, Pairs, Tally
from matching.search.scan import Scan
from matching.search.selection import Found, Limits
from matching.signals import INDEX
from matching.signals.vpdq import SHARE

BLOCK = 512  # frames searched together
ROOM = 1 << 20  # pairs remembered of a block, beyond which it is halved
_NO_ITEM = np.iinfo(np.uint32).max  # beyond every item
Columns = TypeVar("Columns", Counts, Pairs)


def found_videos(scan: Scan, *, both: bool = False) -> Iterator[Found]:
    """Yield a row for each item and indicator of which enough frames agree.

    Args:
        scan: its part are frames; derivations are not looked at.
        both: whether enough of either one's frames must be found, not only of one's.
    """
    frames = _distinct(scan.part)
    asked, stored = (_ordered(counts) for counts in _nearest(scan, frames))
    if not len(asked.item):
        return
    known, place = np.unique(stored.owner, return_inverse=True)
    mine = _enough(asked, np.bincount(frames.items)[asked.item])
    theirs = _enough(stored, scan.table.counts(known)[place])
    met = _ordered(_joined(mine, theirs))
    # Of both directions the nearer one decides; where both are needed, the farther.
    chosen = _ends(met) & ~_begins(met) if both else _begins(met)
    if chosen.any():
        yield _named(_chosen(met, chosen), scan.part)


def _distinct(part: Part) -> Part:
    """Order frames by item; those of one item that are equal count once."""
    order = np.lexsort((*part.codes.T, part.items))
    codes, items = part.codes[order], part.items[order]
    new = np.ones(len(items), np.bool_)
    new[1:] = (items[1:] != items[:-1]) | (codes[1:] != codes[:-1]).any(axis=1)
    return Part(part.signal, codes[new], items[new], np.zeros(int(new.sum()), np.uint8))


def _nearest(scan: Scan, frames: Part) -> tuple[Counts, Counts]:
    """Count the frames found by how near the nearest of the other video is.

    Returns:
        Those asked, and those stored, of each item and indicator.
    """
    asked, stored, mine, theirs = Tally(), Tally(), Leasts(), Leasts()
    begin, size = 0, BLOCK
    while begin < len(frames.items):
        end = min(begin + size, len(frames.items))
        if not _searched(scan, frames, (begin, end), mine, theirs):
            size = max(1, (end - begin) // 2)
            continue
        found = mine.all()
        asked.add(_counts(frames.items[found.other], found))
        # The frames of one item may lie in several blocks: what they met is counted at its end.
        following = frames.items[end] if end < len(frames.items) else _NO_ITEM
        if following != frames.items[begin]:
            _close(theirs, following, stored)
        begin = end
    return asked.all(), stored.all()


def _searched(
    scan: Scan, frames: Part, block: tuple[int, int], mine: Leasts, theirs: Leasts
) -> bool:
    """Search a block of frames.

    Args:
        scan: what is searched, and for whom.
        frames: all frames asked.
        block: the first of them to search, and the one behind the last.
        mine: is emptied, and takes in the least distance of each indicator and frame asked,
            other = the frame.
        theirs: takes in the least distance of each row held and item, other = the item.

    Returns:
        False where that is too much; then the block is to be searched again in parts.
    """
    begin, end = block
    numbers = np.arange(end - begin, dtype=np.uint32)
    part = Part(frames.signal, frames.codes[begin:end], numbers, frames.derivations[begin:end])
    items = frames.items[begin:end]
    mine.clear()
    before = len(theirs)
    for portion in replace(scan, part=part, limits=Limits.none(len(numbers))).portions():
        owners, queries = portion.indicators, portion.queries
        mine.take(Pairs(owners, queries + np.uint32(begin), owners, portion.distances))
        theirs.take(Pairs(portion.rows, items[queries], owners, portion.distances))
        if max(len(mine), len(theirs) - before) > ROOM and len(numbers) > 1:
            return False
    return True


def _close(theirs: Leasts, following: int, stored: Tally) -> None:
    """Count what the items before *following* met; of the others more is to come."""
    met = theirs.all()
    is_over = met.other < following
    stored.add(_counts(met.other[is_over], _chosen(met, is_over)))
    theirs.clear()
    theirs.take(_chosen(met, ~is_over))


def _counts(items: NDArray[np.uint32], found: Pairs) -> Counts:
    return Counts(found.owner, items, found.distance, np.ones(len(items), np.int64))


def _ordered(counts: Counts) -> Counts:
    order = np.lexsort((counts.distance, counts.owner, counts.item))
    return _chosen(counts, order)


def _enough(counts: Counts, totals: NDArray[np.int64]) -> Counts:
    """Keep of each pair the least distance within which enough frames are found, if any.

    Args:
        counts: ordered.
        totals: how many frames there are, for each row.
    """
    begins = np.flatnonzero(_begins(counts))
    running = np.cumsum(counts.number)
    lengths = np.diff(np.append(begins, len(running)))
    found = running - np.repeat(running[begins] - counts.number[begins], lengths)
    share, whole = SHARE
    met = _chosen(counts, whole * found >= share * totals)
    return _chosen(met, _begins(met))


def _joined(some: Counts, others: Counts) -> Counts:
    pairs: Iterator[Any] = zip(some, others, strict=True)
    return Counts._make(np.concatenate(pair) for pair in pairs)


def _chosen(columns: Columns, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Columns:
    return type(columns)._make(column[chosen] for column in columns)


def _begins(counts: Counts) -> NDArray[np.bool_]:
    """Where each run of an item and an owner begins."""
    new = np.ones(len(counts.item), np.bool_)
    new[1:] = counts.item[1:] != counts.item[:-1]
    new[1:] |= counts.owner[1:] != counts.owner[:-1]
    return new


def _ends(counts: Counts) -> NDArray[np.bool_]:
    return np.append(_begins(counts)[1:], np.ones(min(1, len(counts.item)), np.bool_))


def _named(met: Counts, part: Part) -> Found:
    plain = np.zeros(len(met.item), np.uint8)
    return Found.of(
        item=met.item,
        indicator=met.owner,
        signal=INDEX[part.signal.name],
        distance=met.distance,
        asked=plain,
        stored=plain,
    )
