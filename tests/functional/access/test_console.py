# SPDX-License-Identifier: Apache-2.0
"""Administration at the console: the same services, on the database of a hub that runs."""

import json
from types import SimpleNamespace

import pytest

from hub.adapters import clock as real
from hub.cli import main


@pytest.fixture
def clock():
    """The real time of day, since a command has no other."""
    return real.now


@pytest.fixture
def run(house, capsys, monkeypatch):
    """Run a command on the house's data; what it did is known to the house when this returns."""
    monkeypatch.setenv("BREAKWATER_DATA", str(house.settings.data))
    monkeypatch.setenv("BREAKWATER_DATABASE_URL", house.settings.database_url)

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        written = capsys.readouterr()
        house.settle()
        return SimpleNamespace(status=ended.value.code, out=written.out, err=written.err)

    return run


@pytest.fixture
def told(run):
    """Run a command with ``--json``; returns what it told."""

    def told(*arguments):
        result = run(*arguments, "--json")
        assert result.status == 0, result.err
        return json.loads(result.out)

    return told


def test_hub_is_opened_to_an_operator_by_six_commands(told, house):
    operator = told(
        "operators", "add", "new.example.com", "--kind", "platform",
        "--contact", "security=security@new.example.com",
    )  # fmt: skip
    member = told("members", "add", operator["id"], "main")
    shared = told("sets", "add", "shared", "--tlp", "TLP:GREEN")
    told("sets", "grant", shared["id"], member["id"], "contribute", "lookup")
    key = told("keys", "add", member["id"], "--role", "contributor")

    caller = house.caller(key["secret"])

    (seen,) = caller.get("/v1/sets").get_json()["items"]
    assert (seen["id"], seen["rights"]) == (shared["id"], ["contribute", "lookup"])
    assert told("operators", "list")[0]["contacts"] == [
        {"purpose": "security", "email": "security@new.example.com"}
    ]
    assert [one["id"] for one in told("members", "list", "--operator", operator["id"])] == [
        member["id"]
    ]
    assert told("sets", "show", shared["id"])["grants"][0]["member"] == member["id"]
    assert [one["id"] for one in told("sets", "list")] == [shared["id"]]


def test_key_is_turned_and_revoked_at_the_console(told, house):
    caller = house.admit("alpha.example.com")
    (old,) = told("keys", "list", caller.member)

    new = told("keys", "rotate", old["id"])
    told("keys", "revoke", old["id"])

    assert caller.get("/v1/status").status_code == 401
    assert house.caller(new["secret"]).get("/v1/status").status_code == 200


@pytest.mark.parametrize("what", ["operators", "members"])
def test_suspending_at_the_console_reaches_the_running_hub(told, house, what):
    caller = house.admit("alpha.example.com")
    public_id = caller.operator if what == "operators" else caller.member

    told(what, "suspend", public_id)

    assert caller.get("/v1/status").status_code == 401
    told(what, "resume", public_id)
    assert caller.get("/v1/status").status_code == 200


def test_ended_grant_is_gone_in_the_running_hub(told, house):
    shared = house.set("shared")
    caller = house.admit("alpha.example.com", sets=[shared])

    told("sets", "ungrant", shared, caller.member)

    assert caller.get(f"/v1/sets/{shared}").status_code == 404


def test_table_shows_the_new_key_once_for_people(run, house):
    member = house.member(house.operator("new.example.com"))

    made = run("keys", "add", member, "--role", "reader")
    listed = run("keys", "list", member)

    assert "bw_live_" in made.out
    assert member in listed.out
    assert "bw_live_" not in listed.out


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["members", "add", "op_" + "a" * 26, "x"], 1, "operator"),
        (["members", "add", "nothing", "x"], 2, "op_"),
        (
            ["operators", "add", "no-dot", "--kind", "ngo", "--contact", "legal=a@b.example"],
            2,
            "DNS",
        ),
        (["operators", "add", "a.example.com", "--kind", "bank"], 2, "bank"),
        (["keys", "list", "mem_" + "a" * 26], 1, "member"),
        (["keys", "revoke", "key_" + "a" * 26], 1, "key"),
        (["sets", "add", "x", "--tlp", "secret"], 2, "TLP"),
        (["sets", "show", "set_" + "a" * 26], 1, "set"),
        (["sets", "grant", "set_" + "a" * 26, "mem_" + "a" * 26, "lookup"], 1, "set"),
        (["sets", "grant", "set_" + "a" * 26, "mem_" + "a" * 26], 2, "replica"),
    ],
)
def test_refusal_is_one_sentence_with_a_status(run, arguments, status, word):
    result = run(*arguments)

    assert result.status == status
    assert word in result.err
    assert result.out == ""


def test_console_says_what_is_missing_where_there_is_no_hub(run, tmp_path, monkeypatch):
    monkeypatch.setenv("BREAKWATER_DATA", str(tmp_path / "nowhere"))
    monkeypatch.delenv("BREAKWATER_DATABASE_URL")

    result = run("operators", "list")

    assert result.status == 69
    assert "db upgrade" in result.err
