# SPDX-License-Identifier: Apache-2.0
"""What cannot start says why in one sentence, and changes nothing."""

import socket
import stat

import pytest

from hub.cli.exits import Exit
from hub.demo.running import free_port
from tests.integration.processes.conftest import Running


def is_one_sentence(text):
    return text.startswith("breakwater: ") and text.count("\n") == 1 and text.endswith(".\n")


def test_second_up_on_the_same_data_is_refused_and_the_first_goes_on(hub):
    hub.start()
    second = Running(hub.data, free_port())

    sentence, status = second.refusal()

    assert is_one_sentence(sentence)
    assert "already runs" in sentence
    assert "BREAKWATER_DATA" in sentence
    assert status == Exit.BUSY
    assert hub.answer()
    assert second.refuses()


def test_taken_address_is_refused_before_anything_starts(hub):
    with socket.create_server(("127.0.0.1", hub.port)):
        sentence, status = hub.refusal()

    assert is_one_sentence(sentence.replace(". Stop", "; stop"))
    assert str(hub.port) in sentence
    assert "BREAKWATER_LISTEN" in sentence
    assert status == Exit.UNAVAILABLE
    assert not (hub.data / "valkey").exists()


def test_address_of_another_machine_is_refused(hub):
    hub.environment["BREAKWATER_LISTEN"] = f"192.0.2.1:{hub.port}"

    sentence, status = hub.refusal()

    assert "192.0.2.1" in sentence
    assert status == Exit.UNAVAILABLE


def test_folder_that_cannot_be_made_is_refused(hub, tmp_path):
    (tmp_path / "file").write_text("in the way")
    hub.data = tmp_path / "file" / "data"

    sentence, status = hub.refusal()

    assert "Cannot write" in sentence
    assert str(hub.data) in sentence
    assert status == Exit.CANNOT_CREATE


def program(path, says):
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64", "version 6.2"),
        ("something else entirely", "is no Redis"),
    ],
)
def test_named_server_that_cannot_serve_is_refused(hub, tmp_path, says, why):
    hub.environment["BREAKWATER_REDIS_BINARY"] = str(program(tmp_path / "server", says))

    sentence, status = hub.refusal()

    assert is_one_sentence(sentence)
    assert why in sentence
    assert "Redis 7.0" in sentence
    assert status == Exit.UNAVAILABLE


def test_valkey_that_dies_at_once_is_given_up_with_a_sentence(hub, tmp_path):
    server = tmp_path / "server"
    says = "Valkey server v=9.1.2 sha=00000000:0"
    server.write_text(f'#!/bin/sh\ntest "$1" = --version && echo "{says}" && exit 0\nexit 3\n')
    server.chmod(0o700)
    hub.environment["BREAKWATER_REDIS_BINARY"] = str(server)

    sentence, status = hub.refusal()

    assert "does not start" in sentence.splitlines()[-1]
    assert status == Exit.UNAVAILABLE
    assert hub.refuses()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BREAKWATER_LISTEN", "nowhere"),
        ("BREAKWATER_WORKERS", "0"),
        ("BREAKWATER_THREADS", "many"),
        ("BREAKWATER_LOG_LEVEL", "loud"),
        ("BREAKWATER_PUBLIC_URL", "ftp://hub.example"),
        ("BREAKWATER_DATABASE_URL", "sqlite:///:memory:"),
    ],
)
def test_setting_that_cannot_be_used_is_named(hub, name, value):
    hub.environment[name] = value

    sentence, status = hub.refusal()

    assert name in sentence
    assert status == Exit.SETTINGS
    assert not hub.data.exists()
