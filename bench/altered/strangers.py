# SPDX-License-Identifier: Apache-2.0
"""Pictures that have nothing to do with each other: no code of one may be near one of another.

Photographs, small things before plain grounds, a desktop's icons; and what accuses most easily:
templates with other words in them, and pictures that show next to nothing.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from bench.altered.alterations import Picture, lossless
from bench.altered.photographs import choosing, icons, judging, small_things
from bench.stage import SEED
from hub.client import Item
from hub.client.values import Code, contributed_codes
from matching.degenerate import is_degenerate
from matching.pictures import HashedPicture, Hasher
from matching.signals import PDQ

Words = NDArray[np.uint64]

TEMPLATES, UNIFORM = 60, 40
_SIZE = (480, 360)
_PLAIN = "dihedral:"


@dataclass(frozen=True)
class Strangers:
    """What was compared, and what was near."""

    pictures: int
    pairs: int
    plain: int
    derived: int
    closest: int
    """Bits between the closest codes of two pictures that no plain code connects."""


@dataclass(frozen=True)
class _Codes:
    """Codes of many pictures on one side: ``(n, 4)``, whose each is, and which are plain."""

    words: Words
    owners: NDArray[np.int64]
    plain: NDArray[np.bool_]


def false_matches(hasher: Hasher) -> Strangers:
    """Ask with every picture after every other."""
    pictures = strangers()
    with ThreadPoolExecutor(2) as threads:
        hashed = list(threads.map(hasher.hash_bytes, map(lossless, pictures.values())))
    asked = _codes([Item.of(picture).codes for picture in hashed])
    given = _codes(
        [contributed_codes(picture) if _is_known(picture) else () for picture in hashed]
    )
    return compared(asked, given, list(pictures))


def strangers() -> Mapping[str, Picture]:
    """All of them; no two show the same."""
    photographs = {**choosing(), **judging()}
    shown = {name.rpartition("/")[2] for name in photographs}
    # Some buildings are among the small things again, from the same photograph.
    small = {k: v for k, v in small_things().items() if k.rpartition("/")[2] not in shown}
    return {**photographs, **small, **icons(), **dict(_templates()), **dict(_uniform())}


def compared(asked: _Codes, given: _Codes, names: list[str]) -> Strangers:
    """Hold each side against the other, a picture asked at a time."""
    count = len(names)
    nearest = np.full((2, count, count), 256, np.int64)  # plain and turned; any
    pairs = 0
    for one in np.unique(asked.owners):  # what shows nothing has no code to ask with
        mine = asked.owners == one
        bits = np.bitwise_count(asked.words[mine][:, None] ^ given.words[None]).sum(axis=-1)
        pairs += int(mine.sum()) * int((given.owners != one).sum())
        unturned = np.where(asked.plain[mine][:, None] & given.plain, bits, 256).min(axis=0)
        np.minimum.at(nearest[0, one], given.owners, unturned)
        np.minimum.at(nearest[1, one], given.owners, bits.min(axis=0))
    np.fill_diagonal(nearest[0], 0)
    straight = np.minimum(nearest[0], nearest[0].T)
    connected = straight <= PDQ.near
    others = np.where(connected, 256, nearest[1])
    return Strangers(
        pictures=count,
        pairs=pairs,
        plain=int((connected.sum() - count) // 2),
        derived=int(np.triu(np.minimum(others, others.T) <= PDQ.near).sum()),
        closest=int(others.min()),
    )


def _codes(items: list[tuple[Code, ...]]) -> _Codes:
    """A turned or mirrored picture is the same one: its code counts as plain."""
    rows = [
        (bytes.fromhex(code.code), owner, code.derived is None or code.derived.startswith(_PLAIN))
        for owner, codes in enumerate(items)
        for code in codes
        if code.signal == PDQ.name and (code.quality or 0) >= (PDQ.quality_floor or 0)
    ]
    words = np.frombuffer(b"".join(code for code, _, _ in rows), ">u8").astype(np.uint64)
    owners, plain = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    return _Codes(words.reshape(-1, 4), owners, plain)


def _is_known(picture: HashedPicture) -> bool:
    """Whether a hub takes it as a contribution."""
    plain = bytes.fromhex(picture.pdq)
    return picture.quality >= (PDQ.quality_floor or 0) and not is_degenerate(plain)


def _templates() -> Iterator[tuple[str, Picture]]:
    """Cards, quotes and forms of a few layouts, each with other words and other blocks."""
    for number in range(TEMPLATES):
        chance = np.random.default_rng([SEED, 1, number])
        colours = [tuple(int(v) for v in chance.integers(0, 256, 3)) for _ in range(3)]
        card = Image.new("RGB", _SIZE, colours[0])
        draw = ImageDraw.Draw(card)
        for _ in range(chance.integers(2, 7)):
            x, y = chance.uniform(0, _SIZE[0]), chance.uniform(0, _SIZE[1])
            width, height = chance.uniform(40, 260), chance.uniform(20, 160)
            draw.rectangle((x, y, x + width, y + height), fill=colours[1 + chance.integers(2)])
        for line in range(chance.integers(2, 8)):
            text = "".join(chr(c) for c in chance.integers(97, 123, 24))
            draw.text((20, 20 + 44 * line), text, "white", font_size=int(chance.integers(14, 40)))
        yield f"template {number}", card


def _uniform() -> Iterator[tuple[str, Picture]]:
    """Noise, soft light and grain on one colour: next to nothing, each in its own way."""
    for number in range(UNIFORM):
        chance = np.random.default_rng([SEED, 2, number])
        noise = chance.normal(chance.integers(40, 216), 2.0 ** (number % 5), (*_SIZE[::-1], 3))
        picture = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
        yield f"uniform {number}", picture.filter(ImageFilter.GaussianBlur(number // 5))
