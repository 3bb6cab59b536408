# SPDX-License-Identifier: Apache-2.0
"""A hub that is heard through another changes its keys or its log, or lost what it had said."""

from dataclasses import replace

import pytest

from federation.identity.hubfile import read_hub_file
from federation.identity.values import OpKey
from federation.keys import MemorySigner
from federation.returned import fetch
from hub.services.exchange import renewing
from hub.services.exchange.learning import learn
from tests.simulators.federated import Wire
from tests.support.codes import pdq
from tests.support.rows import alarms, carried, in_a_row
from tests.support.saying import contributed, matched, picture, version, withdrawn

THIRD = "hub-c.example"
OURS, OTHERS, THEIRS = "alpha.example.com", "beta.example.com", "gamma.example.com"


@pytest.fixture
def c(open_hub):
    return open_hub(THIRD)


@pytest.fixture
def line(a, b, c):
    """A set of B, which A and C share with it; A and B have keys that can be changed."""
    a.introduce(OURS)
    b.introduce(OTHERS)
    return in_a_row(a, b, c, {a.name: OURS, b.name: OTHERS, c.name: THEIRS})


@pytest.fixture
def alpha(a, line):
    return a.admit(OURS, sets=[line])


@pytest.fixture
def gamma(c, line):
    return c.admit(THEIRS, sets=[line])


@pytest.fixture
def says(a, b, c, line, alpha):
    """Let a member at one end say something, and carry it to the other."""

    def say():
        known = pdq()
        contributed(alpha, picture(pdq=known), line)
        carried(a, b, c)
        return known

    return say


def answers(member, *known):
    return [matched(member, pdq=one)["answer"] for one in known]


def learnt(a, b, c):
    """Let both of the others learn which keys the first has by now."""
    b.learn(a)
    c.learn_of(a, b)
    b.settle()
    c.settle()


def size(hub):
    with hub.hub.begin.reading() as work:
        return work.logs.open(hub.voice.log.origin).size


def test_not_one_operation_falls_between_two_keys(a, b, c, says, gamma):
    before = says()
    renewing.change_operation_key(a.hub)
    after = says()
    assert answers(gamma, before, after) == ["hit", "none"]  # its key is not known there yet

    learnt(a, b, c)
    c.catch_up(b)

    assert answers(gamma, before, after) == ["hit", "hit"]
    assert alarms(c, b.name) == alarms(c, a.name) == []


def test_what_a_thief_said_is_void_where_it_was_passed_on(a, b, c, says, gamma):
    honest, stolen = says(), says()
    assert answers(gamma, honest, stolen) == ["hit", "hit"]

    renewing.change_operation_key(a.hub, stolen_at=size(a) - 1)
    learnt(a, b, c)
    assert answers(gamma, honest, stolen) == ["hit", "none"]

    c.catch_up(b)  # reads the log of whoever passes it on once more
    assert answers(gamma, honest, stolen) == ["hit", "none"]
    assert alarms(c, b.name) == alarms(c, a.name) == []


def test_another_log_is_passed_on_as_the_first_was(a, b, c, says, gamma):
    before = says()
    renewing.begin_log(a.hub)
    a.publish()
    learnt(a, b, c)
    after = says()
    carried(a, b, c)

    assert answers(gamma, before, after) == ["hit", "hit"]
    assert alarms(c, b.name) == alarms(c, a.name) == []


def test_what_is_withdrawn_in_the_next_log_is_gone_at_the_other_end(a, b, c, line, alpha, gamma):
    """Also at a size that the log before had: of that its checkpoint is kept as well."""
    known = pdq()
    first = contributed(alpha, picture(pdq=known), line)
    carried(a, b, c)
    second = contributed(alpha, picture(pdq=pdq()), line)
    carried(a, b, c)
    for _ in range(2):
        changed = version(line, harm=["solicitation"])
        assert alpha.post(f"/v1/indicators/{second}/versions", changed).status_code == 201
        carried(a, b, c)
    assert size(a) == 4

    renewing.begin_log(a.hub)
    a.publish()
    learnt(a, b, c)
    carried(a, b, c)
    withdrawn(alpha, first)
    carried(a, b, c)

    assert size(a) == 3
    assert answers(gamma, known) == ["none"]
    assert alarms(c, b.name) == alarms(c, a.name) == []


def test_who_passes_on_does_so_in_its_next_log_too(a, b, c, says, gamma):
    known = says()
    renewing.begin_log(b.hub)
    b.publish()
    c.learn(b)
    b.publish()

    with b.hub.begin.reading() as work:
        log = work.logs.open(b.voice.log.origin)
        assert a.name in {one.source for one in work.logs.entries(log, 0, log.size)}
    c.catch_up(b)
    assert answers(gamma, known) == ["hit"]


@pytest.mark.parametrize("who", ["a stranger", "the hub between, in another order"])
def test_nobody_sends_us_through_a_log_once_more_without_a_reason(b, c, says, open_hub, who):
    says()
    c.catch_up(b)
    other = b
    if who == "a stranger":
        other = open_hub("hub-h.example")
        c.pair(other, operators=("other.example.com",))
    said = read_hub_file(other.file())
    more = OpKey(f"{other.name}#op-9", MemorySigner(b"x" * 32).public, 1, 0, None)
    orders = [(*said.op_keys, more), (more, *said.op_keys)]
    if other is b:
        learn(c.enrolled(b.name), replace(said, op_keys=orders[0]), c.hub)
        c.catch_up(b)
    before = c.enrolled(b.name).trust
    assert before.is_level

    for order in reversed(orders):
        learn(c.enrolled(other.name), replace(said, op_keys=order), c.hub)
        c.follow_partner(b)

        assert c.enrolled(b.name).trust.applied == before.applied


def test_whoever_was_told_of_it_by_another_gives_back_what_was_lost(a, b, c, says):
    says()
    says()
    c.pair(a, operators=(OURS,))

    held = fetch(Wire(c, a.name), start=0).held
    assert [index for index, _ in held] == [size(a) - 2, size(a) - 1]
    assert [index for index, _ in fetch(Wire(c, a.name), start=size(a) - 1).held] == [size(a) - 1]
    assert fetch(Wire(b, c.name), start=0).held == []
    # What B passed on is not B's own.
    assert len(fetch(Wire(c, b.name), start=0).held) == 1
