# SPDX-License-Identifier: Apache-2.0
"""Find neighbours: indicators of one set that know the same picture, linked as votes both ways.

The job handles positions in order and only when its engine has applied them, so the later of two
contributions always sees the earlier. It moves its cursor in the transaction that writes the
links:
two jobs do no harm.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from hub.domain.changes import INDICATOR, LINKS, OPINION, SYSTEM, Event
from hub.domain.indicators import NEIGHBOUR_BITS, Code, Indicator
from hub.domain.sharing import GONE
from hub.domain.standing import Vote, may_corroborate
from hub.domain.vocabulary import VOCABULARY
from hub.domain.votes import AGREE, DISAGREE, Link
from hub.ports import Hub, Work
from matching.batches import Batch, Hits, Part, words_of
from matching.signals import INDEX, PDQ, SIGNALS

CURSOR = "neighbours"
BATCH = 64
MEMORY = timedelta(days=30)
"""A hit or a feed this long before a contribution makes it a copy."""
VIDEO_SHARE = 0.8
RADIUS = {name: NEIGHBOUR_BITS if name == PDQ.name else 0 for name in SIGNALS}


@dataclass(frozen=True)
class Seen:
    """What one entry's search found: direct neighbours of other operators, by internal key."""

    mine: Indicator
    set_key: int
    neighbours: Mapping[int, Indicator]


def link_neighbours(hub: Hub, *, limit: int = BATCH) -> int:
    """Handle the next changes that the engine has applied; returns how many positions."""
    with hub.begin.reading() as work:
        start = work.history.cursor(CURSOR)
        rows = work.history.after(start, limit)
    applied = min(hub.engine.position, hub.directory.position)
    rows = [row for row in rows if row.position <= applied]
    if not rows:
        return 0
    with hub.begin.writing(SYSTEM) as work:
        touched: set[tuple[int, int]] = set()
        for row in rows:
            if row.kind == INDICATOR:
                touched |= _of_version(row.subject, work, hub)
            elif row.kind == OPINION and row.details.get("reach") == "near":
                touched |= _of_opinion(row.subject, row.details["set"], work, hub)
        for indicator, set_key in sorted(touched):
            work.record(Event(LINKS, subject=indicator, details={"set": set_key}))
        if not work.history.advance(CURSOR, expected=start, position=rows[-1].position):
            return 0  # another job was quicker; nothing of this is kept
        work.commit()
    return len(rows)


def _of_version(key: int, work: Work, hub: Hub) -> set[tuple[int, int]]:
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None:
        return set()
    touched: set[tuple[int, int]] = set()
    if indicator.label == GONE:
        for entry, set_key in work.votes.linked_entries(key):
            touched |= _refilled(entry, set_key, work, hub)
        return touched
    seen = [search_entry(indicator, set_key, work, hub) for set_key in indicator.sets]
    _mark_copied(indicator, seen, work)
    # Read again: the mark decides what the links are worth.
    indicator = work.indicators.by_keys([key])[key]
    for one in seen:
        touched |= _relink(indicator, one.set_key, one.neighbours, work)
        for neighbour in one.neighbours.values():
            touched |= _refilled(neighbour.key, one.set_key, work, hub)
    for entry, set_key in work.votes.linked_entries(key):
        if set_key not in indicator.sets:
            touched |= _refilled(entry, set_key, work, hub)
    return touched


def _of_opinion(key: int, set_key: int, work: Work, hub: Hub) -> set[tuple[int, int]]:
    """An opinion that reaches near is one on each direct neighbour too."""
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None or set_key not in indicator.sets:
        return set()
    seen = search_entry(indicator, set_key, work, hub, own_too=True)
    touched: set[tuple[int, int]] = set()
    for neighbour in seen.neighbours.values():
        touched |= _refilled(neighbour.key, set_key, work, hub)
    return touched


def _refilled(key: int, set_key: int, work: Work, hub: Hub) -> set[tuple[int, int]]:
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None or indicator.label == GONE or set_key not in indicator.sets:
        return {(key, set_key)} if work.votes.replace(key, set_key, []) else set()
    seen = search_entry(indicator, set_key, work, hub)
    return _relink(indicator, set_key, seen.neighbours, work)


def _relink(
    indicator: Indicator, set_key: int, neighbours: Mapping[int, Indicator], work: Work
) -> set[tuple[int, int]]:
    work.votes.lock(indicator.key, set_key)
    found = [_contribution_link(one) for one in neighbours.values()]
    found += _opinion_links(indicator, set_key, neighbours, work)
    changed = work.votes.replace(indicator.key, set_key, found)
    return {(indicator.key, set_key)} if changed else set()


# -- the search ----------------------------------------------------------------------------------


def search_entry(
    indicator: Indicator, set_key: int, work: Work, hub: Hub, *, own_too: bool = False
) -> Seen:
    """The direct neighbours of an indicator in one set, uncapped, by plain strong codes."""
    codes = _plain(work.indicators.codes([indicator.key]).get(indicator.key, ()))
    # The state first: the mask then knows every label that a row of it carries.
    state = hub.engine.state
    hits = hub.engine.search(
        _batch(codes, indicator.item_kind),
        hub.directory.mask_of_set(set_key),
        radius=RADIUS,
        capped=False,
        state=state,
    )
    near = _near(hits, codes, indicator, work)
    found = work.indicators.by_keys(near - {indicator.key})
    return Seen(
        indicator,
        set_key,
        {
            key: one
            for key, one in found.items()
            if one.item_kind == indicator.item_kind
            and set_key in one.sets
            and (own_too or one.operator != indicator.operator)
            and _agree(one, indicator)
        },
    )


def _agree(one: Indicator, other: Indicator) -> bool:
    # Who says "benign" of a picture does not corroborate who says "grooming" of it.
    return ("benign" in one.words.harm) == ("benign" in other.words.harm)


def _plain(codes: Iterable[Code]) -> list[Code]:
    return [code for code in codes if not code.derivation and SIGNALS[code.signal].strong]


def _batch(codes: Sequence[Code], item_kind: str) -> Batch:
    """One item for a picture; one item a frame for a video, so that frames can be counted."""
    by_signal: dict[str, list[tuple[int, Code]]] = defaultdict(list)
    for number, code in enumerate(codes):
        by_signal[code.signal].append((number if item_kind == "video" else 0, code))
    parts = tuple(
        Part(
            SIGNALS[name],
            words_of(SIGNALS[name], b"".join(code.value for _, code in some)),
            np.array([number for number, _ in some], np.uint32),
            np.zeros(len(some), np.uint8),
        )
        for name, some in by_signal.items()
    )
    return Batch(parts, max(1, len(codes)))


def _near(hits: Hits, codes: Sequence[Code], indicator: Indicator, work: Work) -> set[int]:
    plain = hits.stored == 0
    keys = hits.indicator[plain].tolist()
    if indicator.item_kind != "video":
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
    mine = _frames(frames)
    return {key for key, some in theirs.items() if _covered(_frames(_plain(some)), mine)}


def _frames(codes: Iterable[Code]) -> np.ndarray:
    values = b"".join(code.value for code in codes if code.signal == PDQ.name)
    return words_of(PDQ, values)


def _covered(theirs: np.ndarray, mine: np.ndarray) -> bool:
    found = sum(
        int(np.bitwise_count(mine ^ frame).sum(axis=1).min(initial=PDQ.bits)) <= NEIGHBOUR_BITS
        for frame in theirs
    )
    return found >= VIDEO_SHARE * len(theirs)


# -- the links -----------------------------------------------------------------------------------


def _contribution_link(voter: Indicator) -> Link:
    return Link(
        operator=voter.operator,
        side=AGREE,
        voter=voter.key,
        counts=may_corroborate(_as_vote(voter)),
        copied=voter.copied,
    )


def _as_vote(voter: Indicator) -> Vote:
    return Vote(
        operator=voter.operator,
        operator_kind=voter.operator_kind,
        stance="agree",
        source="contribution",
        basis=voter.words.basis,
        assessed_by=voter.words.assessed_by,
        list_name=voter.words.list_name,
        reason=None,
        copied=voter.copied,
        counts_from=voter.created_at,
        expires=voter.expires,
        live=voter.is_live,
    )


def _opinion_links(
    indicator: Indicator, set_key: int, neighbours: Mapping[int, Indicator], work: Work
) -> list[Link]:
    """Opinions on the entry itself, and those on its direct neighbours that reach near."""
    direct = work.opinions.of_entries([indicator.key], set_key)
    # An operator's word on this very entry replaces what it said of a neighbour.
    spoken = {row.operator for row in direct}
    near = [
        row
        for row in work.opinions.of_entries(list(neighbours), set_key)
        if row.reach == "near" and row.operator not in spoken
    ]
    return [
        Link(
            operator=row.operator,
            side=AGREE if row.stance == "agree" else DISAGREE,
            opinion=row.key,
            counts=row.reason in VOCABULARY.one_voice_reasons or row.assessed_by > 0,
        )
        for row in (*direct, *near)
        if row.stance in ("agree", "disagree")
        and row.reason not in VOCABULARY.no_vote_reasons
        and row.operator != indicator.operator
    ]


# -- copies --------------------------------------------------------------------------------------


def _mark_copied(indicator: Indicator, seen: Sequence[Seen], work: Work) -> None:
    """Mark a contribution whose operator had seen a neighbour here before, in any set."""
    if indicator.copied:
        return
    neighbours = {key for one in seen for key in one.neighbours}
    if was_seen(indicator, neighbours, work, until=indicator.created_at):
        work.indicators.mark_copied(indicator.key)


def was_seen(indicator: Indicator, neighbours: set[int], work: Work, until: datetime) -> bool:
    """Whether the operator had a hit on a neighbour, or was served one, in the 30 days before."""
    if not neighbours:
        return False
    since = until - MEMORY
    if work.facts.had_hit(indicator.operator, neighbours, since, until):
        return True
    for other in work.indicators.by_keys(neighbours).values():
        position = work.history.position_of(other.key, INDICATOR, 1)
        entries = dict.fromkeys(other.sets, position) if position else {}
        if work.facts.was_served(indicator.operator, entries, since, until):
            return True
    return False
