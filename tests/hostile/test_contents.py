# SPDX-License-Identifier: Apache-2.0
"""Group D: what is rightly signed, and not for this peer to say, or not here, or not so."""

import pytest

from tests.hostile.contents import GROUP
from tests.hostile.peer import target
from tests.hostile.playing import holds

ROWS = {one.id: one for one in GROUP.behaviours}


@pytest.mark.parametrize("behaviour", GROUP.behaviours, ids=lambda one: one.id)
def test_what_is_not_for_the_peer_to_say_says_nothing(played, behaviour):
    played(behaviour)


def test_who_takes_anothers_id_changes_nothing_of_what_has_it(played):
    contract = played(ROWS["D21"])

    held = {one["author"]: one["id"] for one in contract.dump().indicators}
    assert holds(contract.dump(), target(1))
    assert held["hub-a.example/m/zzzzzzzzzzzzzzzz"] != target(1)


def test_what_was_taken_back_stays_taken_back(played):
    contract = played(ROWS["D12"])

    assert not holds(contract.dump(), target(1))


def test_good_entries_beside_a_bad_one_are_taken(played):
    dump = played(ROWS["D23"]).dump()

    assert holds(dump, target(81))
    assert holds(dump, target(82))
    assert not holds(dump, target(80))


def test_what_claims_to_be_corroborated_is_one_voice(played):
    contract = played(ROWS["D9.word"])

    (found,) = [one for one in contract.dump().indicators if one["id"] == target(80)]
    assert "operators" not in found["words"]
