# SPDX-License-Identifier: Apache-2.0
"""A hub that says odd things: what becomes of them here."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from federation.operations.values import (
    Assert,
    Frames,
    Op,
    Opinion,
    Policy,
    PolicyChange,
    Purge,
    Revoke,
    SignalCode,
)
from federation.trust import accept
from hub.domain.changes import SYSTEM
from hub.domain.pace import FEW
from hub.ports.exchange import COUNTS
from hub.services.exchange import partners, receiving
from hub.services.exchange.holding import end_held
from hub.services.office import CONSOLE
from hub.storage.partners import MOST_PROOF
from tests.simulators.partner import OPERATOR, PartnerHub, trusted
from tests.simulators.statements import IND, NOW, ORIGIN, WORDS, operation
from tests.support.codes import pdq
from tests.support.plans import executed
from tests.support.saying import contributed, matched, opined, picture, standings


@pytest.fixture
def clock(clock):
    clock.now = datetime.fromtimestamp(NOW, UTC)
    return clock


@pytest.fixture
def partner(b):
    """A scripted hub that is a partner here, and shares a set."""
    with b.hub.begin.writing(SYSTEM) as work:
        work.partners.add(
            hub=ORIGIN,
            base=f"https://{ORIGIN}/fed/v1",
            root="0" * 64,
            operators=[OPERATOR],
            level=COUNTS,
            at=b.clock(),
        )
        work.commit()
    return PartnerHub()


@pytest.fixture
def shared(b, partner):
    set_id = b.set("lures")
    b.share(ORIGIN, set_id)
    return set_id


@pytest.fixture
def beta(b, shared):
    return b.admit("beta.example.com", sets=[shared])


@pytest.fixture
def hears(b, partner, shared):
    """Let the partner say things, and take them in; returns what became of them."""

    def heard(*operations):
        kept = b.enrolled(ORIGIN)
        partner.say(*operations)
        sets = tuple(sorted(kept.sets))
        page = partner.page(kept.trust.applied, sets=sets).encoded()
        accepted = accept(page, trusted(sets=frozenset(sets)), kept.trust, NOW)
        came = receiving.receive(accepted, partner=kept, state=partners.GOOD, hub=b.hub)
        b.settle()
        return came

    return heard


def stated(shared, known, **changed):
    body = Assert("picture", (SignalCode("pdq", bytes.fromhex(known), 90),), WORDS)
    return operation(**{"body": body, "policy": Policy("amber", (shared,)), **changed})


def alarms(b):
    with b.hub.begin.reading() as work:
        return [one["alarm"] for one in work.partners.evidence(b.enrolled(ORIGIN).key)]


@pytest.mark.parametrize(
    "odd",
    [
        SignalCode("pdq", b"\xff" * 32, 90),
        SignalCode("pdq", bytes.fromhex("0f" * 32), 10),
        SignalCode("pdq", b"\x0f" * 31, 90),
        SignalCode("md5", bytes(16)),
        SignalCode("account", b"\x0f" * 16),
        SignalCode("unheard-of", b"\x0f" * 16),
    ],
    ids=["impossible", "blurred", "short", "of-nothing", "account", "unknown-alone"],
)
def test_what_the_guards_refuse_of_members_they_refuse_of_partners(b, hears, shared, beta, odd):
    good = pdq()
    before = b.hub.engine.totals

    came = hears(stated(shared, good, body=Assert("picture", (odd,), WORDS)))

    assert (came.refused, alarms(b)) == (1, ["content"])
    assert b.hub.engine.totals == before
    assert hears(stated(shared, good, n=2, previous="0" * 64)).refused == 0
    assert matched(beta, pdq=good)["answer"] == "hit"


def test_a_word_nobody_knows_is_read_by_its_parent(b, hears, shared, beta):
    known = pdq()
    words = {**WORDS, "harm": ("newly-named", "wholly-new"), "use": "newly-used"}
    code = SignalCode("pdq", bytes.fromhex(known), 90)
    body = Assert("picture", (code,), words, parents={"newly-named": "solicitation"})

    hears(stated(shared, known, body=body))

    (hit,) = matched(beta, pdq=known)["hits"]
    assert (hit["harm"], hit["use"]) == (["solicitation", "unspecified-csea"], "unknown")


def test_two_things_with_one_version_count_for_nothing(b, hears, shared, beta):
    one, other = pdq(), pdq()
    hears(stated(shared, one))
    assert matched(beta, pdq=one)["answer"] == "hit"

    hears(stated(shared, other))

    assert matched(beta, pdq=one)["answer"] == matched(beta, pdq=other)["answer"] == "none"
    assert alarms(b) == ["equivocation"]
    assert hears(stated(shared, one, n=2, previous="0" * 64)).kept == 1
    assert matched(beta, pdq=one)["answer"] == "hit"


def test_in_one_page_as_well(b, hears, shared, beta):
    one, other = pdq(), pdq()

    hears(stated(shared, one), stated(shared, other))

    assert matched(beta, pdq=one)["answer"] == matched(beta, pdq=other)["answer"] == "none"
    assert alarms(b) == ["equivocation"]


def test_it_is_bad_of_whoever_says_so(b, hears, shared):
    came = hears(stated(shared, pdq()), stated(shared, pdq()))

    assert (came.refused, b.enrolled(ORIGIN).refused) == (1, 1)


def test_what_it_takes_to_prove_much_is_not_read_again(b, hears, shared):
    """Two videos are some hundred kilobytes: they are kept, a few of them, and left alone."""
    for at in range(8):
        target = f"ind_{'bcdefghi'[at]}{'a' * 25}"
        hears(*(replace(video(shared), target=target, salt=bytes([n]) * 16) for n in (1, 2)))

    with executed(b.database.writer) as made:
        hears(stated(shared, pdq()), stated(shared, pdq()))

    asked = [one for one, _ in made if "FROM evidence" in one]
    assert asked
    assert not any("evidence.proof" in one for one in asked)
    with b.hub.begin.reading() as work:
        kept = work.partners.evidence(b.enrolled(ORIGIN).key)
    assert sum(one["count"] for one in kept) == 9
    largest = max(sum(map(len, one["proof"])) for one in kept)
    assert sum(len(one) for it in kept for one in it["proof"]) < MOST_PROOF + largest
    assert len(kept) < 9


def video(shared):
    frames = Frames(bytes(32 * 5_000), bytes(4 * 5_000), bytes(5_000))
    code = SignalCode("pdq", bytes.fromhex(pdq()), 90)
    body = Assert("video", (code,), WORDS, frames, "vpdq/1")
    return stated(shared, pdq(), body=body, policy=allowing(shared, "research"))


def test_an_earlier_version_does_not_undo_a_later(b, hears, shared, beta):
    known = pdq()
    hears(stated(shared, known, op=Op.REVOKE, n=2, previous="0" * 64, body=_revoke()))

    assert hears(stated(shared, known)).kept == 0
    assert matched(beta, pdq=known)["answer"] == "none"


def test_an_id_that_another_took_is_no_hindrance(b, hears, shared, beta):
    """Whoever hears of an id may use it first; its owner is heard nevertheless."""
    own, theirs = pdq(), pdq()
    taken = contributed(beta, picture(pdq=own), shared)

    hears(stated(shared, theirs, target=taken))

    assert matched(beta, pdq=theirs)["answer"] == "hit"
    assert standings(beta, taken)[shared][0] == "review"
    hears(
        stated(shared, theirs, target=taken, op=Op.REVOKE, n=2, previous="0" * 64, body=_revoke())
    )
    assert matched(beta, pdq=own)["answer"] == "hit"
    assert matched(beta, pdq=theirs)["answer"] == "none"


def test_another_picture_under_the_same_id_is_another_indicator(b, hears, shared, beta):
    one, other = pdq(), pdq()
    hears(stated(shared, one))

    hears(stated(shared, other, n=2, previous="0" * 64))

    assert matched(beta, pdq=one)["answer"] == "none"
    assert matched(beta, pdq=other)["answer"] == "hit"


def test_nobody_has_an_opinion_of_its_own_through_another_hub(b, hears, shared, beta):
    known = pdq()
    hears(
        stated(shared, known),
        stated(
            shared,
            known,
            op=Op.OPINION,
            target=f"{ORIGIN}/{IND}/{shared}",
            body=Opinion("disagree", "benign", "own-service-human", 1),
        ),
    )

    assert matched(beta, pdq=known)["standing"] == "review"


def test_a_hub_cannot_narrow_what_another_author_says(b, hears, shared, beta):
    known = pdq()
    hears(stated(shared, known))
    narrowing = stated(
        shared, known, op=Op.POLICY, body=PolicyChange(9), author=f"{ORIGIN}/m/{'z' * 16}"
    )

    hears(narrowing)
    assert matched(beta, pdq=known)["answer"] == "hit"
    hears(replace(narrowing, author=f"{ORIGIN}/m/{'k' * 16}"))
    assert matched(beta, pdq=known)["answer"] == "none"


def test_a_page_is_kept_once_whoever_else_keeps_it(b, partner, shared):
    kept = b.enrolled(ORIGIN)
    partner.say(stated(shared, pdq()))
    page = partner.page(sets=(shared,)).encoded()
    accepted = accept(page, trusted(sets=frozenset({shared})), kept.trust, NOW)

    first = receiving.receive(accepted, partner=kept, state=partners.GOOD, hub=b.hub)
    again = receiving.receive(accepted, partner=kept, state=partners.GOOD, hub=b.hub)

    assert first is not None
    assert again is None


def test_a_stale_partners_word_does_not_count(b, hears, shared, beta, clock):
    known = pdq()
    mine = contributed(beta, picture(pdq=known), shared)
    hears(stated(shared, known))
    clock.forward(seconds=3)
    assert standings(beta, mine)[shared][0] == "corroborated"

    with b.hub.begin.writing(SYSTEM) as work:
        assert work.partners.mark(ORIGIN, "stale") == 1
        work.commit()

    assert standings(beta, mine)[shared][0] == "review"
    assert matched(beta, pdq=known)["standing"] == "review"


def _revoke():
    return Revoke()


# -- how fast ------------------------------------------------------------------------------------


def many(count):
    """Pictures by the ids they are known by."""
    return {f"ind_{'abcdefghijklmnopqrstuvwxyz'[at]}{'a' * 25}": pdq() for at in range(count)}


def taken_back(shared, known, target):
    return stated(
        shared, known, target=target, op=Op.REVOKE, n=2, previous="0" * 64, body=Revoke()
    )


@pytest.fixture
def too_many(hears, shared):
    """More was taken back in a day than a partner may alone."""
    known = many(FEW + 5)
    hears(*(stated(shared, one, target=target) for target, one in known.items()))
    hears(*(taken_back(shared, one, target) for target, one in known.items()))
    return known


def answers(beta, known):
    told = [matched(beta, pdq=one) for one in known.values()]
    return [one.get("standing", one["answer"]) for one in told]


def test_what_is_taken_back_too_fast_is_disputed_for_a_day(b, beta, too_many, clock):
    assert answers(beta, too_many) == ["none"] * FEW + ["disputed"] * 5

    clock.forward(hours=23)
    assert end_held(b.hub) == 0
    clock.forward(hours=1)
    assert end_held(b.hub) == 5
    b.settle()

    assert answers(beta, too_many) == ["none"] * (FEW + 5)


def _purges(shared, known):
    return [
        stated(shared, one, op=Op.PURGE, target=target, body=Purge("erasure"))
        for target, one in known.items()
    ]


def _narrowings(shared, known):
    return [
        stated(shared, one, op=Op.POLICY, target=target, body=PolicyChange(9))
        for target, one in known.items()
    ]


def _contradictions(shared, known):
    return [stated(shared, pdq(), target=target) for target in known]


@pytest.mark.parametrize("silencing", [_purges, _narrowings, _contradictions])
def test_no_other_way_of_taking_back_is_quicker(b, beta, shared, hears, clock, silencing):
    known = many(FEW + 5)
    hears(*(stated(shared, one, target=target) for target, one in known.items()))

    hears(*silencing(shared, known))

    assert sorted(answers(beta, known)) == ["disputed"] * 5 + ["none"] * FEW
    clock.forward(days=1)
    assert end_held(b.hub) == 5
    b.settle()
    assert answers(beta, known) == ["none"] * (FEW + 5)
    if silencing is _purges:
        assert len(b.hub.erasures.all()) == FEW + 5


def test_to_live_shorter_is_no_quicker_way(b, beta, shared, hears, clock):
    known = many(FEW + 5)
    hears(*(stated(shared, one, target=target) for target, one in known.items()))

    hears(*(anew(shared, one, target, expires=NOW + 2) for target, one in known.items()))

    clock.forward(seconds=3)
    assert answers(beta, known) == ["none"] * FEW + ["disputed"] * 5
    clock.forward(days=1)
    assert end_held(b.hub) == 5
    b.settle()
    assert answers(beta, known) == ["none"] * (FEW + 5)


def anew(shared, known, target, **changed):
    return stated(shared, known, target=target, n=2, previous="0" * 64, **changed)


def _said_elsewhere(shared, other, known):
    policy = Policy("amber", (other,))
    return [anew(shared, one, target, policy=policy) for target, one in known.items()]


def _taken_out(shared, _other, known):
    return _narrowings(shared, known)


@pytest.mark.parametrize("leaving", [_said_elsewhere, _taken_out])
def test_nor_is_to_leave_one_of_two_sets(b, beta, shared, hears, clock, leaving):
    other = b.set("decoys")
    b.share(ORIGIN, other)
    reader = b.admit("gamma.example.com", sets=[other])
    both = Policy("amber", tuple(sorted((shared, other))))
    known = many(FEW + 5)
    hears(*(stated(shared, one, target=target, policy=both) for target, one in known.items()))

    hears(*leaving(shared, other, known))

    assert answers(beta, known) == ["none"] * FEW + ["disputed"] * 5
    clock.forward(days=1)
    assert end_held(b.hub) == 5
    b.settle()
    assert answers(beta, known) == ["none"] * (FEW + 5)
    assert answers(reader, known) == ["review"] * (FEW + 5)


def test_what_is_held_says_its_new_words_at_once(b, beta, shared, hears, too_many):
    """Words can be wrong of somebody: they do not wait."""
    known, target = pdq(), f"ind_{'z' * 26}"
    hears(stated(shared, known, target=target))
    words = {**WORDS, "depicts": "no-person"}
    body = Assert("picture", (SignalCode("pdq", bytes.fromhex(known), 90),), words)

    hears(anew(shared, known, target, body=body, expires=NOW + 60))

    (hit,) = matched(beta, pdq=known)["hits"]
    assert (hit["standing"], hit["depicts"]) == ("disputed", "no-person")


def test_what_was_taken_back_by_whom_nobody_trusts_any_more_stays(b, beta, too_many, clock):
    partners.change(ORIGIN, by=CONSOLE, hub=b.hub, state="quarantined")
    clock.forward(days=2)
    assert end_held(b.hub) == 0

    partners.change(ORIGIN, by=CONSOLE, hub=b.hub, state="active")
    assert end_held(b.hub) == 5


def test_nobody_erases_what_another_said(b, beta, shared, hears):
    """An id may be used by anybody; what is erased is what its own author said."""
    own, theirs = pdq(), pdq()
    taken = contributed(beta, picture(pdq=own), shared)
    b.publish()
    hears(stated(shared, theirs, target=taken))

    hears(stated(shared, theirs, op=Op.PURGE, target=taken, body=Purge("erasure")))

    assert matched(beta, pdq=own)["answer"] == "hit"
    assert matched(beta, pdq=theirs)["answer"] == "none"
    with b.hub.begin.reading() as work:
        (leaf,) = work.logs.entries(work.logs.open(b.voice.log.origin), 0, 1)
    assert own.encode() in leaf.sealed.payload


def test_somebody_who_has_looked_lets_it_go_at_once(b, beta, too_many):
    assert end_held(b.hub, partner="hub-x.example") == 0
    assert end_held(b.hub, partner=ORIGIN) == 5
    b.settle()

    assert answers(beta, too_many) == ["none"] * (FEW + 5)


def test_what_is_said_anew_is_disputed_no_more(b, beta, shared, hears, too_many, clock):
    target, known = list(too_many.items())[-1]
    hears(stated(shared, known, target=target, n=3, previous="0" * 64))
    assert matched(beta, pdq=known)["standing"] == "review"

    clock.forward(days=2)
    assert end_held(b.hub) == 4


def test_a_days_rest_gives_a_partner_its_pace_back(beta, shared, hears, too_many, clock):
    clock.forward(days=1, hours=1)
    known = pdq()
    hears(stated(shared, known))
    hears(taken_back(shared, known, IND))

    assert matched(beta, pdq=known)["answer"] == "none"


def test_a_flood_is_known_by_what_was_usual(b, partner, shared, clock):
    def pace():
        with b.hub.begin.reading() as work:
            return work.partners.pace(b.enrolled(ORIGIN).key, b.clock())

    def counted(added):
        with b.hub.begin.writing(SYSTEM) as work:
            work.partners.paced(b.enrolled(ORIGIN).key, b.clock(), added=added, revoked=1)
            work.commit()

    counted(50_000)
    assert not pace().is_flood  # it is new: that is its first sync
    for _ in range(9):
        clock.forward(days=1)
        counted(100)
    assert (pace().added, pace().revoked) == (100, 1)
    assert list(pace().before) == [100] * 7
    counted(10_000)
    assert pace().is_flood


def test_an_opinion_of_one_is_not_of_another_that_took_its_id(b, beta, shared, hears):
    """Whoever takes the id of an honest indicator draws its own disputes, and no others."""
    own, theirs = pdq(), pdq()
    taken = contributed(beta, picture(pdq=own), shared)
    b.publish()
    hears(stated(shared, theirs, target=taken))

    hears(
        stated(
            shared,
            theirs,
            op=Op.OPINION,
            operator=OPERATOR,
            target=f"{ORIGIN}/{taken}/{shared}",
            body=Opinion("disagree", "benign", "own-service-human", 1),
        )
    )
    assert matched(beta, pdq=own)["standing"] == "review"

    hears(
        stated(
            shared,
            theirs,
            op=Op.OPINION,
            operator=OPERATOR,
            target=f"{b.name}/{taken}/{shared}",
            body=Opinion("disagree", "benign", "own-service-human", 1),
        )
    )
    assert matched(beta, pdq=own)["standing"] == "disputed"
    assert matched(beta, pdq=theirs)["standing"] == "review"


@pytest.mark.parametrize(("spoken", "standing"), [(-60, "review"), (60, "disputed")])
def test_an_operators_latest_word_counts_through_whichever_hub_it_came(
    b, beta, shared, hears, clock, spoken, standing
):
    """It has a member here and one at the other hub; they are one voice."""
    twin = b.admit(OPERATOR, sets=[shared])
    known = pdq()
    indicator = contributed(beta, picture(pdq=known), shared)
    b.publish()
    opined(twin, indicator, shared, "agree", basis="own-service-human", assessed_by=1)

    hears(
        stated(
            shared,
            known,
            op=Op.OPINION,
            created=NOW + spoken,
            target=f"{b.name}/{indicator}/{shared}",
            body=Opinion("disagree", "benign", "own-service-human", 1),
        )
    )

    assert matched(beta, pdq=known)["standing"] == standing


# -- what may follow -----------------------------------------------------------------------------


def allowing(shared, act):
    return Policy("amber", (shared,), act=act)


def test_what_may_only_be_looked_at_is_never_more(b, hears, shared, beta, clock):
    known = pdq()
    gamma = b.admit("gamma.example.com", sets=[shared])
    hears(stated(shared, known, policy=allowing(shared, "review")))
    clock.forward(seconds=4)
    reader = b.admit("delta.example.com", sets=[shared])
    assert matched(reader, pdq=known)["standing"] == "review"

    ours = [contributed(one, picture(pdq=known), shared) for one in (gamma, beta)]
    clock.forward(seconds=4)
    b.settle()

    assert {standings(beta, one)[shared] for one in ours} == {("corroborated", 2)}
    hits = matched(beta, pdq=known)["hits"]
    assert [hit["standing"] for hit in hits].count("review") == 1
    assert len(hits) == 3


def test_it_lends_nobody_its_voice(hears, shared, beta, clock):
    known = pdq()
    mine = contributed(beta, picture(pdq=known), shared)
    hears(stated(shared, known, policy=allowing(shared, "review")))
    clock.forward(seconds=4)

    assert standings(beta, mine)[shared] == ("review", 1)


def test_a_later_version_allows_more_or_less(b, hears, shared, beta, clock):
    known = pdq()
    mine = contributed(beta, picture(pdq=known), shared)
    seen = []
    for n, act in enumerate(("match", "review", "match", "research", "review"), 1):
        previous = None if n == 1 else "0" * 64
        hears(stated(shared, known, n=n, previous=previous, policy=allowing(shared, act)))
        clock.forward(seconds=4)
        b.settle()
        seen.append((standings(beta, mine)[shared][0], len(matched(beta, pdq=known)["hits"])))

    assert seen == [
        ("corroborated", 2), ("review", 2), ("corroborated", 2), ("review", 1), ("review", 2),
    ]  # fmt: skip


def test_what_is_for_research_is_shown_to_nobody_and_kept(b, hears, shared, beta):
    known = pdq()
    came = hears(stated(shared, known, policy=allowing(shared, "research")))

    assert (came.kept, came.refused) == (1, 0)
    assert matched(beta, pdq=known)["answer"] == "none"
    snapshot = beta.get(f"/v1/sets/{shared}/snapshot")
    assert snapshot.status_code == 200, snapshot.text
    assert known not in snapshot.text
    with b.hub.begin.reading() as work:
        (kept,) = work.exchange.about([IND], ("indicator",))
        assert work.exchange.sealed([kept.operation])
    assert kept.indicator is None


def test_what_was_only_kept_is_erased_as_well(b, hears, shared, beta):
    known = pdq()
    said = stated(shared, known, policy=allowing(shared, "research"))
    hears(said)

    hears(stated(shared, known, op=Op.PURGE, body=Purge("erasure")))

    with b.hub.begin.reading() as work:
        (kept,) = work.exchange.about([IND], ("indicator",))
        assert work.exchange.sealed([kept.operation]) == {}


@pytest.mark.parametrize(
    ("stance", "act", "expected"),
    [
        ("agree", "match", "corroborated"),
        ("agree", "review", "review"),
        ("agree", "research", "review"),
        ("disagree", "review", "disputed"),
        ("disagree", "research", "disputed"),
    ],
)
def test_an_agreement_too_may_allow_no_more_than_a_look(
    b, hears, shared, beta, clock, stance, act, expected
):
    mine = contributed(beta, picture(pdq=pdq()), shared)
    b.publish()

    hears(
        stated(
            shared,
            pdq(),
            op=Op.OPINION,
            target=f"{b.name}/{mine}/{shared}",
            body=Opinion(stance, "benign", "own-service-human", 1),
            policy=allowing(shared, act),
        )
    )
    clock.forward(seconds=4)

    assert standings(beta, mine)[shared][0] == expected


def test_who_holds_a_set_at_home_is_told_no_more_than_who_asks(b, hears, shared, beta, clock):
    known = pdq()
    contributed(beta, picture(pdq=known), shared)
    hears(stated(shared, known, policy=allowing(shared, "review")))
    clock.forward(seconds=4)
    b.settle()

    told = beta.get(f"/v1/sets/{shared}/snapshot").json

    assert {record["standing"] for record in told["records"]} == {"review"}
    assert not any("act" in record["words"] for record in told["records"])
