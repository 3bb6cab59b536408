# SPDX-License-Identifier: Apache-2.0
"""A hub that has caught up with the honest peer, once for all; each test plays on a copy."""

import shutil

import pytest

from tests.hostile.contract import Contract
from tests.hostile.playing import begun, play


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return begun(tmp_path_factory.mktemp("template") / "hub")


@pytest.fixture
def contract(template, tmp_path):
    """A hub of the test's own that has caught up."""
    shutil.copytree(template, tmp_path / "hub")
    opened = Contract(tmp_path / "hub")
    yield opened
    opened.close()


@pytest.fixture
def played(contract):
    """Play a behaviour; returns the hub."""

    def playing(behaviour):
        play(behaviour, contract)
        return contract

    return playing
