# SPDX-License-Identifier: Apache-2.0
"""Private keys as files: one line each, for their owner's eyes only.

The line says what it is, so that nobody takes it for something else, and programs that look for
leaked secrets find it by its first word.
"""

import base64
import binascii
import os
import shlex
import stat
from collections.abc import Callable
from pathlib import Path

from federation.errors import MissingKeyError
from federation.keys import MemorySigner

SEED_BYTES = 32
PREFIX = b"breakwater-ed25519-seed:"
Randomness = Callable[[int], bytes]
"""That many bytes that nobody can guess: ``secrets.token_bytes``."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LONGEST = len(PREFIX) + 2 * SEED_BYTES


def load(path: Path) -> MemorySigner:
    """Read a key.

    Raises:
        MissingKeyError: It is not there, others may read it, or the file holds something else;
            says what to do about it.
    """
    return MemorySigner(_seed_in(_line(path), path))


def create(path: Path, randomness: Randomness) -> MemorySigner:
    """Make a key; it is on the disk when this returns, or not at all.

    Raises:
        FileExistsError: There is something of that name. A key is never written over.
    """
    seed = randomness(SEED_BYTES)
    signer = MemorySigner(seed)
    # Nobody else may read it, not even before its mode could be changed.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(PREFIX + base64.b64encode(seed) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _sync(path.parent)
    except BaseException:
        path.unlink()
        raise
    return signer


def _line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # What was opened is what is looked at: the name may mean another file by now.
            _check_mode(os.fstat(file.fileno()).st_mode, path)
            return file.read(_LONGEST)
    except FileNotFoundError as error:
        raise MissingKeyError(f"no key at {path}: put it there, or make one") from error
    except OSError as error:
        raise MissingKeyError(f"the key at {path} cannot be read: {error.strerror}") from error


def _check_mode(mode: int, path: Path) -> None:
    if not stat.S_ISREG(mode):
        raise MissingKeyError(f"{path} is no file")
    if stat.S_IMODE(mode) & _OTHERS:
        raise MissingKeyError(
            f"others may use the key at {path}: type chmod 600 {shlex.quote(str(path))}, "
            "and replace the key if they might have"
        )


def _seed_in(line: bytes, path: Path) -> bytes:
    encoded = line.removeprefix(PREFIX).removesuffix(b"\n")
    try:
        seed = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        seed = b""
    # One writing, compared whole: a key that was cut or joined with another is none.
    if len(seed) != SEED_BYTES or line != PREFIX + base64.b64encode(seed) + b"\n":
        raise MissingKeyError(f"{path} holds no key: put the right file back")
    return seed


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
