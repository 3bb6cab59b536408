# SPDX-License-Identifier: Apache-2.0
"""Links: which votes on an entry are kept.

Kept per entry: 16 agreeing and 16 disagreeing links, at most two an operator, counting bases
first; the totals count every distinct operator.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hub.domain.standing import KEPT_LINKS, OPINION, Vote

KEPT_AN_OPERATOR = 2
AGREE, DISAGREE, NEITHER = 1, -1, 0


@dataclass(frozen=True)
class Link:
    """One vote on an entry: by a neighbour (*voter*), by an *opinion*, or by an *exclusion*.

    ``counts``: it may corroborate, or is one voice that is enough: it is kept first.
    ``copied``: it is kept, but in no total. ``hub``: through which an opinion or an exclusion was
    said; None: here. What is on no side is kept where it may replace another word of its operator.
    """

    operator: int
    side: int
    voter: int | None = None
    opinion: int | None = None
    exclusion: int | None = None
    counts: bool = False
    copied: bool = False
    hub: str | None = None

    @property
    def by(self) -> tuple[int | None, int | None, int | None]:
        """What votes: of an entry no two links have the same."""
        return self.voter, self.opinion, self.exclusion


def best(found: Sequence[Link]) -> list[Link]:
    """The links worth keeping: 16 a side, two an operator, counting ones and old ones first.

    What an operator says through one hub takes no place of what it says through another: which of
    the two counts is asked when it is read.
    """
    kept: list[Link] = []
    ordered = sorted(
        found, key=lambda link: (not link.counts, *(key or 0 for key in link.by[::-1]))
    )
    for side in (AGREE, DISAGREE):
        per_operator: dict[tuple[int, str | None], int] = {}
        mine: list[Link] = []
        for link in (link for link in ordered if link.side == side):
            who = link.operator, link.hub
            if per_operator.get(who, 0) < KEPT_AN_OPERATOR and len(mine) < KEPT_LINKS:
                per_operator[who] = per_operator.get(who, 0) + 1
                mine.append(link)
        kept += mine
    said = {(link.operator, link.hub) for link in found if link.voter is None}
    through = Counter(operator for operator, _ in said)
    silent = [link for link in ordered if link.side == NEITHER and through[link.operator] > 1]
    return kept + silent[-KEPT_LINKS:]


@dataclass(frozen=True)
class Said:
    """A vote on an entry, as it is read.

    Attributes:
        vote: that it is.
        about: internal key of the indicator of which an opinion was said; None: it is none.
        side: of its link.
    """

    vote: Vote
    about: int | None
    side: int


def heard(said: Sequence[Said], entry: int) -> list[Vote]:
    """The votes on an entry of the indicator *entry*: of each operator its latest that counts.

    An operator may speak through several hubs. Of what it says of one indicator the latest word
    that counts replaces the others; what it says of this very entry, also what it says of others
    that are near, and its exclusions. A word that does not count replaces nothing.
    """
    last: dict[tuple[int, int], Said] = {}
    for one in said:
        if one.about is not None and one.vote.live:
            who = one.vote.operator, one.about
            last[who] = max(last.get(who, one), one, key=_when)
    return [
        replace(one.vote, live=False) if _is_replaced(one, last, entry) else one.vote
        for one in said
        if one.side != NEITHER
    ]


def _when(one: Said) -> tuple[int, int]:
    """When it was said, as all hubs know it; of one second what speaks against holds."""
    return int(one.vote.counts_from.timestamp()), -one.side


def _is_replaced(one: Said, last: Mapping[tuple[int, int], Said], entry: int) -> bool:
    if one.vote.source != OPINION:
        return False
    direct = last.get((one.vote.operator, entry))
    if direct is not None:
        return one is not direct
    return one.about is not None and last.get((one.vote.operator, one.about), one) is not one
