# SPDX-License-Identifier: Apache-2.0
"""Which altered copies are found, by plain PDQ and by derived codes beside it, and at what price.

The photographs are others than those by which the derivations were chosen. A copy is found if one
of the codes that the client asks with is within PDQ's radius of one that it contributes.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import pdqhash
from numpy.typing import NDArray

from bench.altered import alterations, curves
from bench.altered.alterations import Alter, Picture
from bench.altered.photographs import judging
from bench.altered.strangers import Strangers, false_matches
from bench.measures import Measure, Reach, at_least, at_most
from bench.stage import SEED, Stage
from hub.client import Item
from hub.client.values import Code, contributed_codes
from matching.pictures import Hasher
from matching.pictures.borders import inner_boxes
from matching.pictures.decoding import decode
from matching.pictures.hashing import codes_of
from matching.pictures.paper import is_on_paper
from matching.pictures.reduced import Reduced
from matching.pictures.shapes import Shape
from matching.signals import PDQ

Words = NDArray[np.uint64]
T = TypeVar("T")
U = TypeVar("U")

TIMED = 12
"""Photographs whose hashing is timed."""
CURVES = Path(__file__).resolve().parents[2] / "docs" / "altered.svg"


@dataclass(frozen=True)
class Kind:
    """One kind of alteration: some of it for every photograph, and what must be found."""

    name: str
    alters: Sequence[Alter]
    reach: Reach | None = None
    amounts: Sequence[float] = ()
    """How much each alters, where a curve is drawn: shares or degrees."""


def _kinds() -> tuple[Kind, ...]:
    degrees = [half / 2 for half in range(1, 9)]
    bars, frames = (0.05, 0.1, 0.2, 0.3, 0.4), (0.02, 0.04, 0.06, 0.09, 0.12)
    centre = alterations.CENTRE
    by_chance = alterations
    return (
        Kind(
            "crop of each side by 1 to 10 %",
            [by_chance.cropped_all_round(share) for share in centre],
            at_least(0.98),
            centre,
        ),
        Kind("crop of one side to 10 %", [by_chance.cropped_at_one_side(0.1)] * 4, at_least(0.9)),
        Kind("random crop to 6 % a side", [by_chance.cropped_at_random(0.06)] * 4, at_least(0.9)),
        Kind("random crop to 10 % a side", [by_chance.cropped_at_random(0.1)] * 4, at_least(0.75)),
        Kind("tilt to 4°", [by_chance.tilted(d, d) for d in degrees], at_least(0.98), degrees),
        Kind("tilt by 5 and 6°", [by_chance.tilted(d, d) for d in (5, 6)]),
        Kind(
            "letterbox",
            [by_chance.letterboxed_by(share) for share in bars],
            at_least(0.98),
            bars,
        ),
        Kind("frame", [by_chance.framed_by(share) for share in frames], at_least(0.98), frames),
        Kind("phone screenshot", [by_chance.on_a_phone] * 3, at_least(0.95)),
        Kind("mirrored", [by_chance.mirrored], at_least(0.98)),
        Kind("turned by 90, 180 or 270°", [by_chance.turned] * 2),
        Kind("mirrored, then random crop to 6 %", [by_chance.mirrored_and_cropped] * 2),
    )


KINDS = _kinds()


@dataclass(frozen=True)
class Side:
    """The PDQ codes of one picture: the plain one first."""

    words: Words

    @classmethod
    def of(cls, codes: Sequence[Code]) -> "Side":
        """Take the PDQ codes among what an item has."""
        pdq = b"".join(bytes.fromhex(code.code) for code in codes if code.signal == PDQ.name)
        return cls(np.frombuffer(pdq, ">u8").astype(np.uint64).reshape(-1, 4))

    def finds(self, known: "Side") -> tuple[bool, bool]:
        """Whether a known picture is found: by the plain codes, and by all."""
        bits = np.bitwise_count(self.words[:, None] ^ known.words[None]).sum(axis=-1)
        return bool(bits[0, 0] <= PDQ.near), bool((bits <= PDQ.near).any())


def measure(stage: Stage) -> Iterator[Measure]:
    """Alter every photograph in every way, and ask."""
    del stage
    pictures = judging()
    yield Measure("altered: photographs, none of them chosen by", len(pictures), "", at_least(40))
    with Hasher() as hasher:
        files = [alterations.lossless(picture) for picture in pictures.values()]
        hashed = _each(hasher.hash_bytes, files)
        known = [Side.of(contributed_codes(picture)) for picture in hashed]
        yield from _counts(known, [Side.of(Item.of(picture).codes) for picture in hashed])
        yield from _found(list(pictures.values()), hasher, known)
        yield from _false(false_matches(hasher))
    yield from _times(files[:TIMED])


def _counts(known: Sequence[Side], asked: Sequence[Side]) -> Iterator[Measure]:
    for name, sides, most in (("contributed", known, 32), ("asked", asked, 16)):
        codes = max(len(side.words) for side in sides)
        yield Measure(f"altered: codes {name} of a picture", codes, "at most", at_most(most))


def _found(
    pictures: Sequence[Picture], hasher: Hasher, known: Sequence[Side]
) -> Iterator[Measure]:
    drawn: dict[str, curves.Curve] = {}
    for place, kind in enumerate(KINDS):

        def asked(number: int, kind: Kind = kind, place: int = place) -> list[tuple[bool, bool]]:
            chance = np.random.default_rng([SEED, place, number])
            copies = [
                alterations.saved(alter(pictures[number], chance), chance) for alter in kind.alters
            ]
            items = [Item.of(hasher.hash_bytes(copy)) for copy in copies]
            return [Side.of(item.codes).finds(known[number]) for item in items]

        found = np.array(_each(asked, range(len(pictures))))  # (pictures, alters, 2)
        yield from _told(kind, found)
        if kind.amounts:
            drawn[kind.name] = curves.Curve(kind.amounts, *found.mean(axis=0).T)
    curves.draw(drawn, CURVES)


def _told(kind: Kind, found: NDArray[np.bool_]) -> Iterator[Measure]:
    plain, derived = (float(share) for share in found.mean(axis=(0, 1)))
    missed, tried = int((~found[:, :, 1]).sum()), found[:, :, 1].size
    yield Measure(f"altered: {kind.name}", derived, "found", kind.reach)
    yield Measure(f"altered: {kind.name}, missed", missed, f"of {tried}")
    yield Measure(f"altered: {kind.name}, by plain PDQ", plain, "found")


def _false(seen: Strangers) -> Iterator[Measure]:
    yield Measure("altered, false: pairs of codes compared", seen.pairs, "pairs", at_least(1e7))
    yield Measure("altered, false: pictures compared", seen.pictures, "pictures")
    yield Measure("altered, false: pairs near by plain PDQ", seen.plain, "pairs")
    yield Measure(
        "altered, false: further pairs by derived codes", seen.derived, "pairs", at_most(0)
    )
    yield Measure("altered, false: the closest of the others", seen.closest, "bits")


def _times(files: Sequence[bytes]) -> Iterator[Measure]:
    decoded = [decode(file) for file in files]
    arrays = [np.ascontiguousarray(picture) for picture in decoded]
    reduced = [Reduced.of(picture) for picture in decoded]
    crop, tilt = Shape(0.05, 0.05, 0.05, 0.05), Shape(0, 0, 0, 0, 2)
    for name, spent in (
        ("decoding", _seconds(decode, files)),
        ("plain PDQ and its turns", _seconds(pdqhash.compute_dihedral, arrays)),
        ("looking for borders", _seconds(inner_boxes, arrays)),
        ("looking whether it is drawn", _seconds(is_on_paper, arrays)),
        ("the reduced copy", _seconds(Reduced.of, decoded)),
        ("samples of one crop", _seconds(crop.samples, reduced)),
        ("samples of one tilt", _seconds(tilt.samples, reduced)),
        ("all codes of both sides, after decoding", _seconds(codes_of, decoded)),
    ):
        yield Measure(f"altered: {name}, a picture of 800 pixels", spent * 1e6, "us")
    everything = median(len(codes_of(picture)["derived"]) for picture in decoded)
    yield Measure("altered: codes made of a picture", everything + 1, "codes")


def _seconds(call: Callable[[T], object], of: Sequence[T]) -> float:
    """The median of what a call takes, over many things."""
    call(of[0])
    spent = []
    for one in of:
        began = time.perf_counter()
        call(one)
        spent.append(time.perf_counter() - began)
    return median(spent)


def _each(call: Callable[[T], U], of: Sequence[T]) -> list[U]:
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(call, of))
