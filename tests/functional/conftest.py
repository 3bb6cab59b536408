# SPDX-License-Identifier: Apache-2.0
"""The real application over SQLite, in this process; see ``tests.fakes.houses``."""

import pytest

from tests.fakes.houses import House


@pytest.fixture
def house(tmp_path):
    """A hub with nobody in it."""
    made = House(tmp_path)
    yield made
    made.close()
