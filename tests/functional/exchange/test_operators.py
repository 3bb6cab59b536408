# SPDX-License-Identifier: Apache-2.0
"""One operator that speaks through several hubs, and one for whom somebody else wants to speak."""

from dataclasses import replace

import pytest

from federation.identity import hubfile
from federation.identity.hubfile import read_hub_file
from federation.identity.values import Operator
from hub.domain.changes import SYSTEM
from hub.services.exchange import meeting, partners
from hub.services.office import CONSOLE
from tests.support.codes import pdq
from tests.support.rows import alarms, carried, in_a_row, known, told
from tests.support.saying import contributed, opined, picture

NEAR, FAR, FURTHER = "hub-c.example", "hub-d.example", "hub-e.example"
THEIRS = "games.example"


@pytest.fixture
def c(open_hub):
    return open_hub(NEAR)


@pytest.fixture
def line(a, b, c):
    """A set of B, which A and C share with it and not with each other."""
    return in_a_row(a, b, c, {one.name: f"run.{one.name}" for one in (a, b, c)})


@pytest.fixture
def gamma(c, line):
    return c.admit(THEIRS, sets=[line])


@pytest.fixture
def other(b, c, open_hub, line, gamma):
    """A hub that B names in its set, and that says it is run by whom C's member belongs to."""
    return named(FAR, b, c, open_hub, line)


def named(name, b, c, open_hub, line):
    other = open_hub(name)
    b.pair(other, operators=(THEIRS,))
    other.pair(b, operators=(THEIRS, f"run.{b.name}"))
    for one, its in ((b, other), (other, b)):
        one.share(its.name, line)
    told(c, b, other)
    learn_of(other, b, c)
    return other


def learn_of(other, b, c):
    """Let a hub say that it is run by the operator of C's member, and C learn that through B."""
    said = read_hub_file(other.file())
    said = replace(said, operator=Operator(THEIRS, "platform"), operators=(THEIRS,))
    with b.hub.begin.writing(SYSTEM) as work:
        work.partners.change(heard(b, other.name).key, identity=hubfile.write(said))
        work.commit()
    with other.hub.begin.reading() as work:
        note = work.logs.open(other.voice.log.origin).note
    about, by = heard(c, other.name), c.enrolled(b.name)
    meeting.keep(about, said, note, partner=by, hub=c.hub, voice=c.voice)


def speaking_for(hub, operator):
    """The hubs through which an operator spoke here."""
    with hub.hub.begin.reading() as work:
        return {through for _, through in work.directory.mouths([operator])}


def heard(hub, name):
    found = known(hub, name)
    assert found is not None
    return found


@pytest.fixture
def entry(b, c, line, other):
    """What a member of B contributed, as the others have it."""
    made = contributed(b.admit(f"run.{b.name}", sets=[line]), picture(pdq=pdq()), line)
    carried(b, c)
    other.catch_up(b)
    return made


def test_nobody_speaks_for_an_operator_that_has_a_member_here(b, c, line, other, entry):
    opined(other.admit(THEIRS, sets=[line]), entry, line, "seen")
    carried(other, b, c)

    assert speaking_for(c, THEIRS) == {None}
    # No fault of whoever passed it on; and people are told whom to ask about.
    assert alarms(c, b.name) == []
    assert alarms(c, other.name) == ["unvouched"]
    assert "unvouched" in (heard(c, other.name).error or "")


def test_an_operator_speaks_through_two_hubs_once_people_say_so(b, c, line, other, entry):
    opined(other.admit(THEIRS, sets=[line]), entry, line, "seen")
    carried(other, b, c)
    partners.change(other.name, by=CONSOLE, hub=c.hub, operators=[THEIRS])
    carried(b, c, b)
    c.catch_up(b)

    assert speaking_for(c, THEIRS) == {None, other.name}
    assert heard(c, other.name).error is None


def test_nobody_speaks_for_an_operator_for_whom_a_partner_may(b, c, open_hub, line):
    partners.change(b.name, by=CONSOLE, hub=c.hub, operators=[f"run.{b.name}", THEIRS])
    other = named(FAR, b, c, open_hub, line)
    contributed(other.admit(THEIRS, sets=[line]), picture(pdq=pdq()), line)
    carried(other, b, c)

    assert speaking_for(c, THEIRS) == set()


def test_of_two_hubs_that_say_so_who_spoke_first_goes_on(b, c, open_hub, line):
    first = named(FAR, b, c, open_hub, line)
    contributed(first.admit(THEIRS, sets=[line]), picture(pdq=pdq()), line)
    carried(first, b, c)
    second = named(FURTHER, b, c, open_hub, line)
    contributed(second.admit(THEIRS, sets=[line]), picture(pdq=pdq()), line)
    carried(second, b, c)

    assert speaking_for(c, THEIRS) == {first.name}
    assert heard(c, first.name).error is None
