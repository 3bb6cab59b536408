# SPDX-License-Identifier: Apache-2.0
"""A hub that has caught up with the honest peer, once for all; each test plays on a copy."""

import shutil

import pytest

from hub.services.exchange import publishing
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


@pytest.fixture
def asked(template, tmp_path, valkey_url):
    """A hub that the peer asks: it remembers requests, and its checkpoint is shown."""
    shutil.copytree(template, tmp_path / "hub")
    contract = Contract(tmp_path / "hub", redis_url=valkey_url)
    hub = contract.hub
    voice = hub.abroad.voice()
    assert voice is not None
    publishing.show_checkpoint(hub, voice)
    hub.abroad.nonces.begin()  # type: ignore[attr-defined]  # of its adapter
    contract.now += 600
    yield contract
    contract.close()
