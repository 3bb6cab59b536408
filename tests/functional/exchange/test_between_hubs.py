# SPDX-License-Identifier: Apache-2.0
"""What one hub knows the other knows, and stops saying when it is taken back."""

import pytest
import sqlalchemy as sa

from federation.operations.payloads import read_operation
from hub.domain.changes import SYSTEM
from hub.services import upkeep
from hub.services.exchange import partners
from hub.services.office import CONSOLE
from hub.storage import tables
from tests.support.codes import flipped, pdq
from tests.support.saying import (
    account,
    contributed,
    matched,
    opined,
    picture,
    standings,
    version,
    withdrawn,
)


def pushed(a, b):
    """Carry all that the first says to the second."""
    a.publish()
    return b.catch_up(a)


def logged(hub):
    """The operations in a hub's log."""
    with hub.hub.begin.reading() as work:
        log = work.logs.open(hub.voice.log.origin)
        leaves = work.logs.entries(log, 0, log.size)
    return [read_operation(one.sealed.payload).operation for one in leaves]


def test_what_one_hub_knows_the_other_matches(a, b, shared, alpha, beta, clock):
    known = pdq()
    contributed(alpha, picture(pdq=known), shared)
    assert matched(beta, pdq=known)["answer"] == "none"

    assert pushed(a, b) == 1
    clock.forward(seconds=3)

    answer = matched(beta, pdq=known)
    assert (answer["answer"], answer["standing"], answer["operators"]) == ("hit", "review", 1)
    assert answer["hits"][0]["harm"] == ["grooming"]


def test_nothing_is_said_twice(a, b, shared, alpha, beta):
    contributed(alpha, picture(pdq=pdq()), shared)

    assert pushed(a, b) == 1
    assert pushed(a, b) == 0
    assert len(logged(a)) == 1


def test_two_operators_on_two_hubs_corroborate(a, b, shared, alpha, beta, clock):
    known = pdq()
    contributed(alpha, picture(pdq=known), shared)
    contributed(beta, picture(pdq=flipped(known, 16)), shared)
    pushed(a, b)
    pushed(b, a)
    clock.forward(seconds=3)

    assert matched(beta, pdq=known)["standing"] == "corroborated"
    assert matched(alpha, pdq=known)["standing"] == "corroborated"


def test_one_operator_is_one_voice_through_whichever_hub_it_speaks(
    a, b, shared, alpha, beta, clock
):
    known = pdq()
    twin = b.admit("alpha.example.com", sets=[shared])
    contributed(alpha, picture(pdq=known), shared)
    contributed(twin, picture(pdq=known), shared)
    pushed(a, b)
    clock.forward(seconds=3)

    answer = matched(beta, pdq=known)
    assert (answer["standing"], answer["operators"]) == ("review", 1)


def test_what_is_withdrawn_is_gone_from_the_other(a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    withdrawn(alpha, indicator)

    assert pushed(a, b) == 1
    assert matched(beta, pdq=known)["answer"] == "none"


def test_what_was_withdrawn_before_it_was_heard_never_comes(a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    a.publish()
    withdrawn(alpha, indicator)

    assert pushed(a, b) == 1
    assert matched(beta, pdq=known)["answer"] == "none"


def test_a_withdrawal_overtakes_what_it_takes_back(a, b, shared, alpha, beta):
    known, other = pdq(), pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    contributed(alpha, picture(pdq=other), shared)
    a.publish()
    withdrawn(alpha, indicator)
    a.publish()

    assert b.take_revokes(a) == 1
    b.catch_up(a, limit=1)

    assert matched(beta, pdq=known)["answer"] == "none"
    assert matched(beta, pdq=other)["answer"] == "hit"


def test_new_words_arrive(a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    answer = alpha.post(
        f"/v1/indicators/{indicator}/versions", version(shared, harm=["solicitation"])
    )
    assert answer.status_code == 201, answer.text

    assert pushed(a, b) == 1
    assert matched(beta, pdq=known)["hits"][0]["harm"] == ["solicitation"]


def test_a_dispute_at_one_hub_disputes_at_the_other(a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    opined(beta, indicator, shared, "disagree", reason="benign")

    assert pushed(b, a) == 1
    assert standings(alpha, indicator)[shared][0] == "disputed"
    assert matched(alpha, pdq=known)["standing"] == "disputed"


def test_an_opinion_waits_for_what_it_is_about(open_hub, a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    opined(beta, indicator, shared, "disagree", reason="depicted-person")
    c = open_hub("hub-c.example")
    gamma_set = shared
    for hub in (a, b):
        hub.pair(c)
        hub.share(c.name, gamma_set)
    c.pair(b, operators=("beta.example.com",))
    c.pair(a, operators=("alpha.example.com",))
    for hub in (a, b):
        c.share(hub.name, shared)
    gamma = c.admit("gamma.example.com", sets=[shared])

    b.publish()
    # Whoever counts it then counts it as its own hub's word.
    b.ask_witnesses(a)
    c.catch_up(b)
    assert matched(gamma, pdq=known)["answer"] == "none"
    a.publish()
    c.catch_up(a)

    assert matched(gamma, pdq=known)["standing"] == "disputed"


def test_what_was_there_before_its_set_was_shared_is_said(a, b, shared, alpha, beta):
    early = a.set("early")
    member = a.admit("alpha-two.example.com", sets=[early])
    known = [pdq() for _ in range(3)]
    for one in known:
        contributed(member, picture(pdq=one), early)
    a.publish()
    b.share(a.name, early)
    a.share(b.name, early)
    with b.hub.begin.writing(SYSTEM) as work:
        partner = work.partners.named(a.name)
        work.partners.change(partner.key, operators=["alpha.example.com", "alpha-two.example.com"])
        work.commit()
    reader = b.admit("reader.example.com", sets=[early])

    assert pushed(a, b) == 3
    assert [matched(reader, pdq=one)["answer"] for one in known] == ["hit"] * 3


def test_what_leaves_a_set_leaves_it_at_the_other_hub(a, b, shared, alpha, beta):
    second = a.set("second")
    a.share(b.name, second)
    b.share(a.name, second)
    a.grant(second, alpha.member)
    reader = b.admit("reader.example.com", sets=[second])
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared, second)
    pushed(a, b)
    assert matched(reader, pdq=known)["answer"] == matched(beta, pdq=known)["answer"] == "hit"

    answer = alpha.post(f"/v1/indicators/{indicator}/versions", version(shared))
    assert answer.status_code == 201, answer.text
    pushed(a, b)

    assert matched(reader, pdq=known)["answer"] == "none"
    assert matched(beta, pdq=known)["answer"] == "hit"


def test_what_leaves_all_shared_sets_leaves_the_other_hub(a, b, shared, alpha, beta):
    home = a.set("home")
    a.grant(home, alpha.member)
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)

    alpha.post(f"/v1/indicators/{indicator}/versions", version(home))
    pushed(a, b)
    assert matched(beta, pdq=known)["answer"] == "none"

    alpha.post(f"/v1/indicators/{indicator}/versions", version(home, shared))
    pushed(a, b)
    assert matched(beta, pdq=known)["answer"] == "hit"


@pytest.mark.parametrize("depicts", ["third-party-child", "known-victim"])
def test_victims_and_accounts_stay_at_home(a, b, shared, alpha, beta, depicts):
    contributed(alpha, picture(pdq=pdq()), shared, depicts=depicts)
    contributed(alpha, account(), shared, case="case-1")

    assert pushed(a, b) == 0
    assert logged(a) == []


def test_what_turns_out_to_show_a_victim_is_taken_back(a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    alpha.post(
        f"/v1/indicators/{indicator}/versions", version(shared, depicts="third-party-child")
    )
    pushed(a, b)

    assert matched(beta, pdq=known)["answer"] == "none"


@pytest.mark.parametrize("tlp", ["TLP:AMBER+STRICT", "TLP:RED"])
def test_what_its_label_keeps_at_home_stays(a, b, shared, alpha, beta, tlp):
    strict = a.set("strict", tlp=tlp)
    a.share(b.name, strict)
    b.share(a.name, strict)
    member = a.admit("alpha-two.example.com", sets=[strict], rights=frozenset({"contribute"}))
    contributed(member, picture(pdq=pdq()), strict)

    a.publish()

    assert logged(a) == []


def test_what_is_for_trying_out_stays(a, b, shared, alpha, beta):
    trial = a.set("trial", sandbox=True)
    a.share(b.name, trial)
    b.share(a.name, trial)
    contributed(
        a.admit("tries.example.com", sets=[trial], sandbox=True), picture(pdq=pdq()), trial
    )

    a.publish()

    assert logged(a) == []


def test_a_partner_gets_only_what_its_sets_hold(open_hub, a, b, shared, alpha, beta):
    second = a.set("second")
    c = open_hub("hub-c.example")
    a.pair(c)
    c.pair(a, operators=("alpha.example.com",))
    a.share(c.name, second)
    c.share(a.name, second)
    a.grant(second, alpha.member)
    ours, theirs = pdq(), pdq()
    contributed(alpha, picture(pdq=ours), shared)
    contributed(alpha, picture(pdq=theirs), second)
    a.publish()

    assert b.catch_up(a) == 1
    assert c.catch_up(a) == 1
    assert b.enrolled(a.name).trust.head == c.enrolled(a.name).trust.head


def test_a_hub_speaks_only_for_the_operators_it_was_paired_for(a, b, shared, alpha, beta):
    stranger = a.admit("stranger.example.com", sets=[shared])
    known = pdq()
    contributed(stranger, picture(pdq=known), shared)

    assert pushed(a, b) == 0
    assert matched(beta, pdq=known)["answer"] == "none"
    with b.hub.begin.reading() as work:
        told = work.partners.evidence(b.enrolled(a.name).key)
    assert [one["alarm"] for one in told] == ["unvouched"]


def test_a_video_arrives_whole(a, b, shared, alpha, beta):
    frames = [pdq() for _ in range(5)]
    item = {
        "kind": "video",
        "codes": [
            {"signal": "pdq", "code": frame, "at_ms": 1000 * number, "quality": 80}
            for number, frame in enumerate(frames)
        ],
    }
    contributed(alpha, item, shared)

    assert pushed(a, b) == 1
    with b.hub.begin.reading() as work:
        (kept,) = work.exchange.about([logged(a)[0].target], ("indicator",))
        codes = work.indicators.codes([kept.indicator])[kept.indicator]
    assert [(one.value.hex(), one.at_ms, one.quality) for one in codes] == [
        (frame, 1000 * number, 80) for number, frame in enumerate(frames)
    ]


def test_a_copy_is_told_to_be_one(a, b, shared, alpha, beta, clock):
    """What an operator was told of before adds no voice, also not at the other hub."""
    known = pdq()
    gamma = a.admit("gamma.example.com", sets=[shared])
    contributed(alpha, picture(pdq=known), shared)
    assert matched(gamma, pdq=known)["answer"] == "hit"
    a.hub.ledger.flush()
    clock.forward(seconds=1)
    contributed(gamma, picture(pdq=known), shared)

    a.publish()

    basis = [one.body.words["basis"] for one in logged(a)]
    assert basis[-1] == "matched-shared"


def test_what_was_said_before_a_partner_shared_the_set_is_heard(
    open_hub, a, b, shared, alpha, beta
):
    known, other = pdq(), pdq()
    contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    c = open_hub("hub-c.example")
    a.pair(c)
    c.pair(a, operators=("alpha.example.com",))
    c.share(a.name, shared)
    gamma = c.admit("gamma.example.com", sets=[shared])
    assert c.catch_up(a) == 0
    assert c.enrolled(a.name).trust.applied == 1

    a.share(c.name, shared)
    contributed(alpha, picture(pdq=other), shared)
    a.publish()
    c.catch_up(a)

    assert matched(gamma, pdq=known)["answer"] == matched(gamma, pdq=other)["answer"] == "hit"
    assert c.enrolled(a.name).trust.is_level


def test_what_was_said_before_we_shared_the_set_is_heard(open_hub, a, b, shared, alpha, beta):
    known = pdq()
    contributed(alpha, picture(pdq=known), shared)
    c = open_hub("hub-c.example")
    a.pair(c)
    a.share(c.name, shared)
    c.pair(a, operators=("alpha.example.com",))
    a.publish()
    c.catch_up(a)
    assert c.enrolled(a.name).trust.applied == 1

    c.share(a.name, shared)
    gamma = c.admit("gamma.example.com", sets=[shared])
    c.catch_up(a)

    assert matched(gamma, pdq=known)["answer"] == "hit"


def test_a_log_that_is_read_once_more_may_not_be_another(open_hub, a, b, shared, alpha, beta):
    contributed(alpha, picture(pdq=pdq()), shared)
    pushed(a, b)
    second = a.set("second")
    b.share(a.name, second)
    a.share(b.name, second)
    b.follow_partner(a)
    trust = b.enrolled(a.name).trust

    assert (trust.applied, trust.head.size) == (0, 1)
    b.catch_up(a)
    assert b.enrolled(a.name).trust.applied == 1


def payloads(hub):
    """The bytes of all operations that a hub keeps."""
    with hub.database.reader.connect() as connection:
        found = connection.scalars(sa.select(tables.operation.c.payload))
        return b"".join(one for one in found if one is not None)


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_what_is_erased_is_erased_at_partners_too(a, b, shared, alpha, beta, is_withdrawn):
    known, other = pdq(), pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    contributed(alpha, picture(pdq=other), shared)
    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared, harm=["solicitation"]))
    pushed(a, b)
    if is_withdrawn:
        withdrawn(alpha, indicator)
        pushed(a, b)
    assert known.encode() in payloads(a)

    upkeep.erase(indicator, actor=SYSTEM, hub=a.hub)
    a.settle()
    pushed(a, b)

    for hub in (a, b):
        assert known.encode() not in payloads(hub), hub.name
        assert other.encode() in payloads(hub)
        with hub.hub.begin.reading() as work:
            found = work.indicators.find(indicator)
            assert found.state == "erased"
            assert work.indicators.codes([found.key]) == {}
        [listed] = hub.hub.erasures.all()
        assert (listed if hub is a else (listed.origin, listed.target)) == (
            indicator if hub is a else (a.name, indicator)
        )
    assert matched(beta, pdq=known)["answer"] == "none"
    assert matched(beta, pdq=other)["answer"] == "hit"


def test_whoever_comes_later_hears_nothing_of_what_was_erased(open_hub, a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    upkeep.erase(indicator, actor=SYSTEM, hub=a.hub)
    a.settle()
    a.publish()
    c = open_hub("hub-c.example")
    a.pair(c)
    a.share(c.name, shared)
    c.pair(a, operators=("alpha.example.com",))
    c.share(a.name, shared)

    c.catch_up(a)

    assert c.enrolled(a.name).trust.head == b.enrolled(a.name).trust.head or b.catch_up(a) >= 0
    assert known.encode() not in payloads(c)


def test_what_we_erased_of_a_partner_is_not_heard_again(a, b, shared, alpha, beta):
    known = pdq()
    indicator = contributed(alpha, picture(pdq=known), shared)
    pushed(a, b)
    upkeep.erase(indicator, actor=SYSTEM, hub=b.hub)
    b.settle()
    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared, harm=["solicitation"]))

    pushed(a, b)

    assert matched(beta, pdq=known)["answer"] == "none"
    with b.hub.begin.reading() as work:
        assert work.indicators.codes([work.indicators.find(indicator).key]) == {}


def test_a_set_that_is_shared_again_is_said_again(a, b, shared, alpha, beta):
    first, between = pdq(), pdq()
    contributed(alpha, picture(pdq=first), shared)
    pushed(a, b)
    partners.unshare(b.name, shared, by=CONSOLE, hub=a.hub)
    a.settle()
    contributed(alpha, picture(pdq=between), shared)
    a.publish()
    said = len(logged(a))
    a.publish()
    assert len(logged(a)) == said  # nothing is said twice, however often it is looked

    a.share(b.name, shared)
    pushed(a, b)

    assert [matched(beta, pdq=one)["answer"] for one in (first, between)] == ["hit", "hit"]
