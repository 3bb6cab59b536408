# SPDX-License-Identifier: Apache-2.0
"""How a hub changes its keys and its log, and what it may not take back."""

from dataclasses import replace

import pytest

from federation.errors import Alarm, RefusedError
from federation.identity import succession
from federation.identity.hubfile import read_hub_file, write
from federation.identity.values import Log
from tests.simulators.identities import HUB, hub_file, op_key, vkey
from tests.support.signing import signer

FIRST = f"{HUB}/fed/1"
ROOT = b"\x07" * 32


@pytest.fixture
def hub():
    return hub_file(log=Log(FIRST, (vkey(FIRST, 51),)), op_keys=(op_key(60),))


def public(seed):
    return signer(seed).public


def reopened(hub, size, seeds=(90, 91)):
    name = succession.next_log(hub)
    log, op = seeds
    return succession.with_new_log(
        hub, size=size, root=ROOT, vkey=vkey(name, log), public=public(op)
    )


def holds(hub, index):
    return [key.id for key in hub.log_op_keys if key.holds_at(index)]


def test_one_key_holds_for_each_entry(hub):
    new = succession.with_op_key(hub, public(61), size=7)

    assert read_hub_file(write(new)) == new
    old, fresh = (key.id for key in new.op_keys)
    assert [holds(new, at) for at in (0, 6, 7, 100)] == [[old], [old], [fresh], [fresh]]
    assert new.epoch == hub.epoch


def test_what_a_stolen_key_signed_from_an_entry_on_is_void(hub):
    new = succession.with_op_key(hub, public(61), size=7, stolen_at=4)

    assert read_hub_file(write(new)) == new
    old, fresh = (key.id for key in new.op_keys)
    assert [holds(new, at) for at in (3, 4, 6, 7)] == [[old], [], [], [fresh]]
    assert new.epoch == hub.epoch + 1
    assert succession.cuts(hub, new) == {old: 4}


def test_of_a_closed_log_no_key_holds_in_the_next(hub):
    new = reopened(hub, 7)

    assert read_hub_file(write(new)) == new
    assert new.log.origin == f"{HUB}/fed/2"
    assert holds(new, 0) == holds(new, 100) == [new.op_keys[-1].id]
    assert [succession.closed(hub, new)] == list(new.log.closed)
    assert [one.size for one in new.log.closed] == [7]
    assert succession.closed(new, new) is None
    assert [key.vkey for key in new.log.retired] == list(hub.log.vkeys)


def test_the_log_of_now_is_found_over_two_that_were_closed(hub):
    third = reopened(reopened(hub, 7), 3, seeds=(92, 93))

    assert third.log.origin == f"{HUB}/fed/3"
    assert succession.closed(hub, third) == third.log.closed[0]
    assert [one.size for one in third.log.closed] == [7, 3]
    succession.check(hub, third)


def test_keys_for_requests_are_one_at_a_time(hub):
    new = succession.with_req_key(hub, public(71))

    assert read_hub_file(write(new)) == new
    assert [key.id for key in new.req_keys] == [f"{HUB}#req-2"]


def test_what_follows_rightly_may_follow(hub):
    rotated = succession.with_op_key(hub, public(61), size=7)
    for before, after in (
        (hub, hub), (hub, rotated), (rotated, succession.with_op_key(rotated, public(62), size=9)),
        (rotated, reopened(rotated, 9)),
        (hub, succession.with_op_key(hub, public(61), size=7, stolen_at=0)),
    ):  # fmt: skip
        succession.check(before, after)


def test_nothing_that_was_settled_is_taken_back(hub):
    ended = succession.with_op_key(hub, public(61), size=7)
    closed = reopened(hub, 7)
    elsewhere = replace(hub, log=replace(hub.log, origin=f"{HUB}/fed/5"))
    longer = replace(ended, op_keys=(replace(ended.op_keys[0], until=8), ended.op_keys[1]))
    other = replace(closed, log=replace(closed.log, closed=(
        replace(closed.log.closed[0], size=6),
    )))  # fmt: skip
    for before, after in (
        (ended, hub), (ended, longer), (closed, hub), (closed, other), (hub, elsewhere),
        (hub, replace(hub, op_keys=(op_key(60, epoch=2),))),
        (hub, replace(hub, op_keys=(op_key(61),))),
    ):  # fmt: skip
        with pytest.raises(RefusedError) as refused:
            succession.check(before, after)
        assert refused.value.alarm is Alarm.ROLLBACK
