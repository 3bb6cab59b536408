# SPDX-License-Identifier: Apache-2.0
"""Codes from a reduced copy are those of the full path, within a few bits."""

import numpy as np
import pdqhash
import pytest
from PIL import Image

from matching.derivations import ASKED, CONTRIBUTED, NAMES
from matching.pictures.borders import Box
from matching.pictures.reduced import Reduced, codes_of_samples
from matching.pictures.shapes import shape
from tests.unit.pictures.photographs import distance, photograph

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "retina.jpg", "rocket.jpg")
SHAPES = {name: one for number in {*ASKED, *CONTRIBUTED} if (one := shape(name := NAMES[number]))}
MOST_BITS = 6


@pytest.fixture(scope="module", params=PHOTOGRAPHS)
def photo(request):
    return photograph(request.param)


def full_path(picture):
    vector, quality = pdqhash.compute(np.ascontiguousarray(picture))
    return np.packbits(vector.astype(np.uint8)).tobytes().hex(), quality


def quick(samples):
    [code] = codes_of_samples(samples[None])
    return code


def altered(picture, one):
    box = one.box(picture.height, picture.width)
    turned = picture.rotate(one.degrees, Image.Resampling.BICUBIC) if one.degrees else picture
    return turned.crop((box.left, box.top, box.right, box.bottom))


def test_every_crop_and_tilt_of_the_table_has_the_code_of_the_full_path(photo):
    reduced = Reduced.of(photo)
    bits, qualities = [], []
    for one in SHAPES.values():
        pdq, quality = full_path(altered(photo, one))
        found = quick(one.samples(reduced))
        bits.append(distance(found.pdq, pdq))
        qualities.append(abs(found.quality - quality))

    assert max(bits) <= MOST_BITS
    assert np.mean(np.array(bits) <= 2) >= 0.8
    assert max(qualities) <= 1


def test_mirrored_code_is_that_of_the_mirrored_picture(photo):
    pdq, _ = full_path(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT))

    assert distance(quick(Reduced.of(photo).all_samples(mirrored=True)).pdq, pdq) <= MOST_BITS


@pytest.mark.parametrize("size", [(64, 64), (65, 399), (400, 2000), (33, 33)])
def test_any_size_of_picture_has_the_code_of_the_full_path(size):
    picture = photograph("chelsea.png").resize(size)
    pdq, _ = full_path(picture)

    assert distance(quick(Reduced.of(picture).all_samples()).pdq, pdq) <= MOST_BITS


def test_true_code_has_half_of_its_bits_set():
    picture = Reduced.of(photograph("coffee.png"))

    code = quick(picture.samples(Box(10, 20, 300, 400)))

    assert int(code.pdq, 16).bit_count() == 128
