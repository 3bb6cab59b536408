# SPDX-License-Identifier: Apache-2.0
"""The ceremony: three root keys for three people, of whom any two speak for the hub.

Each key is made in a folder of its own, three sticks in one machine without a network, and leaves
with whoever keeps it. One may be lost, or stolen, and nothing has happened yet.
"""

from pathlib import Path

from federation.keys import MemorySigner
from federation.signers.files import Randomness, create

FILE = "root.key"
KEYS = 3
THRESHOLD = 2


def ceremony(
    folders: tuple[Path, Path, Path], randomness: Randomness
) -> tuple[MemorySigner, MemorySigner, MemorySigner]:
    """Make a root key in each of three folders: all three, or none.

    Raises:
        ValueError: Two of the folders are one.
        FileExistsError: A folder holds a root key already.
        FileNotFoundError: A folder is not there.
    """
    if len({folder.resolve() for folder in folders}) != KEYS:
        raise ValueError("three keys are kept in three places")
    made: list[Path] = []
    try:
        first, second, third = (_made(folder, randomness, made) for folder in folders)
    except BaseException:
        for path in made:
            path.unlink()
        raise
    return first, second, third


def _made(folder: Path, randomness: Randomness, made: list[Path]) -> MemorySigner:
    signer = create(folder / FILE, randomness)
    made.append(folder / FILE)
    return signer
