# SPDX-License-Identifier: Apache-2.0
"""The votes that contributions, opinions and exclusions are on an entry."""

from collections.abc import Mapping
from typing import Any

from hub.domain.exclusions import Exclusion
from hub.domain.guards import PICTURE
from hub.domain.indicators import MATCH, Indicator
from hub.domain.standing import Vote, may_corroborate
from hub.domain.vocabulary import VOCABULARY
from hub.domain.votes import AGREE, DISAGREE, NEITHER, Link
from hub.ports import Work

NEAR = "near"


def contribution_link(voter: Indicator) -> Link:
    """The vote that a contribution is on its neighbours: it agrees."""
    return Link(
        operator=voter.operator,
        side=AGREE,
        voter=voter.key,
        counts=voter.words.act == MATCH and may_corroborate(_as_vote(voter)),
        # In no total either: it may only be looked at.
        copied=voter.copied or voter.words.act != MATCH,
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


def opinion_links(
    indicator: Indicator, set_key: int, neighbours: Mapping[int, Indicator], work: Work
) -> list[Link]:
    """Opinions on the entry itself, and those on its direct neighbours that reach near."""
    direct = work.opinions.of_entries([indicator.key], set_key)
    # An operator's word on this very entry replaces what it said of a neighbour: through the same
    # hub for good, through another for as long as it counts.
    spoken = {(row.operator, row.hub) for row in direct}
    near = [
        row
        for row in work.opinions.of_entries(list(neighbours), set_key)
        if (row.operator, row.hub) not in spoken
    ]
    reached = {(row.operator, row.indicator) for row in near if row.reach == NEAR}
    found = [(row, True) for row in direct]
    # So does what it said later of that neighbour, which may reach no further than that.
    found += [(row, row.reach == NEAR) for row in near if (row.operator, row.indicator) in reached]
    return [
        Link(
            operator=row.operator,
            side=_side(row) if speaks else NEITHER,
            opinion=row.key,
            counts=row.reason in VOCABULARY.one_voice_reasons or row.assessed_by > 0,
            hub=row.hub,
        )
        for row, speaks in found
        if row.operator != indicator.operator
    ]


def _side(row: Any) -> int:
    if row.reason in VOCABULARY.no_vote_reasons:
        return NEITHER
    return {"agree": AGREE, "disagree": DISAGREE}.get(row.stance, NEITHER)


def exclusion_link(one: Exclusion) -> Link:
    """The vote that an exclusion is on what is near it: it disagrees."""
    counts = one.reason in VOCABULARY.one_voice_reasons
    return Link(
        operator=one.operator, side=DISAGREE, exclusion=one.key, counts=counts, hub=one.hub
    )


def exclusion_links(indicator: Indicator, set_key: int, work: Work) -> list[Link]:
    """The exclusions of a set that mean the picture of an entry."""
    if indicator.item_kind != PICTURE:
        return []
    others = [one for one in work.exclusions.in_set(set_key) if may_exclude(one, indicator)]
    if not others:
        return []
    # An operator's word on this very entry replaces what it said of what is near.
    rows = work.opinions.of_entries([indicator.key], set_key)
    spoken = {(row.operator, row.hub) for row in rows}
    codes = work.indicators.codes([indicator.key]).get(indicator.key, ())
    return [
        exclusion_link(one)
        for one in others
        if (one.operator, one.hub) not in spoken and any(one.covers(code) for code in codes)
    ]


def may_exclude(one: Exclusion, indicator: Indicator) -> bool:
    """Whether it may speak against an entry at all: who contributed that withdraws instead."""
    return one.operator != indicator.operator and one.reason not in VOCABULARY.no_vote_reasons
