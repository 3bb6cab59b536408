# SPDX-License-Identifier: Apache-2.0
"""The keys of a hub: files of 32 random bytes that only its user may read.

They are made on first start and never change by themselves. Who loses ``sealing.key`` loses the
sealed account values; who loses ``pepper.key`` loses every member's key. They are not in a backup
of the database, so that the one without the other opens nothing.
"""

import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.ports import SealBrokenError, Secrets

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = b"\x01"
"""The first byte of everything sealed: which way it was sealed."""
NAMES = ("pepper", "sealing", "receipts")


class KeyFileError(Exception):
    """A key file that must not be used as it is; the sentence says what to do."""


@dataclass(frozen=True, repr=False)
class AesSealer:
    """Seals with AES-256-GCM under one key; a fresh random nonce each time."""

    key: bytes

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        """Seal *plain*, so that it opens only beside the same *bound_to*."""
        nonce = os.urandom(NONCE_BYTES)
        return FORMAT + nonce + AESGCM(self.key).encrypt(nonce, plain, bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Open what was sealed.

        Raises:
            SealBrokenError: It was changed, moved, or sealed with another key.
        """
        kind, nonce, box = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if kind != FORMAT or len(nonce) != NONCE_BYTES:
            raise SealBrokenError
        try:
            return AESGCM(self.key).decrypt(nonce, box, bound_to)
        except InvalidTag as error:
            raise SealBrokenError from error


def load_keys(folder: Path) -> Secrets:
    """Read the keys of the hub in *folder*, making those that do not exist yet.

    Raises:
        KeyFileError: A file is readable by others, or does not hold a key.
        OSError: The folder cannot be read or written.
    """
    pepper, sealing, receipts = (_load_or_make(key_file(folder, name)) for name in NAMES)
    return Secrets(pepper=pepper, receipts=receipts, sealer=AesSealer(sealing))


def key_file(folder: Path, name: str) -> Path:
    """Where the key of this name lies."""
    return folder / f"{name}.key"


def fingerprints(folder: Path) -> dict[str, str]:
    """Tell which keys these are, without telling them: 64 bits of a hash each.

    Raises:
        KeyFileError: A file is readable by others, or does not hold a key.
        FileNotFoundError: A key is missing.
    """
    return {name: _fingerprint(name, _read(key_file(folder, name))) for name in NAMES}


def _fingerprint(name: str, key: bytes) -> str:
    return hashlib.sha256(b"breakwater fingerprint " + name.encode() + b"\0" + key).hexdigest()[
        :16
    ]


def _load_or_make(path: Path) -> bytes:
    try:
        return _read(path)
    except FileNotFoundError:
        _make(path)
        return _read(path)


def _read(path: Path) -> bytes:
    mode = path.stat().st_mode
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"Others may read {path}: run chmod 600 on it, and rotate the key.")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{path} does not hold {KEY_BYTES} bytes: put the right file back.")
    return key


def _make(path: Path) -> None:
    """Write a new key whole or not at all; of two that try, one wins and both read it."""
    draft = path.with_suffix(f".{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the name is taken, a rename would replace what somebody already uses.
        path.hardlink_to(draft)
        _sync(path.parent)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
