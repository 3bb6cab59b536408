# SPDX-License-Identifier: Apache-2.0
"""What the names of crops and tilts mean."""

import pytest
from hypothesis import given, strategies as st

from matching.derivations import ASKED, CONTRIBUTED, NAMES, derivation_id, derivation_name
from matching.pictures.borders import Box
from matching.pictures.shapes import Shape, shape, upright_share

SHAPES = [one for name in NAMES.values() if (one := shape(name))]
sides = st.integers(32, 8_000)


def test_both_sides_crop_and_tilt():
    for chosen in (ASKED, CONTRIBUTED):
        kinds = {NAMES[number].partition(":")[0] for number in chosen}

        assert {"crop", "tilt", "trim", "dihedral"} == kinds


@pytest.mark.parametrize("number", NAMES)
def test_every_name_leads_back_to_its_byte(number):
    assert derivation_id(derivation_name(number)) == number


@pytest.mark.parametrize("name", NAMES.values())
def test_crop_or_tilt_inside_a_border_is_one_without_it_too(name):
    inside = name.removeprefix("trim:border+")

    assert (shape(inside) is None) == (not inside.startswith(("crop:", "tilt:")))


def test_crop_names_its_sides_as_css_does():
    assert shape("crop:1,2,3,4") == Shape(top=0.01, right=0.02, bottom=0.03, left=0.04)
    assert Shape(0.01, 0.02, 0.03, 0.04).box(100, 1000) == Box(1, 40, 97, 980)


def test_tilt_names_its_angle_and_what_is_cut_off_afterwards():
    assert shape("tilt:-2.5,3") == Shape(0.03, 0.03, 0.03, 0.03, degrees=-2.5)


@pytest.mark.parametrize("name", ["dihedral:rot90", "trim:border", "trim:border+flipx"])
def test_other_derivations_have_no_shape(name):
    assert shape(name) is None


@given(st.sampled_from(SHAPES), sides, sides)
def test_every_part_lies_within_its_picture_and_holds_most_of_it(one, height, width):
    box = one.box(height, width)

    assert 0 <= box.top < box.bottom <= height
    assert 0 <= box.left < box.right <= width
    assert box.height >= upright_share(height, width, one.degrees) * height * 0.7 - 2


@given(sides, sides, st.floats(-10, 10))
def test_upright_part_of_a_turned_picture_reaches_no_corner(height, width, degrees):
    share = upright_share(height, width, degrees)

    assert 0 < share <= 1
    assert share == upright_share(height, width, -degrees)
    assert upright_share(height, width, 0.0) == 1
