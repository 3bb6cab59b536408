# SPDX-License-Identifier: Apache-2.0
"""What one hub says reaches a third that it does not know, by a second that both know."""

from dataclasses import replace

import pytest

from federation.believing import SKEW
from federation.following import next_page
from federation.identity.hubfile import read_hub_file
from federation.operations.leaves import Kind
from federation.operations.payloads import read_operation
from federation.pages import Page, Withheld
from federation.trust import Trust, accept
from hub.domain.changes import SYSTEM
from hub.ports.relays import Due
from hub.services import upkeep
from hub.services.exchange import naming, partners, planning, receiving, relaying, reviewing
from hub.services.exchange.auditing import verify_log
from hub.services.office import CONSOLE
from hub.storage import tables
from tests.simulators.federated import Wire, root_of
from tests.support.codes import flipped, pdq
from tests.support.rows import alarms, carried, in_a_row, known, opened, told
from tests.support.saying import contributed, matched, opined, picture, standings, withdrawn

HERE, THERE, THIRD = "hub-a.example", "hub-b.example", "hub-c.example"
OURS, THEIRS = "run.hub-a.example", "run.hub-c.example"


@pytest.fixture
def c(open_hub):
    return open_hub(THIRD)


@pytest.fixture
def line(a, b, c):
    """A set of B, which A and C share with it and not with each other."""
    return in_a_row(a, b, c, {one.name: f"run.{one.name}" for one in (a, b, c)})


@pytest.fixture
def alpha(a, line):
    return a.admit(OURS, sets=[line])


@pytest.fixture
def gamma(c, line):
    return c.admit(THEIRS, sets=[line])


def heard(hub, name):
    found = known(hub, name)
    assert found is not None
    return found


def kinds(hub):
    with hub.hub.begin.reading() as work:
        log = work.logs.open(hub.voice.log.origin)
        return [one.kind for one in work.logs.entries(log, 0, log.size)]


def served(hub, asker):
    """A page of all that a hub tells another."""
    return next_page(Wire(hub, asker.name), Trust())


def test_what_is_said_at_one_end_is_found_at_the_other(a, b, c, line, alpha, gamma, clock):
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    clock.forward(seconds=3)

    answer = matched(gamma, pdq=seen)
    assert (answer["answer"], answer["standing"]) == ("hit", "review")
    with c.hub.begin.reading() as work:
        assert work.access.operator_named(OURS) is not None
    assert kinds(b) == [Kind.OWN, Kind.RELAY]
    assert heard(c, HERE).relayed


def test_what_is_withdrawn_at_one_end_is_gone_at_the_other(a, b, c, line, alpha, gamma):
    seen = pdq()
    indicator = contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    withdrawn(alpha, indicator)
    carried(a, b, c)

    assert matched(gamma, pdq=seen)["answer"] == "none"


def test_a_withdrawal_is_told_early_by_the_relay_too(a, b, c, line, alpha, gamma):
    seen = pdq()
    indicator = contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    withdrawn(alpha, indicator)
    carried(a, b)
    b.publish()

    assert c.take_revokes(b) == 1
    assert matched(gamma, pdq=seen)["answer"] == "none"


def test_whose_clock_is_ahead_is_passed_on_when_its_time_has_come(
    a, b, c, line, alpha, gamma, clock
):
    """Whoever passes it on is not held up by it, where clocks are a little behind."""
    beta = b.admit("run.hub-b.example", sets=[line])
    known, early = pdq(), pdq()
    mine = contributed(beta, picture(pdq=known), line)
    carried(b, c)

    contributed(alpha, picture(pdq=early), line)
    clock.forward(seconds=SKEW - 1)
    a.publish()
    clock.forward(seconds=1 - SKEW)
    b.catch_up(a)
    withdrawn(beta, mine)
    b.publish()
    clock.forward(seconds=-5)
    c.catch_up(b)
    assert matched(gamma, pdq=known)["answer"] == "none"

    clock.forward(seconds=SKEW + 5)
    carried(b, c)
    assert matched(gamma, pdq=early)["answer"] == "hit"


def test_what_was_erased_is_erased_at_the_other_end(a, b, c, line, alpha, gamma):
    seen = pdq()
    indicator = contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    upkeep.erase(indicator, actor=SYSTEM, hub=a.hub)
    a.settle()
    carried(a, b, c)

    assert matched(gamma, pdq=seen)["answer"] == "none"
    for hub in (b, c):
        with hub.hub.begin.reading() as work:
            found = work.indicators.find(indicator)
        assert found.state == "erased"
    page = Page.parse(served(b, c))
    assert Withheld.PURGED in [one.withheld for one in page.records]


def test_relayed_word_corroborates_nothing_unless_people_say_so(
    a, b, c, line, alpha, gamma, clock
):
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    contributed(gamma, picture(pdq=flipped(seen, 16)), line)
    a.publish()
    a.ask_witnesses(b)
    carried(a, b)
    b.publish()
    b.ask_witnesses(a)
    c.catch_up(b)
    c.learn_of(a, b)
    clock.forward(seconds=3)
    assert matched(gamma, pdq=seen)["standing"] == "review"

    partners.change(HERE, by=CONSOLE, hub=c.hub, level=2)
    c.settle()
    assert matched(gamma, pdq=seen)["standing"] == "corroborated"
    # It weighs no more than who brings it.
    partners.change(THERE, by=CONSOLE, hub=c.hub, level=1)
    c.settle()
    assert matched(gamma, pdq=seen)["standing"] == "review"


def test_relayed_word_counts_while_its_hub_is_told_to_be_alive(a, b, c, line, alpha, gamma, clock):
    contributed(alpha, picture(pdq=pdq()), line)
    a.publish()
    a.ask_witnesses(b)
    carried(a, b, c)
    c.learn_of(a, b)
    partners.change(HERE, by=CONSOLE, hub=c.hub, level=2)

    def weight():
        now = int(c.clock().timestamp())
        return partners.weight(heard(c, HERE), now, heard(c, THERE))

    assert weight() == partners.GOOD
    clock.forward(seconds=25 * 3600)
    assert weight() == partners.STALE


def test_a_dispute_goes_the_whole_way(a, b, c, line, alpha, gamma):
    seen = pdq()
    indicator = contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    c.publish()
    c.ask_witnesses(b)
    a.learn_of(c, b)
    partners.change(THIRD, by=CONSOLE, hub=a.hub, level=2)
    opined(gamma, indicator, line, "disagree", reason="depicted-person")
    b.publish()
    b.ask_witnesses(c)
    a.catch_up(b)
    carried(c, b, a)

    assert standings(alpha, indicator)[line][0] == "disputed"


def test_without_onward_nothing_goes_on(a, b, c, line, alpha, gamma):
    opened(b, line, "none")
    told(a, b, c)
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)

    assert kinds(b) == [Kind.OWN] * 2
    assert matched(gamma, pdq=seen)["answer"] == "none"


def due_of(one):
    """What is in a log, as if it were to be passed on."""
    return Due(0, one.source, one.id, one.sealed, one.keep, one.is_revoke)


def test_what_its_origin_did_not_let_on_stays_when_the_set_is_opened(a, b, c, line, alpha, gamma):
    opened(b, line, "none")
    told(a, b, c)
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b)
    (held,) = own_entries(a)

    # B lets it on again, and its origin has not heard of that.
    opened(b, line, "set")
    b.announce()
    c.catch_up(b)
    carried(b, c)

    assert Kind.RELAY not in kinds(b)
    assert matched(gamma, pdq=seen)["answer"] == "none"
    assert alarms(c, THERE) == []
    assert may_pass(b, c, held) == (False, False)

    # Nor is what was said since then held back.
    told(a, b, c)
    a.publish()
    again = own_entries(a)[-1]
    assert read_operation(again.sealed.payload).operation.policy.onward == "set"
    assert may_pass(b, c, again) == (True, True)
    carried(a, b, c)
    assert matched(gamma, pdq=seen)["answer"] == "hit"


def own_entries(hub):
    """What a hub's members said, as its log has it."""
    with hub.hub.begin.reading() as work:
        log = work.logs.open(hub.voice.log.origin)
        return list(work.logs.entries(log, 0, log.size))


def may_pass(hub, asker, one):
    """Whether a hub would log what another said as a relay, and whether it would serve it."""
    with hub.hub.begin.reading() as work:
        terms = relaying.Terms.of(work, hub.name, int(hub.clock().timestamp()))
    relay = replace(one, kind=Kind.RELAY)
    audience = relaying.Audience(hub.enrolled(asker.name), terms)
    return terms.may_go_on(due_of(one)), audience.may_have(relay)


def test_what_comes_back_may_be_used_as_its_origin_said(a, b, c, line, alpha, gamma, clock):
    """Named no more and named again: out of the registers, and no more than was allowed."""
    looked_at, kept = pdq(), pdq()
    for seen, act in ((looked_at, "review"), (kept, "research")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(planning.Planner, "_asserted", allowing(act))
            contributed(alpha, picture(pdq=seen), line)
            a.publish()
    mine = contributed(gamma, picture(pdq=looked_at), line)
    carried(a, b, c)
    partners.change(HERE, by=CONSOLE, hub=c.hub, level=2)
    partners.change(THERE, by=CONSOLE, hub=c.hub, level=2)
    clock.forward(seconds=4)
    c.settle()
    assert acts(c) == ["review"]

    for named, answers in ((False, 1), (True, 2)):
        naming.name_hub(line, HERE, None, named=named, by=CONSOLE, hub=b.hub)
        told(a, b, c)
        review(c)
        clock.forward(seconds=4)
        c.settle()
        assert len(matched(gamma, pdq=looked_at)["hits"]) == answers

    assert acts(c) == ["review"]
    assert matched(gamma, pdq=kept)["answer"] == "none"
    assert standings(gamma, mine)[line] == ("review", 1)


def allowing(act):
    """A planner that allows less; by itself it says ``match`` of what members say."""
    asserted = planning.Planner._asserted  # noqa: SLF001 - no member can say it

    def said(*args):
        draft = asserted(*args)
        return replace(draft, policy=replace(draft.policy, act=act))

    return said


def acts(hub):
    """What may follow from what is live here of others."""
    with hub.hub.begin.reading() as work:
        kept = work.exchange.foreign(0, 100)
        live = work.indicators.by_keys(one.indicator for one in kept if one.indicator is not None)
    return [one.words.act for one in live.values() if one.is_live]


def test_what_is_for_one_hub_only_stays_there_when_the_set_is_closed(a, b, c, line, alpha, gamma):
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    assert matched(gamma, pdq=seen)["answer"] == "hit"

    opened(b, line, "none")
    told(a, b, c)
    review(c)

    assert matched(gamma, pdq=seen)["answer"] == "none"


def review(hub):
    while reviewing.review(hub.hub):
        pass
    hub.settle()


def test_a_hub_that_is_taken_out_is_refused_and_what_it_said_is_over(a, b, c, line, alpha, gamma):
    seen, later = pdq(), pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    naming.name_hub(line, HERE, None, named=False, by=CONSOLE, hub=b.hub)
    told(a, b, c)
    review(c)
    assert matched(gamma, pdq=seen)["answer"] == "none"

    contributed(alpha, picture(pdq=later), line)
    carried(a, b, c)
    assert matched(gamma, pdq=later)["answer"] == "none"
    assert alarms(c, THERE) == []

    # Named again, it is there again, with what it said meanwhile.
    naming.name_hub(line, HERE, None, named=True, by=CONSOLE, hub=b.hub)
    told(a, b, c)
    review(c)
    carried(a, b, c)
    assert [matched(gamma, pdq=one)["answer"] for one in (seen, later)] == ["hit", "hit"]


def test_a_relay_of_a_hub_that_was_taken_out_is_caught(a, b, c, line, alpha, gamma):
    naming.name_hub(line, HERE, None, named=False, by=CONSOLE, hub=b.hub)
    told(a, b, c)
    later = pdq()
    contributed(alpha, picture(pdq=later), line)
    carried(a, b, c)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relaying.Terms, "sets", lambda *_: frozenset({line}))
        patch.setattr(relaying, "is_named", lambda *_: True)
        with b.hub.begin.writing(SYSTEM) as work:
            work.relays.again()
            work.commit()
        carried(b, c)
    assert "wrong-origin" in alarms(c, THERE)
    assert matched(gamma, pdq=later)["answer"] == "none"


def test_whoever_is_named_later_hears_what_was_said_before(a, b, c, line, alpha, gamma):
    naming.name_hub(line, THIRD, None, named=False, by=CONSOLE, hub=b.hub)
    told(a, b, c)
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    assert matched(gamma, pdq=seen)["answer"] == "none"

    naming.name_hub(line, THIRD, None, named=True, by=CONSOLE, hub=b.hub)
    told(a, b, c)
    carried(b, c)

    assert matched(gamma, pdq=seen)["answer"] == "hit"
    assert alarms(c, THERE) == []


def test_a_hub_learns_late_who_another_is_and_loses_nothing(a, b, c, line, alpha, gamma):
    with c.hub.begin.writing(SYSTEM) as work:
        work.partners.change(work.partners.heard_of(HERE).key, identity=None)
        work.commit()
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    assert matched(gamma, pdq=seen)["answer"] == "none"

    c.learn_of(a, b)
    c.catch_up(b)

    assert matched(gamma, pdq=seen)["answer"] == "hit"


def test_by_two_ways_it_is_one_register(a, b, c, line, alpha, gamma):
    a.pair(c, operators=(THEIRS,))
    c.pair(a, operators=(OURS,))
    a.share(THIRD, line)
    c.share(HERE, line)
    seen = pdq()
    indicator = contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    c.catch_up(a)
    assert len(matched(gamma, pdq=seen)["hits"]) == 1

    withdrawn(alpha, indicator)
    a.publish()
    c.catch_up(a)
    carried(a, b, c)
    assert matched(gamma, pdq=seen)["answer"] == "none"
    # Nobody is told by another what it said itself.
    assert a.catch_up(b) == a.catch_up(c) == 0
    assert kinds(c).count(Kind.RELAY) <= 2


def test_a_relay_goes_as_far_as_there_are_hubs(a, b, c, line, alpha, open_hub, clock):
    d = open_hub("hub-d.example")
    naming.name_hub(line, d.name, root_of(d.name), named=True, by=CONSOLE, hub=b.hub)
    c.pair(d, operators=(f"run.{d.name}",))
    c.share(d.name, line)
    d.pair(c, operators=(THEIRS,))
    d.share(c.name, line)
    naming.set_home(line, THERE, root_of(THERE), by=CONSOLE, hub=d.hub)
    told(a, b, c)
    d.learn_of(b, c)
    carried(c, d)
    d.announce()
    d.learn_of(a, c)
    delta = d.admit(f"run.{d.name}", sets=[line])
    seen = pdq()
    indicator = contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c, d)
    assert matched(delta, pdq=seen)["answer"] == "hit"

    withdrawn(alpha, indicator)
    carried(a, b, c, d)
    assert matched(delta, pdq=seen)["answer"] == "none"


def test_a_forged_relay_is_refused_with_evidence(a, b, c, line, alpha, gamma):
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b)
    b.publish()
    kept = c.enrolled(b.name)
    page = Page.parse(next_page(Wire(b, c.name), kept.trust))
    spoilt = [
        replace(one, inclusion=replace(one.inclusion, index=one.inclusion.index + 7))
        if one.inclusion
        else one
        for one in page.records
    ]
    data = replace(page, records=tuple(spoilt)).encoded()

    accepted = accept(data, c.partner(b), kept.trust, int(c.clock().timestamp()))
    receiving.receive(accepted, partner=kept, state=partners.GOOD, hub=c.hub)

    assert alarms(c, THERE) == ["not-in-log"]
    assert matched(gamma, pdq=seen)["answer"] == "none"


def test_what_is_passed_on_is_what_its_origin_signed(a, b, c, line, alpha):
    contributed(alpha, picture(pdq=pdq()), line)
    carried(a, b)
    b.publish()

    page = Page.parse(served(b, c))
    (relay,) = (one for one in page.records if one.kind is Kind.RELAY)
    with a.hub.begin.reading() as work:
        log = work.logs.open(a.voice.log.origin)
        (own,) = work.logs.entries(log, 0, log.size)
    assert relay.envelope == own.sealed.told
    assert relay.inclusion is not None
    assert relay.inclusion.index == 0
    assert read_operation(own.sealed.payload).operation.operator == OURS
    assert len(page.notes) == 1


def test_who_was_in_quarantine_says_nothing_by_others_and_all_of_it_afterwards(
    a, b, c, line, alpha, gamma
):
    partners.change(HERE, by=CONSOLE, hub=c.hub, state="quarantined")
    seen = pdq()
    contributed(alpha, picture(pdq=seen), line)
    carried(a, b, c)
    assert matched(gamma, pdq=seen)["answer"] == "none"
    assert alarms(c, THERE) == []

    partners.change(HERE, by=CONSOLE, hub=c.hub, state="active")
    c.catch_up(b)
    assert matched(gamma, pdq=seen)["answer"] == "hit"


def test_a_log_that_passes_on_is_verified_with_what_proves_whose_word_it_is(a, b, c, line, alpha):
    contributed(alpha, picture(pdq=pdq()), line)
    carried(a, b, c)

    assert audited(b).faults == ()
    with b.database.writer.begin() as connection:
        connection.execute(
            tables.inclusion.update().values(at_index=tables.inclusion.c.at_index + 1)
        )
    [fault] = audited(b).faults
    assert "not shown to be in its hub's log" in fault
    with b.database.writer.begin() as connection:
        connection.execute(tables.inclusion.delete())
    [fault] = audited(b).faults
    assert "nothing that proves whose it is" in fault


def audited(hub):
    return verify_log(hub.hub, hub.voice, read_hub_file(hub.file()), lambda _entries: None)
