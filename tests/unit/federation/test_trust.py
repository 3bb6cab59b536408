# SPDX-License-Identifier: Apache-2.0
"""What is believed of a partner, and everything that is not."""

from dataclasses import replace
from typing import Any

import pytest

from federation.believing import SKEW
from federation.errors import Alarm, RefusedError
from federation.identity.values import OpKey
from federation.operations.leaves import Kind
from federation.operations.values import Assert, Op, Policy
from federation.pages import MAX_RECORDS, Withheld
from federation.publishing import LogKeys, signed
from federation.trust import Trust, accept, accept_revokes
from tests.simulators.partner import BEAT, KEY, LOG, OP, THIEF, PartnerHub, statements, trusted
from tests.simulators.statements import DAY, IND, NOW, ORIGIN, PDQ, SET, WORDS, operation


@pytest.fixture
def hub():
    return PartnerHub()


def accepted(hub, trust=None, partner=None, now=NOW, **page):
    trust = trust or Trust()
    start = page.pop("start", trust.applied)
    data = hub.page(start, **page).encoded()
    return accept(data, partner or trusted(), trust, now)


def refused(hub, trust=None, partner=None, now=NOW, **page):
    """The alarm, and the trust, of which nothing was changed."""
    with pytest.raises(RefusedError) as error:
        accepted(hub, trust, partner, now, **page)
    return error.value


def key(**changed: Any) -> OpKey:
    return replace(OpKey(KEY, OP.public, 1, 0, None), **changed)


# -- what is believed ----------------------------------------------------------------------------


def test_what_its_hub_signed_and_logged_is_believed(hub):
    hub.say(*statements(3))

    found = accepted(hub)

    assert [one.operation for one in found.operations] == statements(3)
    assert found.trust.applied == found.trust.head.size == 3
    assert found.trust.frontier == hub.frontier
    assert found.trust.head.alive_at == NOW
    assert not found.refused


def test_a_log_is_followed_page_by_page_against_one_checkpoint(hub):
    hub.say(*statements(700))

    trust, told = Trust(), []
    first = accept(hub.page(0, 300).encoded(), trusted(), trust, NOW)
    rest = accept(hub.page(300, checkpoint=None).encoded(), trusted(), first.trust, NOW)
    told = [*first.operations, *rest.operations]

    assert [one.operation for one in told] == statements(700)
    assert rest.trust.is_level
    assert not first.trust.is_level


def test_a_log_that_grows_is_followed_from_checkpoint_to_checkpoint(hub):
    trust = Trust()
    for size in (1, 255, 256, 257, 600):
        hub.say(*statements(size)[len(hub.records) :])
        trust = accepted(hub, trust).trust

    assert trust.frontier == hub.frontier
    assert trust.applied == 600


def test_an_empty_page_says_that_its_hub_is_alive(hub):
    hub.say(*statements(2))
    trust = accepted(hub).trust
    later = hub.note(NOW + 60)

    found = accepted(hub, trust, now=NOW + 60, checkpoint=later)

    assert found.trust.head.alive_at == NOW + 60
    assert found.trust.frontier == trust.frontier


def test_nobody_stays_fresh_by_a_clock_that_is_ahead(hub):
    found = accepted(hub, checkpoint=hub.note(NOW + DAY))

    assert found.trust.head.alive_at == NOW


def test_what_is_withheld_is_passed_over_and_still_the_logs(hub):
    hub.say(*statements(3))
    hub.withhold(1)
    hub.withhold(2, Withheld.PURGED)

    found = accepted(hub)

    assert len(found.operations) == 1
    assert found.passed == 2
    assert found.trust.frontier == hub.frontier


def test_one_bad_operation_harms_none_of_the_good(hub):
    good = statements(3)
    hub.say(good[0])
    hub.say(good[1], signer=THIEF)
    hub.say(good[2])

    found = accepted(hub)

    assert [one.operation for one in found.operations] == [good[0], good[2]]
    assert [(one.index, one.alarm) for one in found.refused] == [(1, Alarm.BAD_SIGNATURE)]
    assert found.trust.applied == 3
    assert not found.is_too_bad


def test_a_hub_that_hands_on_nonsense_is_left_alone(hub):
    hub.say(*statements(11), signer=THIEF)

    assert accepted(hub).is_too_bad


def test_what_is_forgotten_everywhere_is_passed_over(hub):
    hub.say(*statements(1, created=NOW - 2 * DAY, expires=NOW - DAY, keep=NOW))

    assert accepted(hub).passed == 1
    assert accepted(hub, now=NOW - 1).passed == 0


def test_what_we_said_ourselves_is_passed_over(hub):
    hub.say(operation())
    hub.records[0] = replace(hub.records[0], source="hub-b.example")
    page = hub.page()
    rebuilt = PartnerHub()
    for record in page.records:
        rebuilt.log(record)

    assert accepted(rebuilt).passed == 1


# -- operations that are not ---------------------------------------------------------------------

VICTIM = Assert("picture", (PDQ,), {**WORDS, "depicts": "third-party-child"})
ACCOUNT = Assert("account", (PDQ,), WORDS)


@pytest.mark.parametrize(
    ("changed", "alarm"),
    [
        ({"operator": "other.example"}, Alarm.UNVOUCHED),
        ({"epoch": 2, "previous": "0" * 64}, Alarm.RETIRED_KEY),
        ({"policy": Policy("amber", ("set_" + "z" * 26,))}, Alarm.OUT_OF_AUDIENCE),
        ({"policy": Policy("amber+strict", (SET,))}, Alarm.OUT_OF_AUDIENCE),
        ({"policy": Policy("red", (SET,))}, Alarm.OUT_OF_AUDIENCE),
        ({"body": VICTIM}, Alarm.OUT_OF_AUDIENCE),
        ({"body": ACCOUNT}, Alarm.OUT_OF_AUDIENCE),
    ],
)
def test_an_operation_is_refused(hub, changed, alarm):
    hub.say(operation(**changed))

    found = accepted(hub)

    assert [one.alarm for one in found.refused] == [alarm]
    assert found.operations == ()


def test_a_set_that_only_the_partner_shares_yet_is_no_offence(hub):
    hub.say(operation())

    found = accepted(hub, partner=trusted(sets=frozenset({"set_" + "y" * 26})))

    assert (found.operations, found.refused, found.passed) == ((), (), 1)


def test_as_far_ahead_as_clocks_may_be_is_believed(hub):
    hub.say(operation(created=NOW + SKEW))

    assert len(accepted(hub).operations) == 1


def test_what_is_said_later_than_now_is_asked_for_again(hub):
    """One of two clocks is wrong; passed over it would be lost when they agree once more."""
    hub.say(operation(), operation(created=NOW + SKEW + 1, salt=b"s" * 16))

    with pytest.raises(RefusedError) as refused:
        accepted(hub)

    assert refused.value.alarm is Alarm.FUTURE
    assert len(accepted(hub, now=NOW + 1).operations) == 2


def test_another_hubs_operation_is_refused_whoever_it_is_said_to_be_of(hub):
    foreign = operation(origin="hub-c.example", author=f"hub-c.example/m/{'k' * 16}")
    (one,) = signed([foreign], OP, KEY)
    hub.log(hub.record(one))
    hub.log(hub.record(one, source=ORIGIN))
    hub.log(hub.record(one, kind=Kind.RELAY))

    found = accepted(hub)

    assert [refusal.alarm for refusal in found.refused] == [Alarm.WRONG_ORIGIN] * 3
    assert found.operations == ()


@pytest.mark.parametrize(
    ("held", "alarm"),
    [
        (key(first=1), Alarm.RETIRED_KEY),
        (key(until=0), Alarm.RETIRED_KEY),
        (key(epoch=2), Alarm.RETIRED_KEY),
        (key(public=THIEF.public), Alarm.BAD_SIGNATURE),
    ],
)
def test_a_key_signs_only_where_it_holds(hub, held, alarm):
    hub.say(operation())

    found = accepted(hub, partner=trusted(op_keys={KEY: held}))

    assert [one.alarm for one in found.refused] == [alarm]


@pytest.mark.parametrize("order", [1, -1])
def test_one_signature_that_counts_is_enough_whatever_stands_beside_it(hub, order):
    hub.say(operation())
    other = f"{KEY}-more"
    (record,) = hub.records
    (good,) = record.envelope["signatures"]
    both = [good, {"keyid": other, "sig": good["sig"]}][::order]
    hub.records[0] = replace(record, envelope={**record.envelope, "signatures": both})

    found = accepted(hub, partner=trusted(op_keys={KEY: key(), other: key(public=THIEF.public)}))

    assert [one.operation for one in found.operations] == [operation()]
    assert found.operations[0].sealed.key_id == KEY


def test_a_stolen_key_is_cut_off_where_its_hub_says(hub):
    hub.say(*statements(4))

    found = accepted(hub, partner=trusted(op_keys={KEY: key(until=2)}))

    assert [one.index for one in found.operations] == [0, 1]
    assert [one.alarm for one in found.refused] == [Alarm.RETIRED_KEY] * 2


def test_a_key_that_nobody_named_signs_nothing(hub):
    hub.say(operation(), key_id="op-9")

    assert [one.alarm for one in accepted(hub).refused] == [Alarm.UNKNOWN_KEY]


# -- pages that are not --------------------------------------------------------------------------


def test_a_page_of_another_log_is_refused(hub):
    hub.say(*statements(5))
    other = PartnerHub()
    other.say(*reversed(statements(5)))

    assert refused(other, checkpoint=hub.note()).alarm is Alarm.GAP


@pytest.mark.parametrize(
    "change",
    [
        lambda records: records[1:],
        lambda records: (*records[1:2], *records[:1], *records[2:]),
        lambda records: (*records[:2], records[0], *records[3:]),
        lambda records: (*records[:2], replace(records[2], source="hub-x.example"), *records[3:]),
        lambda records: (*records[:2], replace(records[2], kind=Kind.RELAY), *records[3:]),
        lambda records: (
            *records[:2],
            replace(records[2], envelope=None, withheld=Withheld.POLICY, id="0" * 64),
            *records[3:],
        ),
    ],
    ids=["missing", "reordered", "repeated", "renamed", "relayed", "withheld-other"],
)
def test_a_page_that_is_not_what_the_log_commits_to_is_refused(hub, change):
    hub.say(*statements(5))
    records = tuple(
        replace(record, index=index) for index, record in enumerate(change(tuple(hub.records)))
    )

    error = refused(hub, records=records, end=len(records))

    assert error.alarm is Alarm.GAP


def test_an_envelope_keeps_to_the_bounds_of_the_page_it_is_in(hub):
    hub.say(*statements(1))
    odd = replace(hub.records[0], envelope={**hub.records[0].envelope, "cost": 1.5})

    assert refused(hub, records=(odd,)).alarm is Alarm.NON_CANONICAL


def test_a_smaller_log_than_before_is_refused_with_both_notes(hub):
    hub.say(*statements(5))
    trust = accepted(hub).trust
    before = PartnerHub()
    before.say(*statements(4))

    error = refused(hub, trust, checkpoint=before.note(), start=5, end=5, size=5)

    assert error.alarm is Alarm.ROLLBACK
    assert error.evidence == (trust.head.note, before.note())


def test_two_hashes_at_one_size_are_refused_with_both_notes(hub):
    hub.say(*statements(5))
    trust = accepted(hub).trust
    fork = PartnerHub()
    fork.say(*reversed(statements(5)))

    error = refused(hub, trust, checkpoint=fork.note())

    assert error.alarm is Alarm.FORK
    assert error.evidence == (trust.head.note, fork.note())


def test_a_larger_log_that_does_not_continue_what_was_applied_is_refused(hub):
    hub.say(*statements(5))
    trust = accepted(hub).trust
    fork = PartnerHub()
    fork.say(*reversed(statements(9)))

    assert refused(fork, trust).alarm is Alarm.GAP


def test_no_second_checkpoint_is_taken_before_the_first_is_reached(hub):
    hub.say(*statements(9))
    trust = accept(hub.page(0, 3).encoded(), trusted(), Trust(), NOW).trust

    assert refused(hub, trust).alarm is Alarm.GAP
    assert accepted(hub, trust, checkpoint=None).trust.is_level


def test_a_page_that_leads_nowhere_is_refused_until_there_is_nowhere_to_go(hub):
    hub.say(*statements(5))
    trust = accept(hub.page(0, 3).encoded(), trusted(), Trust(), NOW).trust

    error = refused(hub, trust, **vars(hub.page(3, 3, checkpoint=None)))

    assert error.alarm is Alarm.GAP
    level = accepted(hub).trust
    assert accept(hub.page(5).encoded(), trusted(), level, NOW).trust == level


def test_a_page_without_a_checkpoint_is_held_against_the_last(hub):
    hub.say(*statements(2))
    assert refused(hub, checkpoint=None).alarm is Alarm.GAP
    trust = accepted(hub).trust
    hub.say(*statements(3)[2:])

    assert refused(hub, trust, checkpoint=None).alarm is Alarm.GAP


def test_a_page_for_another_place_is_refused(hub):
    hub.say(*statements(5))
    trust = accept(hub.page(0, 3).encoded(), trusted(), Trust(), NOW).trust

    with pytest.raises(RefusedError, match="gap"):
        accept(hub.page(2, checkpoint=None).encoded(), trusted(), trust, NOW)
    with pytest.raises(RefusedError, match="gap"):
        accept(hub.page(4, checkpoint=None).encoded(), trusted(), trust, NOW)


@pytest.mark.parametrize(
    ("keys", "alarm"),
    [
        (LogKeys(f"{ORIGIN}/fed/1", THIEF, f"{ORIGIN}/beat", BEAT), Alarm.UNKNOWN_KEY),
        (LogKeys(f"{ORIGIN}/fed/2", LOG, f"{ORIGIN}/beat", BEAT), Alarm.UNKNOWN_KEY),
        (LogKeys(f"{ORIGIN}/fed/1", LOG, f"{ORIGIN}/beat", THIEF), None),
    ],
)
def test_a_checkpoint_is_the_logs_or_none(hub, keys, alarm):
    hub.say(*statements(2))
    hub.keys = keys

    if alarm is not None:
        assert refused(hub).alarm is alarm
    else:
        # Somebody else's heartbeat is nobody's: the page is good, its hub not known to be alive.
        assert accepted(hub).trust.head.alive_at == 0


def test_a_page_of_revokes_is_no_page(hub):
    hub.say(operation())

    assert refused(hub, is_sparse=True, checkpoint=None).alarm is Alarm.GAP


# -- revokes first -------------------------------------------------------------------------------


def test_revokes_are_believed_ahead_of_the_log(hub):
    hub.say(*statements(3))
    hub.say(operation(Op.REVOKE, n=2, previous="0" * 64))
    page = replace(hub.revokes(), records=tuple(hub.records[3:]))

    found, end = accept_revokes(page.encoded(), trusted(), Trust(), NOW)

    assert [one.operation.target for one in found] == [IND]
    assert end == 4


def test_nothing_but_revokes_is_believed_ahead_of_the_log(hub):
    hub.say(*statements(2))
    hub.say(operation(Op.REVOKE, n=2, previous="0" * 64), signer=THIEF)

    assert accept_revokes(hub.revokes().encoded(), trusted(), Trust(), NOW) == ((), 3)


# -- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"[" * 100_000,
        b'{"from":' + b"9" * 5_000 + b"}",
        b'{"from":NaN}',
        b"\xef\xbb\xbf{}",
        b'{"from":0,"from":0,"next":0,"ops":[],"proof":[],"sets":[],"size":0}',
        b'{"from":0,"next":0,"ops":[],"proof":[],"sets":[],"size":0} ',
        b'{"from":-1,"next":0,"ops":[],"proof":[],"sets":[],"size":0}',
        b'{"from":0.0,"next":0,"ops":[],"proof":[],"sets":[],"size":0}',
        b'{"from":"0","next":0,"ops":[],"proof":[],"sets":[],"size":0}',
        b'{"from":0,"next":0,"ops":[],"proof":[],"sets":[],"size":9223372036854775808}',
        b'{"extra":1,"from":0,"next":0,"ops":[],"proof":[],"sets":[],"size":0}',
        b'{"from":0,"next":0,"ops":["\\ud800"],"proof":[],"sets":[],"size":0}',
        b'{"from":0,"next":0,"ops":["\xff"],"proof":[],"sets":[],"size":0}',
    ],
)
def test_what_is_no_page_is_refused(data):
    with pytest.raises(RefusedError) as error:
        accept(data, trusted(), Trust(), NOW)

    assert error.value.alarm in {Alarm.MALFORMED, Alarm.NON_CANONICAL}


def test_an_endless_page_is_refused(hub):
    hub.say(*statements(1))
    records = tuple(replace(hub.records[0], index=index) for index in range(MAX_RECORDS + 1))

    assert refused(hub, records=records, end=len(records), size=len(records)).alarm in {
        Alarm.MALFORMED,
        Alarm.TOO_LARGE,
    }
