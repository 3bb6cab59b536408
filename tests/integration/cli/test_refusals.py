# SPDX-License-Identifier: Apache-2.0
"""What stops a command is told in one sentence, with a status for scripts."""

import signal
import socket

import pytest

from hub.client import Retry
from tests.support.codes import code

CODE = f"md5:{code('md5', 1)}"


@pytest.fixture
def nobody(monkeypatch):
    """An address where nobody listens, and no patience."""
    monkeypatch.setattr("hub.client.client.Retry", lambda: Retry(attempts=1))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("command", ["match", "import"])
def test_a_hub_that_is_not_there(run, nobody, command, tmp_path):
    (tmp_path / "given.ndjson").write_text("{}")
    what = CODE if command == "match" else tmp_path / "given.ndjson"

    ran = run(command, what, BREAKWATER_URL=nobody)

    assert ran.err == (
        f"breakwater: No hub answers at {nobody}: start it, or say where it is by "
        "BREAKWATER_URL.\n"
    )
    assert ran.status == 69


def test_no_key(run):
    ran = run("match", CODE, BREAKWATER_KEY=None)

    assert "put it into BREAKWATER_KEY, or name its file with --key-file" in ran.err
    assert ran.status == 77


@pytest.mark.parametrize("key", ["bw_live_wrong", "two words", "ключ"])
def test_a_key_that_is_none(run, key):
    ran = run("match", CODE, BREAKWATER_KEY=key)

    assert "key" in ran.err
    assert key not in ran.err
    assert ran.status == 77


def test_a_key_in_a_file(run, hub, tmp_path):
    file = tmp_path / "key"
    file.write_text(f"{hub.contributor}\n")

    assert run("match", CODE, "--key-file", file, BREAKWATER_KEY=None).status == 0
    missing = run("match", CODE, "--key-file", tmp_path / "no-key", BREAKWATER_KEY=None)
    assert "no such file" in missing.err
    assert missing.status == 77
    file.write_bytes(b"\xff")
    assert run("match", CODE, "--key-file", file).status == 77


def test_a_key_without_the_right(run, hub, words):
    member = hub.house.member(hub.house.operator("third.example.com"))
    key = hub.house.key(member, "reader")

    ran = run("contribute", "--code", CODE, *words, BREAKWATER_KEY=key)

    assert ran.err.startswith("breakwater: The hub refused: ")
    assert ran.status == 77


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "ftp://example.com",
        "http://",
        "http://user:secret@example.com",
        "http://[x",
    ],
)
def test_an_address_that_is_none(run, url):
    ran = run("match", CODE, "--url", url)

    assert "must be an address like" in ran.err
    assert "secret" not in ran.err
    assert ran.status == 78


def test_something_that_is_no_hub(run, hub, monkeypatch):
    monkeypatch.setattr(
        hub.door,
        "_house",
        type("Other", (), {"app": staticmethod(_other), "settle": lambda _self: None})(),
    )

    ran = run("match", CODE)

    assert "Is a hub at" in ran.err
    assert ran.status == 69


def _other(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<h1>Another service</h1>"]


def test_a_fault_of_our_own_does_not_look_like_a_hit(run, monkeypatch):
    monkeypatch.setattr("hub.cli.items.find", None)

    ran = run("match", CODE)

    assert "TypeError" in ran.err
    assert ran.status == 70


@pytest.mark.parametrize("command", ["match", "import"])
def test_ctrl_c_does_not_look_like_a_hit(run, hub, command, tmp_path):
    # Given a process that is stopped while the hub is asked
    file = tmp_path / "given.ndjson"
    file.write_text("{}\n")

    def stop(*_request):
        signal.raise_signal(signal.SIGINT)

    hub.door.before = hub.house.settle = stop
    ran = run(command, CODE if command == "match" else file)

    assert "Stopped." in ran.err
    assert ran.status == 130
