# SPDX-License-Identifier: Apache-2.0
"""Who contributes what it was told of adds no voice: contributions that are copies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.guards import VIDEO
from hub.domain.indicators import NEIGHBOUR_BITS, Code, Indicator
from hub.ports import Work
from hub.services.neighbours.finding import (
    LOOKS,
    Finder,
    alike_items,
    frames_of,
    is_covered,
    plain_strong,
)
from matching.signals import PDQ

MEMORY = timedelta(days=30)
"""A hit or a feed this long before a contribution makes it a copy."""


def mark_copied(indicator: Indicator, work: Work, finder: Finder) -> None:
    """Mark a contribution whose operator had been told of a neighbour before, in any set."""
    if indicator.copied:
        return
    found = alike_items(indicator, finder.near(indicator, work), work).values()
    others = {one.key for one in found if one.operator != indicator.operator}
    if _was_told(indicator, others, work):
        work.indicators.mark_copied(indicator.key)


def _was_told(indicator: Indicator, neighbours: set[int], work: Work) -> bool:
    """Whether the operator had a hit on a neighbour, or was served one, in the 30 days before."""
    until, operator = indicator.created_at, indicator.operator
    since = until - MEMORY
    gone = _told_and_gone(operator, since, until, work)
    near = _known([indicator], work)[0]
    alike = [one.key for one in _known(_some(gone, work), work) if _are_near(one, near)]
    if work.facts.had_hit(operator, {*neighbours, *alike}, since, until):
        return True
    return any(
        work.facts.was_served(operator, work.history.entered(key), since, until)
        for key in {*neighbours, *alike}
    )


def was_told_of_gone(operator: int, moments: Sequence[datetime], work: Work) -> bool:
    """Whether an operator that contributed at these moments was told of what has gone since."""
    return bool(_told_and_gone(operator, min(moments) - MEMORY, max(moments), work))


def _told_and_gone(operator: int, since: datetime, until: datetime, work: Work) -> set[int]:
    """What was withdrawn since is in no index any more, and yet it was told."""
    hit = work.facts.gone_hits(operator, since, until)
    return {*hit, *work.facts.gone_served(operator, since, until)}


def late_copies(operator: int, hits: Mapping[int, datetime], work: Work) -> set[int]:
    """The operator's contributions that are copies of what it had hit before, given with when."""
    since = min(hits.values())
    contributed = _some(work.indicators.contributed_since(operator, since), work)
    if not contributed:
        return set()
    told = _known(_some(hits, work), work)
    return {
        one.key
        for one in _known(contributed, work)
        for other in told
        if one.contributed_at >= hits[other.key] and _are_near(one, other)
    }


@dataclass(frozen=True)
class _Known:
    """What an indicator is known by: its plain strong codes, PDQ as a number."""

    key: int
    contributed_at: datetime
    item_kind: str
    digests: frozenset[tuple[str, bytes]]
    looks: tuple[int, ...]
    codes: Sequence[Code]


def _some(keys: Iterable[int], work: Work) -> list[Indicator]:
    return list(work.indicators.by_keys(keys).values())


def _known(some: Sequence[Indicator], work: Work) -> list[_Known]:
    codes = work.indicators.codes(one.key for one in some)
    return [_known_by(one, plain_strong(codes.get(one.key, ()))) for one in some]


def _known_by(one: Indicator, codes: Sequence[Code]) -> _Known:
    looks = tuple(int.from_bytes(c.value, "big") for c in codes if c.signal == PDQ.name)
    digests = frozenset((c.signal, c.value) for c in codes if c.signal not in LOOKS)
    return _Known(one.key, one.created_at, one.item_kind, digests, looks, codes)


def _are_near(one: _Known, other: _Known) -> bool:
    """The same question as `_search` asks, of two that are in memory, live or gone."""
    if one.item_kind != other.item_kind:
        return False
    if one.digests & other.digests:
        return True
    if one.item_kind == VIDEO:
        mine, theirs = frames_of(one.codes), frames_of(other.codes)
        both = bool(len(mine)) and bool(len(theirs))
        return both and is_covered(theirs, mine) and is_covered(mine, theirs)
    return any((a ^ b).bit_count() <= NEIGHBOUR_BITS for a in one.looks for b in other.looks)
