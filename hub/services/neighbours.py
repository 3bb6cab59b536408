# SPDX-License-Identifier: Apache-2.0
"""Find neighbours: indicators of one set that know the same picture, linked as votes both ways.

The job handles positions in order and only when its engine has applied them, so the later of
two contributions always sees the earlier. It searches before it writes, for no writer may wait
for a search; and it moves its cursor in the transaction that writes the links: two jobs do no
harm.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from hub.domain.changes import INDICATOR, LINKS, OPINION, SYSTEM, Event
from hub.domain.indicators import NEIGHBOUR_BITS, Code, Indicator
from hub.domain.sharing import GONE
from hub.domain.standing import Vote, may_corroborate, says_alike
from hub.domain.vocabulary import VOCABULARY
from hub.domain.votes import AGREE, DISAGREE, Link
from hub.ports import Hub, Work
from matching.batches import Batch, Hits, Part, words_of
from matching.signals import INDEX, PDQ, SIGNALS

CURSOR = "neighbours"
AT_ONCE, BUSY = 1000, 64
"""How many changes are looked at together, and how many of them may want links in one go: while
those are written, others wait."""
LONGEST_WRITE = 0.25
"""Seconds after which no further change is begun in the same transaction."""
MOST_REFILLS = 16
"""Entries whose links one new contribution may have chosen anew; the rest keep what they have."""
MEMORY = timedelta(days=30)
"""A hit or a feed this long before a contribution makes it a copy."""
VIDEO, VIDEO_SHARE = "video", 0.8
RADIUS = {name: NEIGHBOUR_BITS if name == PDQ.name else 0 for name in SIGNALS}


def link_neighbours(hub: Hub, *, limit: int = AT_ONCE) -> int:
    """Handle the next changes that the engine has applied; returns how many positions."""
    finder = Finder(hub)
    with hub.begin.reading() as work:
        start = work.history.cursor(CURSOR)
        rows = work.history.after(start, limit)
        applied = min(hub.engine.position, hub.directory.position)
        rows = [row for row in rows if row.position <= applied]
        if not rows:
            return 0
        rows, busy = _looked_ahead(rows, finder, work)
    with hub.begin.writing(SYSTEM) as work:
        touched: set[tuple[int, int]] = set()
        began = time.monotonic()
        for row in busy:
            if time.monotonic() - began > LONGEST_WRITE:
                # The rest is for the next turn: others want to write.
                rows = [one for one in rows if one.position < row.position]
                break
            if row.kind == INDICATOR:
                touched |= _of_version(row.subject, row.n, work, finder)
            else:
                touched |= _of_opinion(row.subject, row.details["set"], work, finder)
        for indicator, set_key in sorted(touched):
            work.record(Event(LINKS, subject=indicator, details={"set": set_key}))
        if not work.history.advance(CURSOR, expected=start, position=rows[-1].position):
            return 0  # another job was quicker; nothing of this is kept
        work.commit()
    return len(rows)


def _looked_ahead(
    rows: Sequence[Any], finder: "Finder", work: Work
) -> tuple[Sequence[Any], list[Any]]:
    """Search while nobody waits; returns the rows to handle now, and which of them want links."""
    rows_of_items = [row for row in rows if row.kind in (INDICATOR, OPINION)]
    known = work.indicators.by_keys({row.subject for row in rows_of_items})
    live = [one for one in known.values() if one.label != GONE]
    finder.look_ahead(live, work)
    alone = _alone(live, finder, work)
    busy = [
        row
        for row in rows_of_items
        if row.kind == OPINION or row.n != 1 or row.subject not in alone
    ]
    if len(busy) > BUSY:
        last = busy[BUSY - 1].position
        rows = [row for row in rows if row.position <= last]
    return rows, busy[:BUSY]


def _alone(live: Sequence[Indicator], finder: "Finder", work: Work) -> set[int]:
    """Indicators without any neighbour: their first version links nothing and is no copy.

    A neighbour that comes later sees them, and one that went may make a copy of them.
    """
    alone = [one for one in live if not finder.near(one, work)]
    by_operator: dict[int, list[Indicator]] = defaultdict(list)
    for one in alone:
        by_operator[one.operator].append(one)
    return {
        one.key
        for operator, some in by_operator.items()
        if not _was_told_of_gone(operator, [one.created_at for one in some], work)
        for one in some
    }


def _was_told_of_gone(operator: int, moments: Sequence[datetime], work: Work) -> bool:
    return bool(_told_and_gone(operator, min(moments) - MEMORY, max(moments), work))


def _told_and_gone(operator: int, since: datetime, until: datetime, work: Work) -> set[int]:
    """What was withdrawn since is in no index any more, and yet it was told."""
    hit = work.facts.gone_hits(operator, since, until)
    return {*hit, *work.facts.gone_served(operator, since, until)}


def _of_version(key: int, n: int, work: Work, finder: "Finder") -> set[tuple[int, int]]:
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None:
        return set()
    # A version may change what a vote is worth, though the link stays: all of them are told anew.
    voted_on = work.votes.linked_entries(key)
    touched = set(voted_on)
    if indicator.label != GONE:
        _mark_copied(indicator, work, finder)
        # Read again: the mark decides what the links are worth.
        indicator = work.indicators.by_keys([key])[key]
    for set_key in indicator.sets if indicator.label != GONE else ():
        if n == 1:
            touched |= _joined(indicator, set_key, work, finder)
        else:
            touched |= _with_neighbours(indicator, set_key, work, finder)
    for entry, set_key in voted_on:
        if not _still_votes(indicator, entry, set_key, work, finder):
            touched |= _refilled(entry, set_key, work, finder)
    return touched


def _still_votes(
    indicator: Indicator, entry: int, set_key: int, work: Work, finder: "Finder"
) -> bool:
    """Whether an indicator is a neighbour of an entry on which it votes, by what it says now."""
    if indicator.label == GONE or set_key not in indicator.sets:
        return False
    return entry in search_entry(indicator, set_key, work, finder)


def _joined(
    indicator: Indicator, set_key: int, work: Work, finder: "Finder"
) -> set[tuple[int, int]]:
    """Link a new entry, and add it to its neighbours' links: nothing else of theirs changed."""
    neighbours = search_entry(indicator, set_key, work, finder)
    touched = _relink(indicator, set_key, neighbours, work)
    link = _contribution_link(indicator)
    refills = MOST_REFILLS
    for neighbour in neighbours.values():
        if neighbour.operator == indicator.operator:
            continue
        if work.votes.has_room(neighbour.key, set_key, link):
            work.votes.add(neighbour.key, set_key, link)
            touched.add((neighbour.key, set_key))
        elif refills and not _is_heard(link, neighbour.key, set_key, work):
            # Its places are taken by what counts less, or by others: they are given anew.
            refills -= 1
            touched |= _refilled(neighbour.key, set_key, work, finder)
    return touched


def _is_heard(link: Link, indicator: int, set_key: int, work: Work) -> bool:
    """Whether the operator has a vote on the entry already that is worth as much."""
    return any(
        vote.operator == link.operator and (may_corroborate(vote) or not link.counts)
        for entry in work.votes.described([indicator], [set_key])
        for vote in entry.votes
        if vote.live
    )


def _of_opinion(key: int, set_key: int, work: Work, finder: "Finder") -> set[tuple[int, int]]:
    """An opinion that reaches near is one on each direct neighbour too, until it is replaced."""
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None or indicator.label == GONE or set_key not in indicator.sets:
        return set()
    return _with_neighbours(indicator, set_key, work, finder)


def _with_neighbours(
    indicator: Indicator, set_key: int, work: Work, finder: "Finder"
) -> set[tuple[int, int]]:
    """Choose the links of an entry anew, and those of its neighbours."""
    neighbours = search_entry(indicator, set_key, work, finder)
    touched = _relink(indicator, set_key, neighbours, work)
    for neighbour in neighbours:
        touched |= _refilled(neighbour, set_key, work, finder)
    return touched


def _refilled(key: int, set_key: int, work: Work, finder: "Finder") -> set[tuple[int, int]]:
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None or indicator.label == GONE or set_key not in indicator.sets:
        # Its links stay: should it come back, what was said against it is there at once.
        return set()
    return _relink(indicator, set_key, search_entry(indicator, set_key, work, finder), work)


def _relink(
    indicator: Indicator, set_key: int, neighbours: Mapping[int, Indicator], work: Work
) -> set[tuple[int, int]]:
    work.votes.lock(indicator.key, set_key)
    others = (one for one in neighbours.values() if one.operator != indicator.operator)
    found = [_contribution_link(one) for one in others]
    found += _opinion_links(indicator, set_key, neighbours, work)
    changed = work.votes.replace(indicator.key, set_key, found)
    return {(indicator.key, set_key)} if changed else set()


# -- the search ----------------------------------------------------------------------------------


class Finder:
    """Searches for neighbours, each once: what was found ahead is not searched for again."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._found: dict[tuple[int, int], set[int]] = {}

    def near(self, indicator: Indicator, work: Work) -> set[int]:
        """Internal keys of the direct neighbours, in whatever set, whoever contributed them."""
        asked = (indicator.key, indicator.n)
        if asked not in self._found:
            codes = _plain(work.indicators.codes([indicator.key]).get(indicator.key, ()))
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
            for code in _plain(codes.get(one.key, ()))
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


def search_entry(
    indicator: Indicator, set_key: int, work: Work, finder: Finder
) -> dict[int, Indicator]:
    """The direct neighbours of an indicator in one set, whoever contributed them, by key."""
    found = _alike_items(indicator, finder.near(indicator, work), work)
    return {
        key: one
        for key, one in found.items()
        if set_key in one.sets and says_alike(one.words.harm, indicator.words.harm)
    }


def _alike_items(indicator: Indicator, keys: set[int], work: Work) -> dict[int, Indicator]:
    """Those that are of the same kind of item, as they stand now."""
    found = work.indicators.by_keys(keys)
    return {key: one for key, one in found.items() if one.item_kind == indicator.item_kind}


def _plain(codes: Iterable[Code]) -> list[Code]:
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


def _mark_copied(indicator: Indicator, work: Work, finder: Finder) -> None:
    """Mark a contribution whose operator had been told of a neighbour before, in any set."""
    if indicator.copied:
        return
    found = _alike_items(indicator, finder.near(indicator, work), work).values()
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
    frames: tuple[int, ...]
    codes: Sequence[Code]


def _some(keys: Iterable[int], work: Work) -> list[Indicator]:
    return list(work.indicators.by_keys(keys).values())


def _known(some: Sequence[Indicator], work: Work) -> list[_Known]:
    codes = work.indicators.codes(one.key for one in some)
    return [_known_by(one, _plain(codes.get(one.key, ()))) for one in some]


def _known_by(one: Indicator, codes: Sequence[Code]) -> _Known:
    frames = tuple(int.from_bytes(c.value, "big") for c in codes if c.signal == PDQ.name)
    digests = frozenset((c.signal, c.value) for c in codes if c.signal != PDQ.name)
    return _Known(one.key, one.created_at, one.item_kind, digests, frames, codes)


def _are_near(one: _Known, other: _Known) -> bool:
    """The same question as `_search` asks, of two that are in memory, live or gone."""
    if one.item_kind != other.item_kind:
        return False
    if one.digests & other.digests:
        return True
    if one.item_kind == VIDEO:
        mine, theirs = _frames(one.codes), _frames(other.codes)
        both = bool(len(mine)) and bool(len(theirs))
        return both and _covered(theirs, mine) and _covered(mine, theirs)
    return any((a ^ b).bit_count() <= NEIGHBOUR_BITS for a in one.frames for b in other.frames)
