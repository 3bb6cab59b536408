# SPDX-License-Identifier: Apache-2.0
"""Find neighbours: indicators of one set that know the same picture, linked as votes both ways.

The job handles positions in order and only when its engine has applied them, so the later of
two contributions always sees the earlier. It searches before it writes, for no writer may wait
for a search; and it moves its cursor in the transaction that writes the links: two jobs do no
harm.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain.changes import EXCLUSION, INDICATOR, LINKS, OPINION, SYSTEM, Event
from hub.domain.indicators import Indicator
from hub.domain.sharing import GONE
from hub.domain.standing import may_corroborate
from hub.domain.votes import Link
from hub.ports import Hub, Work
from hub.services.neighbours.copies import mark_copied, was_told_of_gone
from hub.services.neighbours.finding import Finder, neighbours_in
from hub.services.neighbours.linking import (
    contribution_link,
    exclusion_link,
    exclusion_links,
    may_exclude,
    opinion_links,
)

CURSOR = "neighbours"
AT_ONCE, BUSY = 1000, 64
"""How many changes are looked at together, and how many of them may want links in one go: while
those are written, others wait."""
LONGEST_WRITE = 0.25
"""Seconds after which no further change is begun in the same transaction."""
MOST_REFILLS = 16
"""Entries whose links one new contribution may have chosen anew; the rest keep what they have."""


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
            elif row.kind == EXCLUSION:
                touched |= _of_exclusion(row.details["row"], work, finder)
            else:
                touched |= _of_opinion(row.subject, row.details["set"], work, finder)
        for indicator, set_key in sorted(touched):
            work.record(Event(LINKS, subject=indicator, details={"set": set_key}))
        if not work.history.advance(CURSOR, expected=start, position=rows[-1].position):
            return 0  # another job was quicker; nothing of this is kept
        work.commit()
    return len(rows)


def backlog(hub: Hub) -> tuple[int, float]:
    """How many positions await the job, and the seconds that the oldest of them waits."""
    with hub.begin.reading() as work:
        start = work.history.cursor(CURSOR)
        behind = work.history.head().position - start
        oldest = work.history.after(start, 1)
    waits = (hub.clock() - oldest[0].at).total_seconds() if oldest else 0.0
    return behind, max(0.0, waits)


def _looked_ahead(
    rows: Sequence[Any], finder: Finder, work: Work
) -> tuple[Sequence[Any], list[Any]]:
    """Search while nobody waits; returns the rows to handle now, and which of them want links."""
    rows_of_items = [row for row in rows if row.kind in (INDICATOR, OPINION)]
    known = work.indicators.by_keys({row.subject for row in rows_of_items})
    live = [one for one in known.values() if one.label != GONE]
    finder.look_ahead(live, work)
    alone = _alone(live, finder, work)
    busy = [
        row
        for row in rows
        if row.kind == OPINION
        or (row.kind == INDICATOR and (row.n != 1 or row.subject not in alone))
        # What is over has no voices left to link.
        or (row.kind == EXCLUSION and "ended" not in row.details)
    ]
    if len(busy) > BUSY:
        last = busy[BUSY - 1].position
        rows = [row for row in rows if row.position <= last]
    return rows, busy[:BUSY]


def _alone(live: Sequence[Indicator], finder: Finder, work: Work) -> set[int]:
    """Indicators that nothing speaks of: their first version links nothing and is no copy.

    A neighbour that comes later sees them, and one that went may make a copy of them.
    """
    alone = [
        one
        for one in live
        if not finder.near(one, work)
        and not any(exclusion_links(one, set_key, work) for set_key in one.sets)
    ]
    by_operator: dict[int, list[Indicator]] = defaultdict(list)
    for one in alone:
        by_operator[one.operator].append(one)
    return {
        one.key
        for operator, some in by_operator.items()
        if not was_told_of_gone(operator, [one.created_at for one in some], work)
        for one in some
    }


def _of_version(key: int, n: int, work: Work, finder: Finder) -> set[tuple[int, int]]:
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None:
        return set()
    # A version may change what a vote is worth, though the link stays: all of them are told anew.
    voted_on = work.votes.linked_entries(key)
    touched = set(voted_on)
    if indicator.label != GONE:
        mark_copied(indicator, work, finder)
        # Read again: the mark decides what the links are worth.
        indicator = work.indicators.by_keys([key])[key]
    for set_key in indicator.sets if indicator.label != GONE else ():
        if n == 1:
            touched |= _joined(indicator, set_key, work, finder)
        else:
            touched |= _with_neighbours(indicator, set_key, work, finder)
    # What was said of it, and reached near, leaves its neighbours with it.
    for entry, set_key in {*voted_on, *work.votes.reached_entries(key)}:
        if not _still_votes(indicator, entry, set_key, work, finder):
            touched |= _refilled(entry, set_key, work, finder)
    return touched


def _still_votes(
    indicator: Indicator, entry: int, set_key: int, work: Work, finder: Finder
) -> bool:
    """Whether an indicator is a neighbour of an entry on which it votes, by what it says now."""
    if indicator.label == GONE or set_key not in indicator.sets:
        return False
    return entry in neighbours_in(indicator, set_key, work, finder)


def _joined(
    indicator: Indicator, set_key: int, work: Work, finder: Finder
) -> set[tuple[int, int]]:
    """Link a new entry, and add it to its neighbours' links: nothing else of theirs changed."""
    neighbours = neighbours_in(indicator, set_key, work, finder)
    touched = _relink(indicator, set_key, neighbours, work)
    link = contribution_link(indicator)
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


def _of_opinion(key: int, set_key: int, work: Work, finder: Finder) -> set[tuple[int, int]]:
    """An opinion that reaches near is one on each direct neighbour too, until it is replaced."""
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None or indicator.label == GONE or set_key not in indicator.sets:
        return set()
    return _with_neighbours(indicator, set_key, work, finder)


def _of_exclusion(key: int, work: Work, finder: Finder) -> set[tuple[int, int]]:
    """An exclusion is a voice against each entry that it means; later ones ask for it."""
    one = work.exclusions.keyed(key)
    if one is None:
        return set()  # it was said, and is said no more
    touched = set()
    link = exclusion_link(one)
    for known in finder.within(one, work):
        place = known.key, one.set_key
        if not may_exclude(one, known) or link.by in work.votes.links(*place):
            continue
        if link not in exclusion_links(known, one.set_key, work):
            continue  # its operator spoke of this very entry
        direct = work.opinions.of_entries([known.key], one.set_key)
        speaks = any(row.operator == one.operator for row in direct)
        # What it says of this very entry through another hub may be on no side, and replace it.
        if not speaks and work.votes.has_room(*place, link):
            work.votes.add(*place, link)
            touched.add(place)
        else:
            touched |= _refilled(*place, work, finder)
    return touched


def _with_neighbours(
    indicator: Indicator, set_key: int, work: Work, finder: Finder
) -> set[tuple[int, int]]:
    """Choose the links of an entry anew, and those of its neighbours."""
    neighbours = neighbours_in(indicator, set_key, work, finder)
    touched = _relink(indicator, set_key, neighbours, work)
    for neighbour in neighbours:
        touched |= _refilled(neighbour, set_key, work, finder)
    return touched


def _refilled(key: int, set_key: int, work: Work, finder: Finder) -> set[tuple[int, int]]:
    indicator = work.indicators.by_keys([key]).get(key)
    if indicator is None or indicator.label == GONE or set_key not in indicator.sets:
        # Its links stay: should it come back, what was said against it is there at once.
        return set()
    return _relink(indicator, set_key, neighbours_in(indicator, set_key, work, finder), work)


def _relink(
    indicator: Indicator, set_key: int, neighbours: Mapping[int, Indicator], work: Work
) -> set[tuple[int, int]]:
    work.votes.lock(indicator.key, set_key)
    others = (one for one in neighbours.values() if one.operator != indicator.operator)
    found = [contribution_link(one) for one in others]
    found += opinion_links(indicator, set_key, neighbours, work)
    found += exclusion_links(indicator, set_key, work)
    changed = work.votes.replace(indicator.key, set_key, found)
    return {(indicator.key, set_key)} if changed else set()
