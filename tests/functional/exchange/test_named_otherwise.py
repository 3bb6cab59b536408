# SPDX-License-Identifier: Apache-2.0
"""A set's hub names another by a first root that is not its own: whom that silences.

Hubs A, B and C are in a row. H shares a set of its own with C, in which it names A.
"""

from typing import Any

import pytest

from hub.services.exchange import naming
from hub.services.office import CONSOLE
from tests.simulators.federated import root_of
from tests.support.codes import pdq
from tests.support.rows import alarms, carried, in_a_row, known, opened, told
from tests.support.saying import contributed, matched, picture

FALSE = "66" * 32
MANY = 12
"""More than a page may have that is bad before whoever sent it is suspended."""


@pytest.fixture
def hubs(a, b, open_hub):
    return a, b, open_hub("hub-c.example"), open_hub("hub-h.example")


@pytest.fixture
def row(hubs):
    """Put A, B and C in a row; returns what members of A say and C finds."""
    a, b, c, _ = hubs
    said: list[Any] = []

    def begin():
        line = in_a_row(a, b, c, {one.name: f"run.{one.name}" for one in (a, b, c)})
        return a.admit(f"run.{a.name}", sets=[line]), c.admit(f"run.{c.name}", sets=[line]), line

    def say():
        if not said:
            said.append(begin())
        alpha, gamma, line = said[0]
        seen = [pdq() for _ in range(MANY)]
        for one in seen:
            contributed(alpha, picture(pdq=one), line)
        carried(a, b, c)
        return {matched(gamma, pdq=one)["answer"] for one in seen}

    return say


def baited(hubs):
    """Let H name A in a set of its own, which C shares; returns the set."""
    a, _, c, h = hubs
    bait = h.set("bait")
    h.pair(c, operators=(f"run.{c.name}",))
    c.pair(h, operators=(f"run.{h.name}",))
    for one, other in ((h, c), (c, h)):
        one.share(other.name, bait)
    opened(h, bait, "set")
    naming.name_hub(bait, a.name, FALSE, named=True, by=CONSOLE, hub=h.hub)
    named(hubs)
    return bait


def named(hubs):
    """Let C hear from H."""
    *_, c, h = hubs
    h.announce()
    c.catch_up(h)
    c.announce()


def far(hubs):
    """A, as it is known at C."""
    a, _, c, _ = hubs
    found = known(c, a.name)
    assert found is not None
    return found


def error(hubs):
    """What C's people are told of A."""
    return far(hubs).error or ""


def test_who_names_a_hub_first_does_not_silence_it(hubs, row):
    a, b, c, _ = hubs
    baited(hubs)
    assert far(hubs).root == FALSE

    assert row() == {"hit"}
    assert far(hubs).root == root_of(a.name)
    assert alarms(c, b.name) == []
    assert c.enrolled(b.name).state == "active"


def test_who_names_a_hub_later_does_not_silence_it_and_people_are_told(hubs, row):
    a, b, c, h = hubs
    assert row() == {"hit"}
    bait = baited(hubs)
    c.announce()

    assert row() == {"hit"}
    assert far(hubs).root == root_of(a.name)
    assert bait in error(hubs)
    assert alarms(c, b.name) == alarms(c, h.name) == []
    assert alarms(c, a.name) == ["wrong-origin"]

    naming.name_hub(bait, a.name, None, named=False, by=CONSOLE, hub=h.hub)
    named(hubs)
    assert error(hubs) == ""


def test_who_has_proven_a_false_root_harms_no_relay_and_people_are_told(hubs, row):
    a, b, c, _ = hubs
    baited(hubs)
    with c.hub.begin.writing(CONSOLE.actor) as work:
        work.partners.change(far(hubs).key, identity=c.file().replace(
            c.name.encode(), a.name.encode()
        ))  # fmt: skip
        work.commit()

    assert row() == {"none"}
    told(*hubs[:3])
    assert error(hubs).startswith("named by another first root")
    assert alarms(c, b.name) == []
    assert c.enrolled(b.name).state == "active"
