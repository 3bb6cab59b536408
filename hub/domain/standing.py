# SPDX-License-Identifier: Apache-2.0
"""From an entry and the votes linked to it to what the hub says about it.

Pure: same inputs, same answer, on every hub. The steps are numbered here, in the design and in
the tests alike. What is taken away counts at once, what is added only from a stated moment on, so
every rule is written such that a lost vote in favour can never raise an entry.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal, NamedTuple

from hub.domain.vocabulary import VOCABULARY

WITHDRAWN: Literal["withdrawn"] = "withdrawn"
EXPIRED: Literal["expired"] = "expired"
DISPUTED: Literal["disputed"] = "disputed"
REVIEW: Literal["review"] = "review"
CORROBORATED: Literal["corroborated"] = "corroborated"
Name = Literal["withdrawn", "expired", "disputed", "review", "corroborated"]

AGREE: Literal["agree"] = "agree"
DISAGREE: Literal["disagree"] = "disagree"
CONTRIBUTION: Literal["contribution"] = "contribution"
OPINION: Literal["opinion"] = "opinion"

ACCOUNT = "account"
EXPERT_LIST = "expert-list"
BENIGN = "benign"
KEPT_LINKS = 16
"""At most so many agreeing links are kept for an entry, and so many disagreeing."""
ENOUGH_OPERATORS = 2
DISPUTED_FROM = Fraction(34, 100)
"""The share of distinct operators from which an entry is disputed."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One link to an entry: a neighbouring contribution, or an opinion, of the same set.

    Only ``agree`` and ``disagree`` are votes; ``seen``, ``stale`` and ``want-more-info`` are none
    and make no link. ``copied`` speaks of a contribution: a copier's ``agree`` after a human look
    is a voice of its own.
    """

    operator: int
    operator_kind: str
    stance: Literal["agree", "disagree"]
    source: Literal["contribution", "opinion"]
    basis: str
    assessed_by: int
    list_name: str | None
    reason: str | None
    copied: bool
    counts_from: datetime
    """Commit + 3 s: until then a fact that makes it a copy may still arrive."""
    expires: datetime | None
    live: bool
    """The voter's version is live, and its party neither quarantined nor stale."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An indicator in one set, as far as its standing needs it.

    The totals are distinct operators other than the contributor, as the neighbours job counted
    them when it last chose the links: those that agree (copies and operators that also disagree
    left out), and those that disagree (no-votes left out). They are read only where a side has as
    many links as are kept; else every vote is among the links, and a total may lag behind them.
    """

    operator: int
    operator_kind: str
    item_kind: str
    basis: str
    assessed_by: int
    list_name: str | None
    copied: bool
    counts_from: datetime
    expires: datetime
    withdrawn: bool
    strong: bool
    """The item has a code of a strong signal."""
    open_appeal: bool
    agree_total: int
    disagree_total: int
    only_review: bool = False
    """Its contributor allows no more to follow than a look; then it is no voice either."""


class Verdict(NamedTuple):
    """What the hub says about an entry at one moment."""

    name: Name
    operators: int
    """Independent operators that count, the contributor included."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the hub says about an entry, and until when time alone does not change it."""

    name: Name
    operators: int
    until: datetime | None


def standing(entry: Entry, votes: Collection[Vote], now: datetime) -> Standing:
    """Say what is known about the entry from this moment on.

    The answer is constant from *now* until ``until``, where it changes; None: it never does by
    time alone.
    """
    said = verdict(entry, votes, now)
    if said.name in (WITHDRAWN, EXPIRED):
        return Standing(*said, None)
    moments = sorted({moment for moment in _moments(entry, votes) if moment > now})
    changes = (moment for moment in moments if verdict(entry, votes, moment) != said)
    return Standing(*said, next(changes))  # it expires, if nothing comes before


def verdict(entry: Entry, votes: Collection[Vote], now: datetime) -> Verdict:
    """Say what is known about the entry at this moment."""
    # 1. Without a live version nothing else matters.
    if entry.withdrawn:
        return Verdict(WITHDRAWN, 0)
    if now >= entry.expires:
        return Verdict(EXPIRED, 0)
    # Of most entries nobody speaks but the contributor, and a lookup asks for hundreds of them.
    operators, against = _counted(entry, votes, now) if votes else _alone(entry, now)
    # 2. Disputed: shown as such, never for automatic action.
    if entry.open_appeal or against:
        return Verdict(DISPUTED, operators)
    # 3. Corroborated: strong signals only, never an account, nor what may only be looked at.
    may = entry.strong and entry.item_kind != ACCOUNT and not entry.only_review
    if operators >= ENOUGH_OPERATORS and may:
        return Verdict(CORROBORATED, operators)
    # 4. Known; a person at the platform should look.
    return Verdict(REVIEW, operators)


def best(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict on an item that hit several entries; None if it hit none.

    ``corroborated`` before ``review`` before ``disputed``: entries are separate statements, often
    of different sets, and a dispute of one says nothing against another (where it should, it has
    the reach ``near`` and is a vote there too). Were ``disputed`` the stronger, one dispute in one
    set would hide what every other set knows.
    """
    return max(verdicts, key=lambda one: (_ORDER[one.name], one.operators), default=None)


def at_most_review(found: Verdict) -> Verdict:
    """The verdict behind a hit that only its contributor vouches for, or only a weak signal.

    Such hits are those through a stored derived code, and those of a weak signal alone.
    """
    return Verdict(REVIEW, found.operators) if found.name == CORROBORATED else found


def votes_against(vote: Vote, contributor: int) -> bool:
    """Whether it is a disagreement that counts: the contributor withdraws instead."""
    return (
        vote.stance == DISAGREE
        and vote.operator != contributor
        and vote.reason not in VOCABULARY.no_vote_reasons
    )


def says_alike(harm: Collection[str], other: Collection[str]) -> bool:
    """Whether two speak of the same: "benign" does not corroborate "grooming"."""
    return (BENIGN in harm) == (BENIGN in other)


def votes_for(vote: Vote) -> bool:
    """Whether it is an agreement that counts at all: a copy adds no knowledge."""
    return vote.stance == AGREE and not (vote.copied and vote.source == CONTRIBUTION)


def may_corroborate(vote: Vote) -> bool:
    """Whether an agreement rests on something that counts towards corroboration."""
    return (
        votes_for(vote)
        and _counts(vote.basis, vote.operator_kind, vote.list_name)
        and (vote.source == CONTRIBUTION or vote.assessed_by >= 1)
    )


def _counts(basis: str, operator_kind: str, list_name: str | None) -> bool:
    return (
        VOCABULARY.counts(basis)
        and operator_kind not in VOCABULARY.state_kinds
        and (basis != EXPERT_LIST or list_name is not None)
    )


_ORDER: dict[Name, int] = {WITHDRAWN: 0, EXPIRED: 1, DISPUTED: 2, REVIEW: 3, CORROBORATED: 4}


def _alone(entry: Entry, now: datetime) -> tuple[int, bool]:
    """What ``_counted`` says without votes: only the contributor's own voice may count."""
    counts = not (entry.copied or entry.only_review) and now >= entry.counts_from
    return int(counts and _counts(entry.basis, entry.operator_kind, entry.list_name)), False


def _counted(entry: Entry, votes: Collection[Vote], now: datetime) -> tuple[int, bool]:
    """How many independent operators count, and whether too much speaks against it."""
    voices = (_contribution(entry), *votes)
    live = [vote for vote in voices if vote.live and not (vote.expires and now >= vote.expires)]
    # A disagreement counts at once. An operator that says both is only heard in this.
    against = [vote for vote in live if votes_against(vote, entry.operator)]
    opposed = {vote.operator for vote in against}
    behind = [
        vote
        for vote in live
        if votes_for(vote) and vote.operator not in opposed and now >= vote.counts_from
    ]
    hidden_for, hidden_against = _unseen(entry, votes)
    agree = len({vote.operator for vote in behind}) + hidden_for
    disagree = len(opposed) + hidden_against
    return (
        _independent(vote for vote in behind if may_corroborate(vote)),
        _one_voice_enough(against) or _too_many(disagree, agree),
    )


def _one_voice_enough(against: Iterable[Vote]) -> bool:
    return any(vote.reason in VOCABULARY.one_voice_reasons for vote in against)


def _too_many(disagree: int, agree: int) -> bool:
    # In whole numbers: 17 of 50 is exactly 0.34 and must not depend on rounding.
    share = DISPUTED_FROM
    return disagree > 0 and disagree * share.denominator >= share.numerator * (agree + disagree)


def _independent(votes: Iterable[Vote]) -> int:
    """Count operators that know for themselves, plus original lists, each with one operator.

    Two operators that repeat one list are one source; one operator with two lists is one operator.
    """
    own: set[int] = set()
    cited: dict[int, list[str]] = {}
    for vote in votes:
        if vote.basis == EXPERT_LIST and vote.list_name is not None:
            cited.setdefault(vote.operator, []).append(vote.list_name)
        else:
            own.add(vote.operator)
    teller: dict[str, int] = {}
    told = (_tells(op, cited, teller, set()) for op in sorted(cited) if op not in own)
    return len(own) + sum(told)


def _tells(
    operator: int, cited: dict[int, list[str]], teller: dict[str, int], tried: set[str]
) -> bool:
    """Find the operator a list that no other tells, moving the others on if need be."""
    for name in cited[operator]:
        if name in tried:
            continue
        tried.add(name)
        if name not in teller or _tells(teller[name], cited, teller, tried):
            teller[name] = operator
            return True
    return False


def _unseen(entry: Entry, votes: Collection[Vote]) -> tuple[int, int]:
    """How many operators agree and disagree beyond the links that are kept."""
    if len(votes) < KEPT_LINKS:
        return 0, 0
    against = {vote.operator for vote in votes if votes_against(vote, entry.operator)}
    behind = {vote.operator for vote in votes if votes_for(vote)} - against - {entry.operator}
    agreeing = sum(vote.stance == AGREE for vote in votes)
    return (
        max(0, entry.agree_total - len(behind)) if agreeing >= KEPT_LINKS else 0,
        max(0, entry.disagree_total - len(against)) if len(votes) - agreeing >= KEPT_LINKS else 0,
    )


def _contribution(entry: Entry) -> Vote:
    """The contributor's own voice, which counts by the same rules as any other."""
    return Vote(
        operator=entry.operator,
        operator_kind=entry.operator_kind,
        stance=AGREE,
        source=CONTRIBUTION,
        basis=entry.basis,
        assessed_by=entry.assessed_by,
        list_name=entry.list_name,
        reason=None,
        copied=entry.copied or entry.only_review,
        counts_from=entry.counts_from,
        expires=entry.expires,
        live=True,
    )


def _moments(entry: Entry, votes: Iterable[Vote]) -> Iterator[datetime]:
    """All moments at which time alone might change something."""
    yield entry.expires
    yield entry.counts_from
    for vote in votes:
        yield vote.counts_from
        if vote.expires is not None:
            yield vote.expires
