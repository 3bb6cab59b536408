# SPDX-License-Identifier: Apache-2.0
"""What passes for a drawing on paper, and which codes it then has."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from hub.client import Item
from hub.client.values import contributed_codes
from matching.pictures.borders import Box, has_edges
from matching.pictures.paper import is_on_paper, share_of_paper
from tests.unit.pictures.photographs import (
    BORDERS,
    cards,
    encoded,
    grey,
    letterboxed,
    photograph,
    screenshot,
    tilted,
)

PARTS = ("crop:", "tilt:")


def icon(paper="white"):
    """A magnifying glass on paper."""
    sheet = Image.new("RGB", (256, 256), paper)
    draw = ImageDraw.Draw(sheet)
    draw.line((140, 140, 220, 220), "black", 30)
    draw.ellipse((40, 40, 170, 170), (90, 160, 220), "black", 16)
    return sheet


def derived(codes):
    return {code.derived for code in codes if code.derived}


def parts(names):
    return {name for name in names if name.removeprefix("trim:border+").startswith(PARTS)}


@pytest.mark.parametrize("paper", ["white", "ivory", "lightgrey"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_drawing_has_no_code_of_a_crop_or_tilt_on_either_side(hasher, paper, kind):
    hashed = hasher.hash_bytes(encoded(icon(paper), kind))

    for codes in (Item.of(hashed).codes, contributed_codes(hashed)):
        assert not parts(derived(codes))
        assert any(name.startswith("dihedral:") for name in derived(codes))


@pytest.mark.parametrize("name", ["astronaut.png", "camera.png", "rocket.jpg"])
@pytest.mark.parametrize("altered", [lambda photo: photo, letterboxed, grey, tilted(4)])
def test_photograph_has_crops_and_tilts_on_both_sides(hasher, name, altered):
    hashed = hasher.hash_bytes(encoded(altered(photograph(name)), "JPEG", quality=75))

    for codes in (Item.of(hashed).codes, contributed_codes(hashed)):
        assert len(parts(derived(codes))) > 8


@pytest.mark.parametrize("bordered", [*BORDERS, screenshot])
def test_drawing_is_still_found_inside_a_border(hasher, bordered):
    hashed = hasher.hash_bytes(encoded(bordered(cards()[0])))

    assert "trim:border" in derived(Item.of(hashed).codes)


def test_thing_that_an_icon_shows_is_no_picture_inside_a_border(hasher):
    hashed = hasher.hash_bytes(encoded(icon()))

    assert not [name for name in derived(Item.of(hashed).codes) if name.startswith("trim:")]


def test_edges_are_straight_where_a_ground_ends_at_once():
    pixels = np.full((100, 100, 3), 255, np.uint8)
    pixels[20:80, 20:80] = 0

    assert has_edges(pixels, Box(20, 20, 80, 80))
    pixels[20:80, 20:30] = 255
    assert not has_edges(pixels, Box(20, 20, 80, 80))


def test_share_counts_what_recompression_moved():
    ground = np.full((64, 64, 3), 240, np.uint8)
    ground[:16] = 242
    ground[16:32] = 250

    assert share_of_paper(ground) == 0.75


def test_ramp_is_no_drawing():
    assert not is_on_paper(np.asarray(Image.linear_gradient("L").convert("RGB")))
