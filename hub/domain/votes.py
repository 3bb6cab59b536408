# SPDX-License-Identifier: Apache-2.0
"""Links: which votes on an entry are kept.

Kept per entry: 16 agreeing and 16 disagreeing links, at most two an operator, counting bases
first; the totals count every distinct operator.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.standing import KEPT_LINKS

KEPT_AN_OPERATOR = 2
AGREE, DISAGREE = 1, -1


@dataclass(frozen=True)
class Link:
    """One vote on an entry: by a neighbour (*voter*), by an *opinion*, or by an *exclusion*.

    ``counts``: it may corroborate, or is one voice that is enough: it is kept first.
    ``copied``: it is kept, but in no total.
    """

    operator: int
    side: int
    voter: int | None = None
    opinion: int | None = None
    exclusion: int | None = None
    counts: bool = False
    copied: bool = False

    @property
    def by(self) -> tuple[int | None, int | None, int | None]:
        """What votes: of an entry no two links have the same."""
        return self.voter, self.opinion, self.exclusion


def best(found: Sequence[Link]) -> list[Link]:
    """The links worth keeping: 16 a side, two an operator, counting ones and old ones first."""
    kept: list[Link] = []
    ordered = sorted(
        found, key=lambda link: (not link.counts, *(key or 0 for key in link.by[::-1]))
    )
    for side in (AGREE, DISAGREE):
        per_operator: dict[int, int] = {}
        mine: list[Link] = []
        for link in (link for link in ordered if link.side == side):
            if per_operator.get(link.operator, 0) < KEPT_AN_OPERATOR and len(mine) < KEPT_LINKS:
                per_operator[link.operator] = per_operator.get(link.operator, 0) + 1
                mine.append(link)
        kept += mine
    return kept
