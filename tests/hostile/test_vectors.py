# SPDX-License-Identifier: Apache-2.0
"""The files are what the behaviours make, the page tells of every one, and files alone will do."""

import re
from pathlib import Path

import pytest

from hub.ports.exchange import SUSPENDED
from tests.hostile import vectors
from tests.hostile.behaviours import Behaviour, Elsewhere, Inexpressible, State
from tests.hostile.contract import NOW, Contract
from tests.hostile.playing import check_honest, check_state, check_told
from tests.hostile.vectors import GROUPS, OUT, PAGE, FilePeer

HERE = Path(__file__).parent
LARGEST = 2_000_000
"""Bytes of all files together."""
ROWS = {row.id: row for group in GROUPS for row in group.rows}
STORED = {
    f"{group.letter.lower()}/{one.id}": one
    for group in GROUPS
    for one in group.behaviours
    if not one.wire
}


@pytest.fixture(scope="module")
def made():
    return vectors.made()


# -- the files and the page ----------------------------------------------------------------------


def test_the_files_are_what_the_behaviours_make(made):
    there = {
        str(path.relative_to(OUT)): path.read_bytes() for path in OUT.rglob("*") if path.is_file()
    }

    assert there.keys() == made.keys()
    assert [name for name, data in made.items() if there[name] != data] == []
    assert sum(map(len, made.values())) < LARGEST


def test_the_page_is_what_the_behaviours_are():
    assert vectors.page() == PAGE.read_text(encoding="utf-8")


def test_all_116_behaviours_are_there_in_order():
    counts = [group.count for group in GROUPS]
    assert counts == [20, 17, 14, 22, 22, 21]
    assert sum(counts) == 116
    for group in GROUPS:
        numbers = list(dict.fromkeys(row.id.partition(".")[0] for row in group.rows))
        wanted = [f"{group.letter}{number}" for number in range(1, group.count + 1)]
        assert numbers[: group.count] == wanted


def test_every_row_has_a_test_or_a_reason():
    assert len(ROWS) == sum(len(group.rows) for group in GROUPS)
    for row in ROWS.values():
        if isinstance(row, Inexpressible):
            assert len(row.reason) > 40
        elif isinstance(row, Elsewhere):
            file, _, name = row.test.partition("::")
            name, _, case = name.partition("[")
            text = (HERE / file).read_text(encoding="utf-8")
            assert f"def {name}(" in text, row.id
            assert f'id="{case.rstrip("]")}"' in text or not case, row.id
        else:
            assert row.wire or f"{row.id[0].lower()}/{row.id}" in STORED


def test_enough_is_run():
    found = vectors.counts()

    assert found["listed"] == 116
    assert found["run"] >= 90
    assert found["run"] + found["inexpressible"] == 116


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.letter)
def test_each_group_has_something_that_must_be_accepted(group):
    assert [one for one in group.behaviours if one.is_accepted and one.alarm is None]


def test_each_row_says_what_comes_of_it():
    lines = re.findall(
        r"^\| [A-F][0-9.a-z]+ \|.*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )

    assert len(lines) == len(ROWS)
    assert {line.count(" | ") for line in lines} == {5}


# -- from files alone ----------------------------------------------------------------------------


def played(name: str, behaviour: Behaviour, contract: Contract) -> None:
    """What the page tells another hub's authors to do."""
    peer = FilePeer(OUT, name)
    told = peer.manifest
    with peer.behind() as served:
        if "before" in peer.steps:
            peer.step = "before"
            assert contract.sync(served.url)["ok"]
        before = contract.dump()
        if told.get("restarts"):
            contract.restart()
        contract.now = NOW + told.get("later", 0)

        peer.step = "attack"
        answer = contract.sync(served.url)

        assert (answer["ok"], answer["alarm"]) == (told["ok"], told["alarm"])
        check_told(behaviour, answer)
        check_state(behaviour, before, contract.dump())
        assert (contract.partner().state == SUSPENDED) is told.get("looked_at", False)
        if told.get("looked_at"):
            contract.resume()
        peer.step = "after"
        answer = contract.sync(served.url)
        check_honest(answer, answer["applied"], behaviour.then)
        assert told.get("then") == (None if behaviour.then is None else str(behaviour.then))
        assert answer["applied"] >= 1


SOME = ("a/A3", "a/A17", "a/A21", "b/B2", "b/B10", "c/C8", "c/C15", "d/D12", "e/E13")


@pytest.mark.parametrize("name", SOME)
def test_a_vector_is_enough_to_test_a_hub(contract, name):
    played(name, STORED[name], contract)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(STORED.keys() - set(SOME)))
def test_every_vector_is_enough_to_test_a_hub(contract, name):
    played(name, STORED[name], contract)


def test_what_is_not_stored_is_described():
    for row in ROWS.values():
        if isinstance(row, Behaviour) and row.wire:
            assert row.state in {State.SAME, State.ACCEPTED, State.GOES_ON}
            assert len(row.wire) > 8
