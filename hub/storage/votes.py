# SPDX-License-Identifier: Apache-2.0
"""Links between entries and those who vote on them, in SQL."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hub.domain.entries import Described
from hub.domain.standing import KEPT_LINKS
from hub.domain.votes import AGREE, DISAGREE, KEPT_AN_OPERATOR, Link, best
from hub.storage import tables
from hub.storage.described import described

_l, _e, _i, _o = tables.link, tables.entry, tables.indicator, tables.opinion
_BY = (_l.c.voter, _l.c.opinion, _l.c.exclusion)
By = tuple[int | None, int | None, int | None]


class SqlVotes:
    """The links of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def described(self, keys: Iterable[int], sets: Iterable[int]) -> list[Described]:
        """Describe entries with their votes, tombstones included."""
        return described(self._connection, keys, sets)

    def links(self, indicator: int, set_key: int) -> set[By]:
        """What votes on an entry: of each vote the voter, the opinion or the exclusion."""
        rows = self._connection.execute(
            sa.select(*_BY).where(_l.c.indicator == indicator, _l.c.set_key == set_key)
        )
        return {(row.voter, row.opinion, row.exclusion) for row in rows}

    def lock(self, indicator: int, set_key: int) -> None:
        """Keep other writers off an entry's links until this transaction ends."""
        self._connection.execute(
            sa.select(_e.c.indicator)
            .where(_e.c.indicator == indicator, _e.c.set_key == set_key)
            .with_for_update()
        )

    def link_opinion(self, indicator: int, set_key: int, link: Link) -> None:
        """Link an opinion to an entry at once: a dispute must not wait for a job.

        What the operator said before on this entry, through the same hub, is unlinked.
        """
        self.lock(indicator, set_key)
        earlier = (
            sa.select(_o.c.key)
            .where(_o.c.operator == link.operator, _o.c.indicator == indicator,
                   _o.c.set_key == set_key, ~_o.c.live)
        )  # fmt: skip
        self._connection.execute(
            _l.delete().where(
                _l.c.indicator == indicator, _l.c.set_key == set_key, _l.c.opinion.in_(earlier)
            )
        )
        if link.side or self._speaks_otherwise(indicator, set_key, link.operator):
            self._add(indicator, set_key, link)

    def replace(self, indicator: int, set_key: int, found: Sequence[Link]) -> bool:
        """Make the entry's links the best of *found*; returns whether anything changed."""
        wanted = {link.by: link for link in best(found)}
        kept = self.links(indicator, set_key)
        mine = sa.and_(_l.c.indicator == indicator, _l.c.set_key == set_key)
        for gone in kept - wanted.keys():
            (one,) = ((column, key) for column, key in zip(_BY, gone, strict=True) if key)
            self._connection.execute(_l.delete().where(mine, one[0] == one[1]))
        for by in wanted.keys() - kept:
            self._add(indicator, set_key, wanted[by])
        counted = self._set_totals(indicator, set_key, found)
        return counted or kept != wanted.keys()

    def linked_entries(self, voter: int) -> list[tuple[int, int]]:
        """The entries, as (indicator, set), on which an indicator votes."""
        rows = self._connection.execute(
            sa.select(_l.c.indicator, _l.c.set_key).where(_l.c.voter == voter).distinct()
        )
        return [(row.indicator, row.set_key) for row in rows]

    def reached_entries(self, indicator: int) -> list[tuple[int, int]]:
        """The entries beside its own on which opinions of an indicator are votes."""
        rows = self._connection.execute(
            sa.select(_l.c.indicator, _l.c.set_key)
            .join(_o, _o.c.key == _l.c.opinion)
            .where(_o.c.indicator == indicator, _l.c.indicator != indicator)
            .distinct()
        )
        return [(row.indicator, row.set_key) for row in rows]

    def neighbours(self, indicator: int) -> dict[int, list[int]]:
        """The indicators that vote on an indicator's entries, by set."""
        rows = self._connection.execute(
            sa.select(_l.c.set_key, _l.c.voter).where(
                _l.c.indicator == indicator, _l.c.voter.is_not(None)
            )
        )
        found: dict[int, list[int]] = {}
        for row in rows:
            found.setdefault(row.set_key, []).append(row.voter)
        return found

    def has_room(self, indicator: int, set_key: int, link: Link) -> bool:
        """Whether a further vote may be added without choosing anew which links are kept."""
        self.lock(indicator, set_key)
        rows = self._connection.execute(
            sa.select(_l.c.operator, _l.c.voter).where(
                _l.c.indicator == indicator, _l.c.set_key == set_key, _l.c.side == link.side
            )
        ).all()
        same_operator = sum(row.operator == link.operator for row in rows)
        is_known = any(row.voter == link.voter for row in rows if link.voter is not None)
        return len(rows) < KEPT_LINKS and same_operator < KEPT_AN_OPERATOR and not is_known

    def add(self, indicator: int, set_key: int, link: Link) -> None:
        """Add a vote to an entry that has room for it; totals matter only where there is none."""
        self._add(indicator, set_key, link)

    # -- steps --------------------------------------------------------------------------------

    def _speaks_otherwise(self, indicator: int, set_key: int, operator: int) -> bool:
        """Whether an operator has other votes on an entry, which a word on no side may replace."""
        found = sa.select(_l.c.key).where(
            _l.c.indicator == indicator,
            _l.c.set_key == set_key,
            _l.c.operator == operator,
            _l.c.voter.is_(None),
        )
        return self._connection.scalar(found.limit(1)) is not None

    def _add(self, indicator: int, set_key: int, link: Link) -> None:
        self._connection.execute(
            _l.insert().values(
                indicator=indicator,
                set_key=set_key,
                voter=link.voter,
                opinion=link.opinion,
                exclusion=link.exclusion,
                operator=link.operator,
                side=link.side,
            )
        )

    def _set_totals(self, indicator: int, set_key: int, found: Sequence[Link]) -> bool:
        against = {link.operator for link in found if link.side == DISAGREE}
        behind = {link.operator for link in found if link.side == AGREE and not link.copied}
        agree, disagree = len(behind - against), len(against)
        changed = self._connection.execute(
            _e.update()
            .where(
                _e.c.indicator == indicator,
                _e.c.set_key == set_key,
                sa.or_(_e.c.agree_total != agree, _e.c.disagree_total != disagree),
            )
            .values(agree_total=agree, disagree_total=disagree)
        )
        return changed.rowcount > 0
