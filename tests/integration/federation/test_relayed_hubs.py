# SPDX-License-Identifier: Apache-2.0
"""Three real hubs in a row: the two at the ends do not know each other, and hear each other."""

import json

import pytest

from hub.client import Client
from hub.demo.paired import SET_NAME, THREE, TLP, admit, introduced, running_hubs
from tests.support.codes import pdq
from tests.support.real_hubs import answer, contributed
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def row(tmp_path_factory):
    with running_hubs(tmp_path_factory.mktemp("row"), THREE) as (middle, *ends):
        middle.line = middle.type("partners", "invite", *introduced(middle))["line"]
        made = middle.type("sets", "add", SET_NAME, "--tlp", TLP)["id"]
        for end in ends:
            end.line = end.type("partners", "pair", middle.line, *introduced(end))["line"]
            middle.type("partners", "pair", end.line)
            middle.type("partners", "share", end.name, made)
            end.type("partners", "share", middle.name, made, "--name", SET_NAME, "--tlp", TLP)
        middle.type("sets", "onward", made, "set")
        for hub in (middle, *ends):
            admit(hub, made)
        eventually(lambda: all(named(end, made) == 3 for end in ends))
        yield middle, *ends, made


def named(hub, made):
    """How many hubs the manifest that counts at a hub names."""
    return len(hub.type("sets", "hubs", made)["hubs"])


def evidence(hub, name):
    return [one["alarm"] for one in json.loads(json.dumps(hub.type("partners", "evidence", name)))]


def test_what_one_end_says_is_found_at_the_other_and_gone_when_it_is_withdrawn(row):
    middle, one, other, made = row
    known = pdq()
    (indicator,) = contributed(one, made, known)
    eventually(lambda: answer(other, known) == "hit")

    told = {each["hub"]: each for each in other.type("partners", "list")}
    assert told[one.name]["relayed"]
    assert told[one.name]["via"] == middle.name
    assert told[one.name]["weight"] == "stale"
    with Client(one.running.url, one.key) as client:
        client.withdraw(indicator)
    eventually(lambda: answer(other, known) == "none")
    assert evidence(other, middle.name) == evidence(other, one.name) == []


def test_who_is_taken_out_is_heard_no_more(row):
    middle, one, other, made = row
    known, later = pdq(), pdq()
    contributed(one, made, known)
    eventually(lambda: answer(other, known) == "hit")

    middle.type("sets", "unname", made, one.name)
    eventually(lambda: named(other, made) == 2)
    eventually(lambda: answer(other, known) == "none")
    contributed(one, made, later)
    eventually(lambda: answer(middle, later) == "hit")
    assert answer(other, later) == "none"

    middle.type("sets", "name", made, one.name)
    eventually(lambda: answer(other, known) == answer(other, later) == "hit")
    assert evidence(other, middle.name) == []
