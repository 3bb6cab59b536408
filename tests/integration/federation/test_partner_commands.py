# SPDX-License-Identifier: Apache-2.0
"""What people type about partners, rightly and wrongly, at the consoles of two running hubs."""

from contextlib import closing
from urllib.parse import urlsplit

import pytest

from hub.demo.console import Console
from hub.demo.paired import SET_NAME, THREE, TLP, introduced, running_hubs
from hub.demo.running import DemoError


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    with running_hubs(tmp_path_factory.mktemp("typed"), THREE[:2]) as (a, b):
        a.line = a.type("partners", "invite", *introduced(a))["line"]
        b.line = b.type("partners", "pair", a.line, *introduced(b))["line"]
        a.type("partners", "pair", b.line)
        yield a, b


@pytest.fixture
def a(two):
    return two[0]


@pytest.fixture
def b(two):
    return two[1]


def refusal(hub, *words):
    """The sentence with which a command ends that is refused; a fault of ours says more lines."""
    with pytest.raises(DemoError) as refused:
        hub.type(*words)
    _, *sentences = str(refused.value).strip().split("\n")
    assert sentences[0].startswith("breakwater: ")
    return sentences[0]


def listed(hub, name):
    return next(one for one in hub.type("partners", "list") if one["hub"] == name)


def test_a_hub_is_no_partner_of_its_own(a, b):
    assert "own line" in refusal(a, "partners", "pair", a.line)

    assert [one["hub"] for one in a.type("partners", "list")] == [b.name]


def test_a_pairing_that_failed_is_typed_again_with_the_same_words(a, b):
    assert a.type("partners", "invite", *introduced(a))["line"] == a.line

    said = refusal(a, "partners", "invite", "--as", "hub-z.example")
    assert a.name in said
    assert b.name == listed(a, b.name)["hub"]


def test_a_line_of_another_root_is_refused(a, b):
    other = b.line[:-4] + ("0000" if not b.line.endswith("0000") else "1111")

    said = refusal(a, "partners", "pair", other)

    assert b.name in said
    assert listed(a, b.name)["state"] == "active"


def test_a_partner_that_moved_is_paired_once_more_and_keeps_what_was_settled(a, b):
    a.type("partners", "trust", b.name, "review")
    there = f"http://localhost:{urlsplit(b.running.url).port}"
    with closing(Console({**b.running.environment(), "BREAKWATER_PUBLIC_URL": there})) as moved:
        assert moved.type("partners", "introduce")["base"].startswith(there)
        line = moved.type("partners", "invite")["line"]
    # The old line leads nowhere now: it is said what to do.
    assert "pair with it again" in refusal(a, "partners", "pair", b.line)

    a.type("partners", "pair", line, "--vouches-for", "other.example.com")

    found = listed(a, b.name)
    assert found["base"].startswith(there)
    assert found["level"] == "review"
    assert found["operators"] == [b.cast.operator]
    b.type("partners", "introduce")
    a.type("partners", "pair", b.line)
    assert listed(a, b.name)["base"].startswith(b.running.url)
    a.type("partners", "trust", b.name, "counts")


def test_whoever_has_looked_releases_a_flood(a, b):
    assert a.type("partners", "release", b.name)["hub"] == b.name

    assert listed(a, b.name)["state"] == "active"


def test_why_a_word_does_not_count_is_said(a, b):
    a.type("partners", "trust", b.name, "review")
    assert listed(a, b.name)["because"] == "level review"
    a.type("partners", "pause", b.name)
    assert listed(a, b.name)["because"] == "paused"

    a.type("partners", "resume", b.name)
    a.type("partners", "trust", b.name, "counts")

    # Two hubs alone have no third that sees what they show.
    assert listed(a, b.name)["because"] in {"silent", "unwitnessed"}


def test_what_stays_at_a_hub_is_not_shared_in_name_only(a, b):
    trial = a.type("sets", "add", "for trying out", "--tlp", TLP, "--sandbox")["id"]
    red = a.type("sets", "add", "ours alone", "--tlp", "TLP:RED")["id"]

    assert "sandbox" in refusal(a, "partners", "share", b.name, trial)
    assert "TLP:RED" in refusal(a, "partners", "share", b.name, red)

    assert listed(a, b.name)["sets"] == []
    made = a.type("sets", "add", SET_NAME, "--tlp", TLP)["id"]
    assert a.type("partners", "share", b.name, made)["accounts_that_stay"] == 0
    a.type("partners", "unshare", b.name, made)


def test_operators_are_named_by_what_can_be_a_name(a, b):
    for words in (("vouch", b.name, "Foo Bar"), ("vouch", b.name, b.cast.operator, "a b!")):
        assert "operator's name" in refusal(a, "partners", *words)

    assert listed(a, b.name)["operators"] == [b.cast.operator]


def test_a_hub_says_anew_for_whom_it_speaks(a):
    said = a.type("partners", "introduce", "--speaks-for", "harbour.example.com")

    assert said["operators"] == [a.cast.operator, "harbour.example.com"]
    assert a.type("partners", "introduce")["operators"] == said["operators"]
    refusal(a, "partners", "introduce", "--speaks-for", "no name")
    assert a.type("partners", "introduce")["operators"] == said["operators"]


def test_who_is_no_partner_is_named(a):
    for word in ("pause", "release", "evidence"):
        assert "hub-z.example" in refusal(a, "partners", word, "hub-z.example")


def test_a_key_is_not_stolen_beyond_the_end_of_the_log(a):
    said = refusal(a, "keys", "replace", "operations", "--stolen-at", "999")

    assert "999" in said
    assert "entries" in said


def test_keys_that_people_keep_are_asked_for_by_folder(b, tmp_path):
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()
    b.type("keys", "ceremony", *map(str, folders))

    assert "folders" in refusal(b, "keys", "replace", "identity")
    assert "folders" in refusal(b, "keys", "ceremony", *map(str, folders))

    assert b.type("keys", "replace", "identity", *map(str, folders[:2]))["root"] > 1
