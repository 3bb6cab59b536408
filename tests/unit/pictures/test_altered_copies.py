# SPDX-License-Identifier: Apache-2.0
"""Which altered copies of a photograph are found again, and through which code.

The floors are what was measured, so that a change for the worse shows.
"""

import itertools

import pytest
from PIL import Image

from hub.client import Item
from hub.client.values import contributed_codes
from matching.derivations import CONTRIBUTED, IDS
from matching.signals import PDQ
from tests.unit.pictures.photographs import (
    BORDERS,
    NAMES,
    brighter,
    cards,
    cropped,
    distance,
    encoded,
    grey,
    grounds,
    letterboxed,
    photograph,
    resized,
    screenshot,
    tilted,
    watermarked,
)

EVERY_ONE = len(NAMES)
SCENES = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg")
TURNS = {
    "dihedral:rot90": Image.Transpose.ROTATE_90,
    "dihedral:rot180": Image.Transpose.ROTATE_180,
    "dihedral:rot270": Image.Transpose.ROTATE_270,
    "dihedral:flipx": Image.Transpose.FLIP_LEFT_RIGHT,
    "dihedral:flipy": Image.Transpose.FLIP_TOP_BOTTOM,
    "dihedral:transpose": Image.Transpose.TRANSPOSE,
    "dihedral:transverse": Image.Transpose.TRANSVERSE,
}
UNDONE_BY = {
    **{name: name for name in TURNS},
    "dihedral:rot90": "dihedral:rot270",
    "dihedral:rot270": "dihedral:rot90",
}


@pytest.fixture(scope="module")
def originals(hasher):
    return {name: hasher.hash_bytes(encoded(photograph(name))) for name in NAMES}


@pytest.fixture
def found(hasher, originals):
    """Count the photographs whose altered copy is near the original by codes of these ids."""
    copies = {}

    def count(altered, *, asked=frozenset(), stored=frozenset()):
        for name in NAMES:
            if name not in copies:
                copies[name] = hasher.hash_bytes(altered(photograph(name)))
        return sum(near(copies[name], originals[name], asked, stored) for name in NAMES)

    return count


def asked_codes(picture):
    return [code.code for code in Item.of(picture).codes if code.signal == PDQ.name]


def known_codes(picture):
    return [code.code for code in contributed_codes(picture) if code.signal == PDQ.name]


def near(copy, original, asked, stored):
    return any(
        distance(left, right) <= PDQ.near
        for left in codes(copy, asked)
        for right in codes(original, stored)
    )


def codes(picture, ids):
    return [picture.pdq, *(code.pdq for code in picture.derived if code.derivation in ids)]


@pytest.mark.parametrize(
    ("altered", "floor"),
    [
        (lambda photo: encoded(resized(photo)), EVERY_ONE - 1),
        (lambda photo: encoded(photo, "JPEG", quality=40), EVERY_ONE),
        (lambda photo: encoded(brighter(photo)), EVERY_ONE),
        (lambda photo: encoded(watermarked(photo)), EVERY_ONE - 2),
        (lambda photo: encoded(grey(photo)), EVERY_ONE),
        (lambda photo: encoded(photo, "WEBP", quality=60), EVERY_ONE),
        (lambda photo: encoded(photo, "AVIF", quality=60), EVERY_ONE),
    ],
    ids=["resized", "jpeg-40", "brighter", "watermarked", "grey", "webp-60", "avif-60"],
)
def test_plain_code_finds_what_services_do_to_pictures(found, altered, floor):
    assert found(altered) >= floor


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_give_the_very_same_codes(hasher, originals, kind):
    for name in NAMES:
        copy = hasher.hash_bytes(encoded(photograph(name), kind))

        assert (copy.pdq, copy.phash) == (originals[name].pdq, originals[name].phash)
        assert copy.derived == originals[name].derived


@pytest.mark.parametrize("bordered", BORDERS, ids=lambda border: border.__name__)
@pytest.mark.parametrize(("quality", "floor"), [(75, EVERY_ONE - 1), (40, EVERY_ONE - 3)])
def test_trimmed_code_finds_what_a_border_hides(found, bordered, quality, floor):
    def altered(photo):
        return encoded(bordered(photo), "JPEG", quality=quality)

    hidden = EVERY_ONE - found(altered)

    assert hidden > EVERY_ONE / 2
    assert found(altered, asked={IDS["trim:border"]}, stored=CONTRIBUTED) >= floor


@pytest.mark.parametrize("turn", TURNS)
def test_dihedral_code_finds_the_turned_and_the_mirrored(found, turn):
    def altered(photo):
        return encoded(photo.transpose(TURNS[turn]), "JPEG", quality=75)

    floor = EVERY_ONE if turn == "dihedral:flipx" else EVERY_ONE - 3

    assert found(altered) == 0
    assert found(altered, asked={IDS[UNDONE_BY[turn]]}) >= floor


def test_mirrored_code_of_the_trimmed_finds_what_neither_finds_alone(found):
    def altered(photo):
        return encoded(letterboxed(photo.transpose(TURNS["dihedral:flipx"])), "JPEG", quality=75)

    dihedral = {IDS[name] for name in TURNS}

    assert found(altered, asked=dihedral | {IDS["trim:border"]}) <= 1
    assert found(altered, asked={IDS["trim:border+flipx"]}) >= EVERY_ONE - 3


def test_different_photographs_stay_apart_through_all_their_codes(originals):
    distances = {
        (one, other): min(
            distance(left, right)
            for left in asked_codes(originals[one])
            for right in known_codes(originals[other])
        )
        for one in NAMES
        for other in NAMES
        # The two motorcycles are one scene, seen by the left and by the right eye.
        if one != other and not {one, other} <= {"motorcycle_left.png", "motorcycle_right.png"}
    }

    assert min(distances.values()) > PDQ.near + 8


@pytest.mark.parametrize(
    ("altered", "floor"),
    [
        (cropped(0.03, 0.03, 0.03, 0.03), len(SCENES)),
        (cropped(0.10, 0.10, 0.10, 0.10), len(SCENES)),
        (cropped(0.08, 0.00, 0.00, 0.00), len(SCENES) - 1),
        (cropped(0.02, 0.05, 0.01, 0.04), len(SCENES) - 1),
        (cropped(0.09, 0.03, 0.07, 0.05), len(SCENES) - 2),
        (tilted(2), len(SCENES) - 1),
        (tilted(-3.5), len(SCENES) - 1),
        (screenshot, len(SCENES) - 1),
    ],
    ids=[
        "crop-3",
        "crop-10",
        "top-8",
        "crop-to-5",
        "crop-to-9",
        "tilt-2",
        "tilt-3.5",
        "screenshot",
    ],
)
def test_derived_codes_find_what_the_plain_code_does_not(hasher, originals, altered, floor):
    plain = derived = 0
    for name in SCENES:
        copy = hasher.hash_bytes(encoded(altered(photograph(name)), "JPEG", quality=80))
        plain += distance(copy.pdq, originals[name].pdq) <= PDQ.near
        derived += any(
            distance(left, right) <= PDQ.near
            for left in asked_codes(copy)
            for right in known_codes(originals[name])
        )

    assert plain <= len(SCENES) / 2
    assert derived >= floor


def test_derived_codes_connect_nothing_that_shows_next_to_nothing(hasher):
    pictures = [hasher.hash_bytes(encoded(picture)) for picture in (*cards(), *grounds())]
    plainly, derived = set(), set()
    for (i, one), (j, other) in itertools.permutations(enumerate(pictures), 2):
        if distance(one.pdq, other.pdq) <= PDQ.near:
            plainly.add((i, j))
        if any(
            distance(left, right) <= PDQ.near
            for left in asked_codes(one)
            for right in known_codes(other)
        ):
            derived.add((i, j))

    assert derived <= plainly
