# SPDX-License-Identifier: Apache-2.0
"""A hub that has caught up with the honest peer, once for all; each test plays on a copy."""

import pytest

from tests.hostile.playing import begun, play


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return begun(tmp_path_factory.mktemp("template") / "hub")


@pytest.fixture
def played(template, tmp_path):
    """Play a behaviour."""
    opened = []

    def playing(behaviour):
        opened.append(play(behaviour, template, tmp_path / "hub"))
        return opened[-1]

    yield playing
    for contract in opened:
        contract.close()
