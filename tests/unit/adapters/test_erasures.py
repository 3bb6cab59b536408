# SPDX-License-Identifier: Apache-2.0
"""The list of erased ids loses none, whatever a crash or a full disk left in it."""

import pytest

from federation.operations.values import Register
from hub.adapters.erasures import ErasureFile

ONE, OTHER = "ind_" + "a" * 26, "ind_" + "b" * 26
THEIRS = Register("hub-a.example", "hub-a.example/m/" + "k" * 16, "indicator", ONE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "erasures.log"


def test_ids_are_told_once_in_the_order_they_came(path):
    file = ErasureFile(path)
    for some in ((OTHER,), (THEIRS, ONE), (OTHER, THEIRS)):
        file.add(*some)

    assert file.all() == [OTHER, THEIRS, ONE]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "torn",
    ["ind_abcdef", "ind_", "i", ONE[:-1], "ind_abcdef\nind_ab", "hub-a.example hub-a.exa"],
)
def test_an_id_that_follows_a_torn_line_is_not_lost(path, torn):
    path.write_text(torn)

    ErasureFile(path).add(OTHER)

    assert ErasureFile(path).all() == [OTHER]


def test_without_a_file_nothing_was_erased(path):
    assert ErasureFile(path).all() == []
