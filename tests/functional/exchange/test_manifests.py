# SPDX-License-Identifier: Apache-2.0
"""The hub of a set says which hubs share it; whose a set is, people say."""

from dataclasses import replace

import pytest

from federation.operations.payloads import read_operation
from federation.operations.values import Manifest, Op
from hub.domain.changes import SYSTEM
from hub.domain.errors import ConflictError, NotFoundError
from hub.services.exchange import naming, partners
from hub.services.office import CONSOLE
from tests.simulators.federated import root_of
from tests.support.codes import pdq
from tests.support.saying import contributed, picture

HERE, THERE, THIRD = "hub-a.example", "hub-b.example", "hub-c.example"


def counting(hub):
    """The manifests that count at a hub, by set."""
    with hub.hub.begin.reading() as work:
        return work.manifests.counting(int(hub.clock().timestamp()))


def logged(hub):
    """The operations in a hub's log."""
    with hub.hub.begin.reading() as work:
        log = work.logs.open(hub.voice.log.origin)
        leaves = work.logs.entries(log, 0, log.size)
    return [read_operation(one.sealed.payload).operation for one in leaves]


def said(hub):
    return [one for one in logged(hub) if isinstance(one.body, Manifest)]


def opened(hub, set_id, onward="set"):
    naming.open_onward(set_id, onward, by=CONSOLE, hub=hub.hub)
    hub.hub.directory.reload()


def test_a_set_that_is_shared_says_which_hubs_share_it(a, b, shared):
    a.announce()
    b.catch_up(a)

    found = counting(b)[shared]
    assert found.hubs == {HERE: root_of(HERE), THERE: root_of(THERE)}
    assert found.onward == "none"
    assert counting(a)[shared].operation == counting(b)[shared].operation


def test_it_is_said_once_and_again_when_it_changes(a, b, shared, open_hub, clock):
    a.announce()
    a.announce()
    assert len(said(a)) == 1
    c = open_hub(THIRD)
    a.pair(c)
    a.share(THIRD, shared)
    a.announce()
    assert set(counting(a)[shared].hubs) == {HERE, THERE, THIRD}
    clock.forward(seconds=200 * 86_400)
    a.announce()

    assert [one.n for one in said(a)] == [1, 2, 3]
    assert said(a)[2].body == said(a)[1].body


def test_a_set_that_is_shared_with_nobody_is_nobodys_business(a, b, shared):
    a.set("ours alone")
    a.announce()

    assert [one.target for one in said(a)] == [shared]


def test_whoever_is_in_quarantine_is_not_named(a, b, shared):
    partners.change(THERE, by=CONSOLE, hub=a.hub, state="quarantined")
    a.announce()

    assert set(counting(a)[shared].hubs) == {HERE}


def test_only_the_hub_of_a_set_says_who_shares_it(a, b, shared):
    # B thinks that the set is its own, and says so first.
    with b.hub.begin.writing(SYSTEM) as work:
        work.manifests.rehome(work.manifests.homes()[shared].key, None)
        work.commit()
    b.announce()
    a.catch_up(b)
    assert said(b)
    assert shared not in counting(a)

    a.announce()
    assert set(counting(a)[shared].hubs) == {HERE, THERE}
    assert counting(a)[shared].operation != counting(b)[shared].operation


def test_a_person_says_whose_a_set_is_also_afterwards(a, b, shared):
    with b.hub.begin.writing(SYSTEM) as work:
        work.manifests.rehome(work.manifests.homes()[shared].key, None)
        work.commit()
    a.announce()
    b.catch_up(a)
    assert shared not in counting(b)

    naming.set_home(shared, HERE, None, by=CONSOLE, hub=b.hub)

    assert set(counting(b)[shared].hubs) == {HERE, THERE}
    naming.set_home(shared, None, None, by=CONSOLE, hub=b.hub)
    assert shared not in counting(b)


def test_of_two_authors_what_was_said_last_counts_whatever_came_last(a, b, shared, clock):
    a.announce()
    opened(a, shared)
    a.announce()  # the second version of its author
    clock.forward(seconds=60)
    a.hub = replace(a.hub, secrets=replace(a.hub.secrets, pepper=b"another".ljust(32)))
    opened(a, shared, "none")
    a.announce()  # the first of another

    b.catch_up(a)

    assert len({one.author for one in said(a)}) == 2
    assert [one.n for one in said(a)] == [1, 2, 1]
    assert counting(a)[shared].onward == counting(b)[shared].onward == "none"
    assert counting(a)[shared].operation == counting(b)[shared].operation


def test_a_home_is_a_partner_or_told_by_its_line(a, b, shared):
    with pytest.raises(NotFoundError):
        naming.set_home(shared, THIRD, None, by=CONSOLE, hub=b.hub)
    naming.set_home(shared, THIRD, root_of(THIRD), by=CONSOLE, hub=b.hub)
    with pytest.raises(ConflictError):
        naming.set_home(shared, THIRD, root_of("another"), by=CONSOLE, hub=b.hub)

    assert naming.hubs_of(shared, hub=b.hub)["home"] == THIRD
    # It is no partner: it is neither followed nor answered.
    with b.hub.begin.reading() as work:
        assert work.partners.named(THIRD) is None
        assert [one.hub for one in work.partners.all()] == [HERE]


def test_a_hub_is_named_by_its_line_and_taken_out_by_its_name(a, b, shared):
    naming.name_hub(shared, THIRD, root_of(THIRD), named=True, by=CONSOLE, hub=a.hub)
    a.announce()
    b.catch_up(a)
    assert counting(b)[shared].hubs[THIRD] == root_of(THIRD)

    for name in (THERE, THIRD):
        naming.name_hub(shared, name, None, named=False, by=CONSOLE, hub=a.hub)
    a.announce()
    b.catch_up(a)
    assert set(counting(b)[shared].hubs) == {HERE}


def test_who_is_named_is_for_the_hub_of_the_set_to_say(b, shared):
    for change in (
        lambda: naming.open_onward(shared, "set", by=CONSOLE, hub=b.hub),
        lambda: naming.name_hub(shared, THIRD, None, named=True, by=CONSOLE, hub=b.hub),
    ):
        with pytest.raises(ConflictError):
            change()


def test_what_is_in_a_set_says_whether_it_may_go_on(a, b, shared, alpha, beta):
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    assert logged(a)[-1].policy.onward == "none"

    opened(a, shared)
    a.publish()
    a.announce()
    b.catch_up(a)
    assert logged(a)[-2].policy.onward == "set"
    # What members of other hubs say in it follows the hub of the set.
    b.hub.directory.reload()
    contributed(beta, picture(pdq=pdq()), shared)
    b.publish()
    assert logged(b)[-1].policy.onward == "set"


def test_what_may_go_on_no_more_is_over_for_those_who_had_it_from_others(a, b, shared, alpha):
    opened(a, shared)
    contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    opened(a, shared, "none")
    a.publish()

    first, again, over = logged(a)
    assert (first.policy.onward, again.policy.onward) == ("set", "none")
    assert (over.op, over.body.upto, over.policy.onward) == (Op.POLICY, 1, "set")
    assert over.policy.sets == (shared,)
    # Whoever has it from us keeps it.
    assert b.catch_up(a) == 2
    assert a.publish() is None
    assert len(logged(a)) == 3
