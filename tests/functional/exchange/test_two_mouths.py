# SPDX-License-Identifier: Apache-2.0
"""An operator that speaks at two hubs: its latest word counts, of those that count."""

from datetime import timedelta

import pytest

from hub.domain.changes import SYSTEM
from hub.domain.indicators import Code
from hub.services import exclusions
from hub.services.exchange.partners import GOOD, HIDDEN, STALE
from hub.services.office import CONSOLE
from tests.support.codes import flipped, pdq
from tests.support.rows import carried
from tests.support.saying import contributed, opined, picture, standing

BOTH, OURS = "shared.example", "alpha.example.com"


@pytest.fixture
def c(a, open_hub, lures):
    """Another hub, where the operator speaks that speaks here too."""
    other = open_hub("hub-c.example")
    a.pair(other, operators=(BOTH,))
    other.pair(a, operators=(OURS, BOTH))
    a.share(other.name, lures)
    other.share(a.name, lures)
    return other


@pytest.fixture
def lures(a):
    return a.set("lures")


@pytest.fixture
def mine(a, lures):
    return a.admit(BOTH, sets=[lures])


@pytest.fixture
def there(c, lures):
    return c.admit(BOTH, sets=[lures])


@pytest.fixture
def known():
    return pdq()


@pytest.fixture
def alpha(a, lures):
    return a.admit(OURS, sets=[lures])


@pytest.fixture
def entry(a, c, alpha, lures, known):
    made = contributed(alpha, picture(pdq=known), lures)
    carried(a, c)
    return made


def weighs(hub, name, state):
    """Let the word of a hub weigh that much here."""
    with hub.hub.begin.writing(SYSTEM) as work:
        work.partners.mark(name, state)
        work.commit()


def excluded(hub, caller, code, set_id):
    values = {
        "member": caller.member,
        "sets": [set_id],
        "code": Code("pdq", bytes.fromhex(code)),
        "radius": 16,
        "reason": "benign",
        "expires": hub.clock() + timedelta(days=100),
    }
    exclusions.add_exclusion(values, by=CONSOLE, hub=hub.hub)
    hub.settle()


@pytest.mark.parametrize("state", [STALE, HIDDEN])
def test_a_word_that_does_not_count_replaces_none_that_does(
    a, c, lures, alpha, mine, there, entry, clock, state
):
    opined(mine, entry, lures, "disagree", reason="depicted-person")
    clock.forward(seconds=30)
    opined(there, entry, lures, "seen")
    carried(c, a)
    weighs(a, c.name, state)

    assert standing(alpha, entry) == "disputed"


def test_of_those_that_count_the_latest_counts_and_the_other_when_its_hub_does_no_more(
    a, c, lures, alpha, mine, there, entry, clock
):
    opined(mine, entry, lures, "disagree", reason="depicted-person")
    clock.forward(seconds=30)
    opined(there, entry, lures, "seen")
    carried(c, a)
    weighs(a, c.name, GOOD)
    assert standing(alpha, entry) == "review"
    weighs(a, c.name, HIDDEN)
    assert standing(alpha, entry) == "disputed"

    clock.forward(seconds=30)
    opined(mine, entry, lures, "seen")
    weighs(a, c.name, GOOD)
    assert standing(alpha, entry) == "review"


def test_a_word_that_comes_late_replaces_nothing_later(
    a, c, lures, alpha, mine, there, entry, clock
):
    opined(there, entry, lures, "disagree", reason="depicted-person")
    c.publish()
    clock.forward(seconds=30)
    opined(mine, entry, lures, "seen")
    carried(c, a)
    weighs(a, c.name, GOOD)

    assert standing(alpha, entry) == "review"


def test_a_word_on_this_entry_replaces_exclusions_while_it_counts(
    a, c, lures, alpha, mine, there, entry, known, clock
):
    excluded(a, mine, known, lures)
    assert standing(alpha, entry) == "disputed"
    opined(there, entry, lures, "seen")
    carried(c, a)
    weighs(a, c.name, HIDDEN)
    assert standing(alpha, entry) == "disputed"
    weighs(a, c.name, GOOD)
    assert standing(alpha, entry) == "review"


def test_nor_does_an_exclusion_that_comes_after_it(
    a, c, lures, alpha, mine, there, entry, known, clock
):
    opined(there, entry, lures, "seen")
    carried(c, a)
    excluded(a, mine, known, lures)

    weighs(a, c.name, HIDDEN)
    assert standing(alpha, entry) == "disputed"
    weighs(a, c.name, GOOD)
    assert standing(alpha, entry) == "review"


def test_nor_does_what_is_said_of_a_neighbour(
    a, c, lures, alpha, mine, there, entry, known, clock
):
    near = contributed(alpha, picture(pdq=flipped(known, 4)), lures)
    opined(mine, entry, lures, "disagree", reason="benign", reach="near")
    assert standing(alpha, near) == "disputed"
    clock.forward(seconds=30)
    opined(there, entry, lures, "seen")
    carried(c, a)

    weighs(a, c.name, HIDDEN)
    assert standing(alpha, near) == "disputed"
    weighs(a, c.name, GOOD)
    assert standing(alpha, near) == "review"


def test_a_later_word_that_is_no_vote_replaces_at_once(
    a, c, lures, alpha, mine, there, entry, clock
):
    opined(there, entry, lures, "disagree", reason="depicted-person")
    carried(c, a)
    weighs(a, c.name, GOOD)
    assert standing(alpha, entry) == "disputed"
    clock.forward(seconds=30)
    opined(mine, entry, lures, "seen", settle=False)

    assert standing(alpha, entry) == "review"
