# SPDX-License-Identifier: Apache-2.0
"""Which derived codes a client sends: few, none twice, none that would accuse everybody."""

import pytest

from hub.client import Item
from hub.client.values import contributed_codes
from matching.degenerate import DEGENERATE
from matching.derivations import ASKED, CONTRIBUTED, IDS, NAMES, derivation_name
from matching.pictures import DerivedCode, HashedPicture

HALF = "0f" * 32


def pdq(number):
    """A possible code, another for each number, near nothing degenerate."""
    return f"{int(HALF, 16) ^ 0b11 << 4 * number + 3:064x}"


def hashed(*derived):
    return HashedPicture(
        sha256="00" * 32,
        sha1="00" * 20,
        md5="00" * 16,
        pdq=HALF,
        quality=100,
        phash="0f" * 8,
        derived=tuple(DerivedCode(number, code, quality) for number, code, quality in derived),
    )


def everything():
    numbers = dict.fromkeys((*ASKED, *CONTRIBUTED))
    return hashed(*((number, pdq(place % 60), 100) for place, number in enumerate(numbers)))


def names(codes):
    return [code.derived for code in codes if code.derived]


def test_item_asks_with_sixteen_codes_at_most_the_most_useful_first():
    item = Item.of(everything())

    assert sum(code.signal == "pdq" for code in item.codes) == 16
    assert names(item.codes) == [NAMES[number] for number in ASKED[:15]]


def test_contribution_has_thirty_two_codes_at_most_the_most_useful_first():
    codes = contributed_codes(everything())

    assert sum(code.signal == "pdq" for code in codes) == 32
    assert names(codes) == [NAMES[number] for number in CONTRIBUTED[:31]]
    assert len(codes) <= 40


def test_code_below_the_floor_of_quality_is_left_out():
    picture = hashed((ASKED[0], pdq(1), 49), (ASKED[1], pdq(2), 50))

    assert names(Item.of(picture).codes) == [derivation_name(ASKED[1])]


@pytest.mark.parametrize("bits", [0, 2, 40])
def test_code_of_what_shows_nothing_is_left_out(bits):
    known = next(one for one in DEGENERATE if 120 <= one.bit_count() <= 136)
    near = known ^ ((1 << bits) - 1)
    number = CONTRIBUTED[0]

    codes = contributed_codes(hashed((number, f"{near:064x}", 100)))

    assert not names(codes)


def test_code_that_no_picture_has_is_left_out():
    assert not names(Item.of(hashed((ASKED[0], "01" * 32, 100))).codes)


def test_two_derivations_of_one_code_are_sent_once():
    first, second = ASKED[:2]

    codes = Item.of(hashed((second, pdq(1), 100), (first, pdq(1), 100))).codes

    assert names(codes) == [NAMES[first]]


def test_several_codes_of_one_border_are_all_sent_in_their_order():
    border = IDS["trim:border"]

    codes = contributed_codes(hashed((border, pdq(2), 90), (border, pdq(1), 90)))

    assert [code.code for code in codes if code.derived] == [pdq(2), pdq(1)]
