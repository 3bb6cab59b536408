# SPDX-License-Identifier: Apache-2.0
"""What counts as a border, and what must not."""

import numpy as np
import pytest

from matching.pictures.borders import Box, inner_boxes
from tests.unit.pictures.photographs import photograph

CAT = np.asarray(photograph("chelsea.png"))
HEIGHT, WIDTH = CAT.shape[:2]
COLOURS = [(0, 0, 0), (255, 255, 255), (200, 30, 40)]


def bordered(sides, colour):
    top, left, bottom, right = sides
    paper = np.full((top + HEIGHT + bottom, left + WIDTH + right, 3), colour, np.uint8)
    paper[top : top + HEIGHT, left : left + WIDTH] = CAT
    return paper


def test_photograph_without_a_border_keeps_its_edges():
    assert inner_boxes(CAT) == []


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("sides", [(40, 0, 40, 0), (0, 9, 0, 30), (5, 5, 5, 60), (1, 0, 0, 0)])
def test_clean_border_is_cut_off_to_the_pixel(sides, colour):
    top, left, *_ = sides

    boxes = inner_boxes(bordered(sides, colour))

    assert Box(top, left, top + HEIGHT, left + WIDTH) in boxes
    assert all(box.top >= top and box.left >= left for box in boxes)


def test_noise_of_recompression_does_not_hide_a_border():
    noisy = bordered((40, 0, 40, 0), (128, 128, 128)).astype(int)
    noisy += np.random.default_rng(1).integers(-9, 10, noisy.shape)

    boxes = inner_boxes(noisy.clip(0, 255).astype(np.uint8))

    assert boxes
    assert all(abs(box.top - 40) <= 1 and abs(box.bottom - 40 - HEIGHT) <= 1 for box in boxes)


@pytest.mark.parametrize("colour", COLOURS)
def test_flat_picture_has_no_inside(colour):
    assert inner_boxes(np.full((200, 300, 3), colour, np.uint8)) == []


def test_little_in_the_middle_of_much_border_is_no_picture():
    paper = np.zeros((1000, 1000, 3), np.uint8)
    paper[450:550, 450:550] = CAT[100:200, 100:200]

    assert inner_boxes(paper) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (31, 500, 3), (500, 31, 3)])
def test_sliver_is_not_searched_for_a_border(shape):
    assert inner_boxes(np.zeros(shape, np.uint8)) == []


def test_never_more_candidates_than_leave_room_for_all_codes_of_an_item():
    nested = bordered((40, 40, 40, 40), (0, 0, 0))
    nested[10:-10, 10:-10][:, :, 0] += 15
    nested[20:-20, 20:-20][:, :, 1] += 25

    assert len(inner_boxes(nested)) <= 6
