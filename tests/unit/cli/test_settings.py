# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from hub.settings import Address, Settings, SettingsError


def test_nothing_set_gives_a_hub_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    settings = Settings.read({})

    assert settings.data == tmp_path / "data"
    assert settings.database_file == tmp_path / "data" / "hub.db"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.redis_url is None
    assert settings.metrics_listen is None
    assert settings.workers >= 2


def test_empty_variables_count_as_not_set():
    assert Settings.read({"REDIS_URL": "", "BREAKWATER_METRICS_LISTEN": " "}).redis_url is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("[::1]:8080", Address("::1", 8080)),
        ("hub.example.com:1", Address("hub.example.com", 1)),
    ],
)
def test_address_reads_and_writes_itself(text, address):
    assert Settings.read({"BREAKWATER_LISTEN": text}).listen == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["8080", ":8080", "host:", "host:-1", "host:65536", "host:٣", "::1:8080", "a:b:1"]
)
def test_odd_address_is_refused_by_name(text):
    with pytest.raises(SettingsError, match="BREAKWATER_LISTEN"):
        Settings.read({"BREAKWATER_LISTEN": text})


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "65", "٣"])
def test_odd_count_is_refused_by_name(text):
    with pytest.raises(SettingsError, match="BREAKWATER_WORKERS"):
        Settings.read({"BREAKWATER_WORKERS": text})


@pytest.mark.parametrize("url", ["mysql://db", "sqlite:///:memory:", "sqlite://", "hub.db"])
def test_database_that_processes_cannot_share_is_refused(url):
    with pytest.raises(SettingsError, match="BREAKWATER_DATABASE_URL"):
        Settings.read({"BREAKWATER_DATABASE_URL": url})


def test_database_that_is_a_server_has_no_file():
    settings = Settings.read({"BREAKWATER_DATABASE_URL": "postgresql://db.example.com/hub"})

    assert settings.database_file is None


@pytest.mark.parametrize("url", ["ftp://hub.example.com", "hub.example.com", "https://h/?a=1"])
def test_odd_public_address_is_refused(url):
    with pytest.raises(SettingsError, match="BREAKWATER_PUBLIC_URL"):
        Settings.read({"BREAKWATER_PUBLIC_URL": url})


def test_written_settings_hold_no_password():
    settings = Settings.read(
        {
            "REDIS_URL": "redis://:hush@redis.example.com",
            "BREAKWATER_DATABASE_URL": "postgresql://hub:hush@db.example.com/hub",
        }
    )

    assert "hush" not in repr(settings)


def test_data_folder_does_not_move_with_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.read({"BREAKWATER_DATA": "here"})
    monkeypatch.chdir("/")

    assert settings.data == tmp_path / "here"
    assert settings.data.is_absolute()
    assert isinstance(settings.data, Path)
