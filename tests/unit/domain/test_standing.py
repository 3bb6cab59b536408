# SPDX-License-Identifier: Apache-2.0
"""Every rule of standing, one by one, in the order in which the design numbers them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.standing import (
    Entry,
    Standing,
    Verdict,
    Vote,
    at_most_review,
    best,
    standing,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CONTRIBUTOR, OTHER, THIRD, FOURTH = 1, 2, 3, 4

ENTRY = Entry(
    operator=CONTRIBUTOR,
    operator_kind="platform",
    item_kind="picture",
    basis="own-service-human",
    assessed_by=1,
    list_name=None,
    copied=False,
    counts_from=NOW - SECOND,
    expires=NOW + timedelta(days=365),
    withdrawn=False,
    strong=True,
    open_appeal=False,
    agree_total=0,
    disagree_total=0,
)
NEIGHBOUR = Vote(
    operator=OTHER,
    operator_kind="platform",
    stance="agree",
    source="contribution",
    basis="own-service-human",
    assessed_by=1,
    list_name=None,
    reason=None,
    copied=False,
    counts_from=NOW - SECOND,
    expires=NOW + timedelta(days=365),
    live=True,
)
AGREES = replace(NEIGHBOUR, source="opinion", expires=None)
DISPUTES = replace(AGREES, stance="disagree", reason="different-content", operator=THIRD)


def said(entry=ENTRY, *votes):
    found = standing(entry, votes, NOW)
    return found.name, found.operators


def test_a_single_contribution_is_for_review():
    assert said(ENTRY) == ("review", 1)


# 1. No live version.


def test_withdrawn_wins_over_everything():
    entry = replace(ENTRY, withdrawn=True, open_appeal=True)

    assert standing(entry, [NEIGHBOUR], NOW) == Standing("withdrawn", 0, None)


@pytest.mark.parametrize(("left", "name"), [(SECOND, "review"), (SECOND * 0, "expired")])
def test_an_entry_lives_up_to_but_not_at_its_expiry(left, name):
    assert standing(replace(ENTRY, expires=NOW + left), [], NOW).name == name


# 2. Disputed.


def test_an_open_appeal_disputes_what_two_operators_know():
    assert said(replace(ENTRY, open_appeal=True), NEIGHBOUR) == ("disputed", 2)


@pytest.mark.parametrize("reason", ["depicted-person", "subject-child", "unlawful-to-share"])
def test_one_voice_is_enough_where_a_person_may_be_wronged(reason):
    behind = [replace(NEIGHBOUR, operator=10 + i) for i in range(9)]

    assert said(ENTRY, *behind, replace(DISPUTES, reason=reason))[0] == "disputed"


@pytest.mark.parametrize("reason", ["different-content", "benign", "appeal-upheld", "outdated"])
def test_any_other_reason_needs_a_share_of_the_operators(reason):
    behind = [replace(NEIGHBOUR, operator=10 + i) for i in range(9)]

    assert said(ENTRY, *behind, replace(DISPUTES, reason=reason))[0] == "corroborated"


@pytest.mark.parametrize(
    ("against", "behind", "name"),
    [
        (1, 0, "disputed"),  # 1 of 2
        (1, 1, "corroborated"),  # 1 of 3, under 0.34
        (2, 2, "disputed"),  # 2 of 5
        (16, 15, "disputed"),
        (8, 15, "corroborated"),  # 8 of 24, under 0.34
        (9, 15, "disputed"),  # 9 of 25
    ],
)
def test_a_third_of_all_operators_is_not_yet_a_dispute_but_a_little_more_is(against, behind, name):
    votes = [replace(NEIGHBOUR, operator=100 + i) for i in range(behind)]
    votes += [replace(DISPUTES, operator=200 + i) for i in range(against)]

    assert said(ENTRY, *votes)[0] == name


@pytest.mark.parametrize(("against", "name"), [(16, "corroborated"), (17, "disputed")])
def test_exactly_34_of_100_operators_is_a_dispute_beyond_the_links_that_are_kept(against, name):
    # 16 + 34, and 17 + 33 operators: 0.32 and exactly 0.34.
    entry = replace(ENTRY, agree_total=49 - against, disagree_total=against)
    votes = [replace(NEIGHBOUR, operator=100 + i) for i in range(16)]
    votes += [replace(DISPUTES, operator=200 + i) for i in range(16)]

    assert said(entry, *votes) == (name, 17)


def test_totals_mean_nothing_while_every_link_is_kept():
    lagging = replace(ENTRY, agree_total=9, disagree_total=9)

    assert said(lagging, NEIGHBOUR, DISPUTES) == said(ENTRY, NEIGHBOUR, DISPUTES)


def test_a_dead_link_is_not_counted_again_through_the_totals():
    entry = replace(ENTRY, agree_total=18, disagree_total=8)
    behind = [replace(NEIGHBOUR, operator=100 + i) for i in range(16)]
    against = [replace(DISPUTES, operator=200 + i) for i in range(8)]

    # 8 of 27, then 8 of 20: the contributor, two links that live, and two beyond the links.
    assert said(entry, *behind, *against)[0] == "corroborated"
    dead = [replace(vote, live=False) for vote in behind[2:]]
    assert said(entry, *behind[:2], *dead, *against)[0] == "disputed"


def test_an_operator_on_both_sides_is_in_no_total_of_those_that_agree():
    # Kept: 3 that say both, 13 that agree. Ten more agree beyond the links.
    entry = replace(ENTRY, agree_total=13 + 10, disagree_total=12)
    agrees = [replace(NEIGHBOUR, operator=100 + i) for i in range(16)]
    disputes = [replace(DISPUTES, operator=100 + i) for i in range(3)]
    disputes += [replace(DISPUTES, operator=200 + i) for i in range(9)]

    # 12 of 36, then 13 of 37.
    assert said(entry, *agrees, *disputes)[0] == "corroborated"
    assert said(entry, *agrees, *disputes, replace(DISPUTES, operator=300))[0] == "disputed"


def test_the_contributors_own_agreement_is_in_no_total():
    entry = replace(ENTRY, agree_total=15 + 10, disagree_total=13)
    agrees = [replace(NEIGHBOUR, operator=100 + i) for i in range(15)]
    agrees += [replace(AGREES, operator=CONTRIBUTOR)]
    disputes = [replace(DISPUTES, operator=200 + i) for i in range(13)]

    # 13 of 39, then 14 of 40.
    assert said(entry, *agrees, *disputes)[0] == "corroborated"
    assert said(entry, *agrees, *disputes, replace(DISPUTES, operator=300))[0] == "disputed"


def test_an_operator_that_says_both_is_only_heard_against():
    votes = [NEIGHBOUR, replace(DISPUTES, operator=OTHER)]

    assert said(ENTRY, *votes) == ("disputed", 1)


def test_an_operator_disputes_once_with_however_many_members():
    votes = [NEIGHBOUR, replace(NEIGHBOUR, operator=FOURTH), DISPUTES]
    assert said(ENTRY, *votes)[0] == "corroborated"

    votes += [replace(DISPUTES, reason="benign")]

    assert said(ENTRY, *votes)[0] == "corroborated"


def test_the_contributor_cannot_dispute_its_own_word():
    own = replace(DISPUTES, operator=CONTRIBUTOR, reason="subject-child")

    assert said(ENTRY, NEIGHBOUR, own) == ("corroborated", 2)


def test_duplicate_is_no_vote():
    vote = replace(DISPUTES, reason="duplicate")

    assert said(ENTRY, vote) == ("review", 1)


def test_a_duplicate_does_not_silence_what_its_operator_contributed():
    vote = replace(DISPUTES, operator=OTHER, reason="duplicate")

    assert said(ENTRY, NEIGHBOUR, vote) == ("corroborated", 2)


def test_any_agreement_stands_against_a_dispute_even_without_a_human_look():
    agrees = replace(AGREES, basis="automated-unreviewed", assessed_by=0)

    assert said(ENTRY, agrees, DISPUTES) == ("review", 1)


def test_a_copy_does_not_stand_against_a_dispute():
    copy = replace(NEIGHBOUR, copied=True)

    assert said(ENTRY, copy, DISPUTES) == ("disputed", 1)


# 3. Corroborated.


def test_two_independent_operators_corroborate():
    assert said(ENTRY, NEIGHBOUR) == ("corroborated", 2)


def test_one_operators_two_members_count_once():
    votes = [replace(NEIGHBOUR, operator=CONTRIBUTOR), replace(AGREES, operator=CONTRIBUTOR)]

    assert said(ENTRY, *votes) == ("review", 1)


@pytest.mark.parametrize(
    ("basis", "counts"),
    [
        ("own-service-human", True),
        ("hotline-assessed", True),
        ("report-confirmed", True),
        ("self-report", False),
        ("law-enforcement-referral", False),
        ("automated-unreviewed", False),
        ("matched-shared", False),
        ("a-word-of-tomorrow", False),
    ],
)
@pytest.mark.parametrize("vote", [NEIGHBOUR, AGREES])
def test_only_a_basis_that_counts_corroborates(vote, basis, counts):
    expected = ("corroborated", 2) if counts else ("review", 1)

    assert said(ENTRY, replace(vote, basis=basis)) == expected


def test_the_contributors_own_basis_must_count_too():
    entry = replace(ENTRY, basis="automated-unreviewed")

    assert said(entry, NEIGHBOUR) == ("review", 1)
    assert said(entry, NEIGHBOUR, replace(NEIGHBOUR, operator=THIRD)) == ("corroborated", 2)


def test_an_agreement_needs_a_human_look_and_a_contribution_only_its_basis():
    assert said(ENTRY, replace(AGREES, assessed_by=0)) == ("review", 1)
    assert said(ENTRY, replace(NEIGHBOUR, assessed_by=0)) == ("corroborated", 2)


@pytest.mark.parametrize("kind", ["law-enforcement", "regulator"])
def test_a_state_never_corroborates_in_either_place(kind):
    assert said(ENTRY, replace(NEIGHBOUR, operator_kind=kind)) == ("review", 1)
    assert said(ENTRY, replace(AGREES, operator_kind=kind)) == ("review", 1)
    assert said(replace(ENTRY, operator_kind=kind), NEIGHBOUR) == ("review", 1)


def test_a_copy_never_corroborates_but_its_operators_human_look_does():
    copy = replace(NEIGHBOUR, copied=True)

    assert said(ENTRY, copy) == ("review", 1)
    assert said(ENTRY, copy, AGREES) == ("corroborated", 2)
    assert said(replace(ENTRY, copied=True), NEIGHBOUR) == ("review", 1)


@pytest.mark.parametrize("vote", [NEIGHBOUR, AGREES])
def test_one_expert_list_counts_once_however_many_operators_hold_it(vote):
    entry = replace(ENTRY, basis="expert-list", list_name="a")
    same = replace(vote, basis="expert-list", list_name="a")

    assert said(entry, same, replace(same, operator=THIRD)) == ("review", 1)
    assert said(entry, same, replace(same, operator=THIRD, list_name="b")) == ("corroborated", 2)


def test_an_expert_list_and_an_operators_own_knowledge_are_two():
    listed = replace(NEIGHBOUR, basis="expert-list", list_name="a")

    assert said(ENTRY, listed) == ("corroborated", 2)


def test_one_operator_with_two_lists_is_still_one_operator():
    listed = replace(NEIGHBOUR, basis="expert-list", list_name="a")

    assert said(ENTRY, listed, replace(listed, list_name="b")) == ("corroborated", 2)
    assert said(
        replace(ENTRY, basis="automated-unreviewed"), listed, replace(listed, list_name="b")
    ) == ("review", 1)


def test_lists_are_assigned_to_operators_as_well_as_can_be():
    # Operator 2 holds both lists, operator 3 only the one that comes first.
    first = replace(NEIGHBOUR, basis="expert-list", list_name="a")
    votes = [first, replace(first, list_name="b"), replace(first, operator=THIRD)]

    assert said(replace(ENTRY, basis="self-report"), *votes) == ("corroborated", 2)


def test_lists_are_moved_along_from_operator_to_operator():
    listed = replace(NEIGHBOUR, basis="expert-list")
    held = [(2, "a"), (2, "b"), (3, "a"), (3, "c"), (4, "a")]
    votes = [replace(listed, operator=operator, list_name=name) for operator, name in held]

    assert said(replace(ENTRY, basis="self-report"), *votes) == ("corroborated", 3)


def test_an_unnamed_expert_list_does_not_count():
    assert said(ENTRY, replace(NEIGHBOUR, basis="expert-list")) == ("review", 1)


def test_a_weak_signal_is_never_corroborated():
    assert said(replace(ENTRY, strong=False), NEIGHBOUR) == ("review", 2)


def test_an_account_is_never_corroborated_but_may_be_disputed():
    account = replace(ENTRY, item_kind="account")

    assert said(account, NEIGHBOUR, AGREES) == ("review", 2)
    assert said(account, DISPUTES) == ("disputed", 1)


@pytest.mark.parametrize("vote", [NEIGHBOUR, AGREES, DISPUTES])
def test_a_vote_that_is_not_live_or_expired_is_none(vote):
    assert said(ENTRY, replace(vote, live=False)) == ("review", 1)
    assert said(ENTRY, replace(vote, expires=NOW)) == ("review", 1)


@pytest.mark.parametrize("vote", [NEIGHBOUR, AGREES])
def test_an_agreement_counts_only_from_its_moment(vote):
    assert said(ENTRY, replace(vote, counts_from=NOW)) == ("corroborated", 2)
    assert said(ENTRY, replace(vote, counts_from=NOW + SECOND)) == ("review", 1)


def test_a_disagreement_counts_at_once():
    assert said(ENTRY, replace(DISPUTES, counts_from=NOW + SECOND)) == ("disputed", 1)


# When time alone changes it.


def test_until_is_the_first_moment_that_changes_something():
    late = replace(NEIGHBOUR, counts_from=NOW + 3 * SECOND)

    assert standing(ENTRY, [late], NOW) == Standing("review", 1, NOW + 3 * SECOND)


def test_until_passes_over_moments_that_change_nothing():
    copy = replace(NEIGHBOUR, copied=True, expires=NOW + SECOND)

    assert standing(ENTRY, [copy], NOW).until == ENTRY.expires


def test_a_fresh_corroboration_waits_for_the_later_of_its_two_contributions():
    entry = replace(ENTRY, counts_from=NOW + SECOND)
    late = replace(NEIGHBOUR, counts_from=NOW + 3 * SECOND)

    told = [standing(entry, [late], NOW + n * SECOND) for n in range(4)]

    assert told == [
        Standing("review", 0, NOW + SECOND),
        Standing("review", 1, NOW + 3 * SECOND),
        Standing("review", 1, NOW + 3 * SECOND),
        Standing("corroborated", 2, ENTRY.expires),
    ]


# Of several, and of weaker hits.


def test_the_best_of_an_items_hits_is_the_strongest():
    corroborated, wider = Verdict("corroborated", 2), Verdict("corroborated", 3)
    review, disputed, gone = Verdict("review", 1), Verdict("disputed", 5), Verdict("expired", 0)

    assert best([review, corroborated, disputed, wider]) == wider
    assert best([disputed, review]) == review
    assert best([disputed, gone]) == disputed
    assert best([gone, Verdict("withdrawn", 0)]) == gone
    assert best([]) is None


def test_a_hit_only_its_contributor_vouches_for_is_at_most_review():
    assert at_most_review(Verdict("corroborated", 2)) == Verdict("review", 2)
    for name in ("review", "disputed", "expired", "withdrawn"):
        assert at_most_review(Verdict(name, 1)) == Verdict(name, 1)


# What may only be looked at.


def test_what_may_only_be_looked_at_is_never_corroborated():
    entry = replace(ENTRY, only_review=True)
    both = NEIGHBOUR, replace(NEIGHBOUR, operator=THIRD)

    assert said(entry) == ("review", 0)
    assert said(entry, *both) == ("review", 2)
    assert said(ENTRY, *both) == ("corroborated", 3)


def test_what_may_only_be_looked_at_is_disputed_as_anything_else():
    assert said(replace(ENTRY, only_review=True), DISPUTES)[0] == "disputed"
