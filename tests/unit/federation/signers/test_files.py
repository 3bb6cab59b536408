# SPDX-License-Identifier: Apache-2.0
"""A private key is read from a file that only its owner may read, and never written over."""

import os
import secrets
import stat

import pytest

from federation.errors import MissingKeyError
from federation.signers.files import create, load

SEED = bytes(range(32))
LINE = b"breakwater-ed25519-seed:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "op.key"


def kept(path, line=LINE, mode=0o600):
    path.write_bytes(line)
    path.chmod(mode)
    return path


def test_what_was_created_is_loaded_and_signs_the_same(path):
    created, loaded = create(path, secrets.token_bytes), load(path)

    assert loaded.public == created.public
    assert created.public.verifies(loaded.sign(b"said"), b"said")


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_new_key_is_one_line_for_its_owner_only(path, umask):
    before = os.umask(umask)
    try:
        create(path, lambda count: SEED[:count])
    finally:
        os.umask(before)

    assert path.read_bytes() == LINE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_keys_differ(tmp_path):
    one, other = (create(tmp_path / name, secrets.token_bytes) for name in "ab")

    assert one.public != other.public


def test_a_key_is_never_written_over(path):
    kept(path)

    with pytest.raises(FileExistsError):
        create(path, secrets.token_bytes)
    assert path.read_bytes() == LINE


def test_a_key_that_did_not_reach_the_disk_is_not_there(path, monkeypatch):
    def full(_descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="no space"):
        create(path, secrets.token_bytes)
    assert not path.exists()


def test_a_new_key_is_on_the_disk_with_its_name(path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))

    create(path, secrets.token_bytes)

    assert synced == [path.stat().st_ino, path.parent.stat().st_ino]


def test_too_little_randomness_makes_no_key(path):
    with pytest.raises(ValueError, match="32 bytes"):
        create(path, lambda _count: b"few")
    assert not path.exists()


def test_a_key_that_is_not_there_is_missing(path):
    with pytest.raises(MissingKeyError, match=r"no key at .*op\.key"):
        load(path)


def test_a_folder_is_no_key(tmp_path):
    with pytest.raises(MissingKeyError):
        load(tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
def test_a_key_that_others_may_use_is_refused_with_what_to_type(path, mode):
    kept(path, mode=mode)

    with pytest.raises(MissingKeyError, match=f"chmod 600 {path}"):
        load(path)


def test_what_to_type_can_be_typed(tmp_path):
    path = kept(tmp_path / "a key;", mode=0o644)

    with pytest.raises(MissingKeyError) as refused:
        load(path)
    assert f"chmod 600 '{path}'," in str(refused.value)


def test_a_key_that_only_its_owner_reads_is_loaded(path):
    assert load(kept(path, mode=0o400)).public == load(kept(path)).public


@pytest.mark.parametrize(
    "line",
    [
        b"",
        LINE.removesuffix(b"\n"),
        LINE + b"\n",
        LINE + LINE,
        LINE.replace(b"\n", b"\r\n"),
        b" " + LINE,
        LINE.removeprefix(b"breakwater-ed25519-seed:"),
        LINE.replace(b"ed25519", b"ed448"),
        LINE.replace(b"Hh8=", b"Hh9="),
        LINE.replace(b"Hh8=", b"HhG="),
        LINE.replace(b"AAEC", b""),
        LINE.replace(b"AAEC", b"AAECAAEC"),
        LINE.replace(b"AAEC", b"AA-_"),
        SEED,
    ],
)
def test_other_lines_are_no_keys_and_are_not_shown(path, line):
    kept(path, line)

    with pytest.raises(MissingKeyError) as refused:
        load(path)
    assert "AwQF" not in str(refused.value)
