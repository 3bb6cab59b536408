# SPDX-License-Identifier: Apache-2.0
"""One hasher for all tests that do not break it."""

import pytest

from matching.pictures import Hasher


@pytest.fixture(scope="session")
def hasher():
    with Hasher() as shared:
        yield shared
