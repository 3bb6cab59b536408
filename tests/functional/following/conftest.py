# SPDX-License-Identifier: Apache-2.0
"""One hub a page, with sets and operators for each test."""

import pytest


@pytest.fixture(scope="module")
def house(lasting_house):
    return lasting_house


@pytest.fixture
def clock(house):
    return house.clock
