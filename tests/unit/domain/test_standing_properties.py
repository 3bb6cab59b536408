# SPDX-License-Identifier: Apache-2.0
"""Standing against an independent, slow restatement of the rules, over tiny ranges."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product

from hypothesis import given, settings, strategies as st

from hub.domain.standing import Entry, Vote, standing, verdict

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
LAST = 6
RANK = {"withdrawn": 0, "expired": 1, "disputed": 2, "review": 3, "corroborated": 4}


def tick(number):
    return EPOCH + timedelta(seconds=number)


ticks = st.integers(0, LAST).map(tick)
operators = st.integers(1, 4)
kinds = st.sampled_from(["platform", "platform", "platform", "regulator"])
bases = st.sampled_from(
    ["own-service-human", "own-service-human", "expert-list", "automated-unreviewed"]
)
lists = st.sampled_from(["a", "b", None])
people = st.integers(0, 1)
votes = st.builds(
    Vote,
    operator=operators,
    operator_kind=kinds,
    stance=st.sampled_from(["agree", "agree", "disagree"]),
    source=st.sampled_from(["contribution", "opinion"]),
    basis=bases,
    assessed_by=people,
    list_name=lists,
    reason=st.sampled_from([None, "benign", "benign", "duplicate", "subject-child"]),
    copied=st.sampled_from([False, False, True]),
    counts_from=ticks,
    expires=st.none() | ticks,
    live=st.sampled_from([True, True, True, False]),
)
entries = st.builds(
    Entry,
    operator=operators,
    operator_kind=kinds,
    item_kind=st.sampled_from(["picture", "picture", "picture", "account"]),
    basis=bases,
    assessed_by=people,
    list_name=lists,
    copied=st.sampled_from([False, False, True]),
    counts_from=ticks,
    expires=st.integers(1, LAST + 1).map(tick),
    withdrawn=st.sampled_from([False, False, False, True]),
    strong=st.sampled_from([True, True, False]),
    open_appeal=st.sampled_from([False, False, False, True]),
    agree_total=st.integers(0, 5),
    disagree_total=st.integers(0, 5),
)
cases = st.tuples(entries, st.lists(votes, max_size=6))


def restated(entry, given_votes, now):
    """The rules again, by enumeration and without a care for time."""
    if entry.withdrawn:
        return "withdrawn", 0
    if entry.expires <= now:
        return "expired", 0
    foes = [vote for vote in given_votes if is_foe(entry, vote, now)]
    enemies = {vote.operator for vote in foes}
    friends = [vote for vote in given_votes if is_friend(vote, now, enemies)]
    friends += [own] if is_friend(own := contribution(entry), now, enemies) else []
    independent = most_sources([vote for vote in friends if is_solid(vote)])
    supporters = {vote.operator for vote in friends}
    share = Fraction(len(enemies), len(enemies | supporters) or 1)
    grave = any(vote.reason == "subject-child" for vote in foes)
    if entry.open_appeal or grave or share >= Fraction("0.34"):
        return "disputed", independent
    if independent >= 2 and entry.strong and entry.item_kind != "account":
        return "corroborated", independent
    return "review", independent


def is_foe(entry, vote, now):
    speaks = vote.live and (vote.expires is None or vote.expires > now)
    return (
        speaks
        and vote.stance == "disagree"
        and vote.reason != "duplicate"
        and vote.operator != entry.operator
    )


def is_friend(vote, now, enemies):
    speaks = vote.live and (vote.expires is None or vote.expires > now) and vote.counts_from <= now
    is_copy = vote.source == "contribution" and vote.copied
    return speaks and vote.stance == "agree" and not is_copy and vote.operator not in enemies


def is_solid(vote):
    looked_at = vote.source == "contribution" or vote.assessed_by > 0
    known = vote.basis == "own-service-human" or (
        vote.basis == "expert-list" and vote.list_name is not None
    )
    return looked_at and known and vote.operator_kind != "regulator"


def contribution(entry):
    return Vote(
        entry.operator, entry.operator_kind, "agree", "contribution", entry.basis,
        entry.assessed_by, entry.list_name, None, entry.copied, entry.counts_from, None, live=True,
    )  # fmt: skip


def most_sources(friends):
    """Give every operator one of its sources in every possible way; the most different count."""
    sources: dict[int, set[tuple[str, object]]] = {}
    for vote in friends:
        listed = vote.basis == "expert-list"
        source = ("list", vote.list_name) if listed else ("operator", vote.operator)
        sources.setdefault(vote.operator, set()).add(source)
    return max(len(set(chosen)) for chosen in product(*sources.values()))


def said(entry, given_votes, now):
    found = standing(entry, given_votes, now)
    return found.name, found.operators


@settings(max_examples=600, deadline=None)
@given(cases)
def test_standing_agrees_with_the_rules_restated_at_every_moment(case):
    entry, given_votes = case

    for number in range(-1, LAST + 3):
        now = tick(number)
        assert said(entry, given_votes, now) == restated(entry, given_votes, now)


@settings(max_examples=400, deadline=None)
@given(cases)
def test_time_changes_a_standing_exactly_at_its_until(case):
    entry, given_votes = case
    timeline = [tick(number) for number in range(-1, LAST + 3)]

    for number, now in enumerate(timeline):
        found = standing(entry, given_votes, now)
        later = [
            then
            for then in timeline[number:]
            if restated(entry, given_votes, then) != said(entry, given_votes, now)
        ]
        assert found.until == (later[0] if later else None)


@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_the_links_means_nothing(case, random):
    entry, given_votes = case
    shuffled = random.sample(given_votes, len(given_votes))

    assert standing(entry, shuffled, tick(3)) == standing(entry, given_votes, tick(3))


@given(cases, votes)
def test_adding_a_copy_never_raises(case, vote):
    entry, given_votes = case
    copy = replace(vote, stance="agree", source="contribution", copied=True)

    assert said(entry, [*given_votes, copy], tick(3)) == said(entry, given_votes, tick(3))


@given(cases, votes)
def test_a_no_vote_changes_nothing(case, vote):
    entry, given_votes = case
    duplicate = replace(vote, stance="disagree", reason="duplicate")

    assert said(entry, [*given_votes, duplicate], tick(3)) == said(entry, given_votes, tick(3))


@given(cases, votes)
def test_one_more_disagreement_never_raises_and_one_less_never_lowers(case, vote):
    entry, given_votes = case
    against = replace(vote, stance="disagree")

    more = standing(entry, [*given_votes, against], tick(3))
    less = standing(entry, given_votes, tick(3))

    assert RANK[more.name] <= RANK[less.name]
    assert more.operators <= less.operators


@given(cases, votes)
def test_one_more_agreement_never_lowers(case, vote):
    entry, given_votes = case
    behind = replace(vote, stance="agree")

    more = standing(entry, [*given_votes, behind], tick(3))
    less = standing(entry, given_votes, tick(3))

    assert RANK[more.name] >= RANK[less.name]
    assert more.operators >= less.operators


@given(cases, votes)
def test_the_contributors_own_disagreement_changes_nothing(case, vote):
    entry, given_votes = case
    own = replace(vote, operator=entry.operator, stance="disagree")

    assert said(entry, [*given_votes, own], tick(3)) == said(entry, given_votes, tick(3))


@given(cases)
def test_a_dead_link_is_as_good_as_none(case):
    entry, given_votes = case
    living = [vote for vote in given_votes if vote.live]

    assert said(entry, living, tick(3)) == said(entry, given_votes, tick(3))


@given(cases)
def test_accounts_and_weak_items_are_never_corroborated_at_any_time(case):
    entry, given_votes = case
    names = {
        standing(changed, given_votes, tick(number)).name
        for number in range(LAST + 2)
        for changed in (replace(entry, item_kind="account"), replace(entry, strong=False))
    }

    assert "corroborated" not in names


@given(cases, ticks)
def test_a_verdict_is_the_standing_without_its_end(case, now):
    entry, given_votes = case

    found = standing(entry, given_votes, now)

    assert verdict(entry, given_votes, now) == (found.name, found.operators)


@given(entries, votes, ticks)
def test_a_vote_that_is_not_live_is_as_good_as_none(entry, vote, now):
    dead = replace(vote, live=False)

    assert verdict(entry, [dead], now) == verdict(entry, [], now)


@given(
    behind=st.integers(0, 40),
    against=st.integers(0, 40),
    both=st.integers(0, 3),
    copies=st.integers(0, 20),
)
def test_sixteen_links_a_side_and_the_totals_say_what_all_links_would(
    behind, against, both, copies
):
    entry, agrees, disagrees = large(behind, against, min(both, behind, against))
    copied = [replace(vote, operator=vote.operator + 500, copied=True) for vote in agrees[:copies]]

    everything = said(entry, [*agrees, *disagrees, *copied], tick(1))
    kept = (
        replace(
            entry,
            agree_total=len({v.operator for v in agrees} - {v.operator for v in disagrees}),
            disagree_total=len(disagrees),
        ),
        [*agrees, *copied][:16] + disagrees[:16],
    )

    assert said(*kept, tick(1))[0] == everything[0]


def large(behind, against, both):
    """An entry, *behind* agreeing and *against* disagreeing operators, *both* of them twice."""
    vote = Vote(
        0, "platform", "agree", "contribution", "own-service-human", 1, None, None,
        copied=False, counts_from=tick(0), expires=None, live=True,
    )  # fmt: skip
    entry = Entry(
        1, "platform", "picture", "own-service-human", 1, None, copied=False, counts_from=tick(0),
        expires=tick(9), withdrawn=False, strong=True, open_appeal=False, agree_total=0,
        disagree_total=0,
    )  # fmt: skip
    agrees = [replace(vote, operator=100 + number) for number in range(behind)]
    first = 100 + behind - both
    disagrees = [
        replace(vote, operator=first + number, stance="disagree", source="opinion")
        for number in range(against)
    ]
    return entry, agrees, disagrees
