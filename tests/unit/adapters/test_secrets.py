# SPDX-License-Identifier: Apache-2.0
import stat
import threading

import pytest

from hub.adapters.secrets import KeyFileError, fingerprints, key_file, load_keys
from hub.ports import SealBrokenError


def test_keys_are_made_once_for_their_owner_only(tmp_path):
    first = load_keys(tmp_path)

    second = load_keys(tmp_path)

    assert first == second
    assert len(first.pepper) == len(first.receipts) == 32
    assert len({first.pepper, first.receipts, key_file(tmp_path, "sealing").read_bytes()}) == 3
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(list(tmp_path.iterdir())) == 3


def test_two_hubs_have_different_keys(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert load_keys(tmp_path / "a") != load_keys(tmp_path / "b")


def test_processes_that_start_together_read_the_same_keys(tmp_path):
    found, ready = [], threading.Barrier(8)

    def start():
        ready.wait()
        found.append(load_keys(tmp_path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert all(keys == found[0] for keys in found)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_key_that_others_may_read_is_refused(tmp_path, mode):
    load_keys(tmp_path)
    key_file(tmp_path, "pepper").chmod(mode)

    with pytest.raises(KeyFileError, match="chmod 600"):
        load_keys(tmp_path)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_file_that_holds_no_key_is_refused_and_kept(tmp_path, size):
    load_keys(tmp_path)
    key_file(tmp_path, "sealing").write_bytes(bytes(size))

    with pytest.raises(KeyFileError, match="sealing"):
        load_keys(tmp_path)

    assert key_file(tmp_path, "sealing").read_bytes() == bytes(size)


def test_sealed_value_opens_only_beside_what_it_is_bound_to(tmp_path):
    sealer = load_keys(tmp_path).sealer

    sealed = sealer.seal(b"+1-555-0100", b"row 7")

    assert sealer.open(sealed, b"row 7") == b"+1-555-0100"
    with pytest.raises(SealBrokenError):
        sealer.open(sealed, b"row 8")


def test_any_changed_byte_breaks_the_seal(tmp_path):
    sealer = load_keys(tmp_path).sealer
    sealed = sealer.seal(b"value", b"place")

    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealBrokenError):
            sealer.open(bytes(changed), b"place")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(12), b"\x02" + bytes(40)])
def test_what_was_never_sealed_does_not_open(tmp_path, sealed):
    with pytest.raises(SealBrokenError):
        load_keys(tmp_path).sealer.open(sealed, b"place")


def test_equal_values_are_sealed_differently(tmp_path):
    sealer = load_keys(tmp_path).sealer

    assert sealer.seal(b"same", b"place") != sealer.seal(b"same", b"place")


def test_fingerprint_tells_keys_apart_and_tells_nothing_else(tmp_path):
    keys = load_keys(tmp_path)
    before = fingerprints(tmp_path)

    key_file(tmp_path, "pepper").write_bytes(bytes(32))

    after = fingerprints(tmp_path)
    assert before["pepper"] != after["pepper"]
    assert before["sealing"] == after["sealing"]
    assert keys.pepper.hex()[:16] not in before.values()


def test_keys_do_not_show_themselves(tmp_path):
    keys = load_keys(tmp_path)

    assert keys.pepper.hex() not in repr(keys)
    assert repr(keys.pepper) not in repr(keys)
    assert repr(keys.sealer).count("key") == 0
