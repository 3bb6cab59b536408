# SPDX-License-Identifier: Apache-2.0
"""Two hubs that share a set, with a member at each."""

import pytest

from tests.simulators.federated import Hub

HERE, THERE = "hub-a.example", "hub-b.example"
OURS, THEIRS = "alpha.example.com", "beta.example.com"


@pytest.fixture
def open_hub(databases, valkey_url, clock, tmp_path):
    """Open a hub of some name on a database of its own."""
    opened, urls = [], []

    def open_one(name):
        folder = tmp_path / name
        folder.mkdir()
        urls.append(databases.fresh(folder))
        hub = Hub(folder, name=name, database_url=urls[-1], redis_url=valkey_url, clock=clock)
        opened.append(hub)
        return hub

    yield open_one
    for hub in opened:
        hub.close()
    for url in urls:
        databases.drop(url)


@pytest.fixture
def a(open_hub):
    return open_hub(HERE)


@pytest.fixture
def b(open_hub):
    return open_hub(THERE)


@pytest.fixture
def shared(a, b):
    """A set of the first hub that the second has too."""
    set_id = a.set("lures")
    a.pair(b, operators=(THEIRS,))
    b.pair(a, operators=(OURS,))
    a.share(b.name, set_id)
    b.share(a.name, set_id)
    return set_id


@pytest.fixture
def alpha(a, shared):
    return a.admit(OURS, sets=[shared])


@pytest.fixture
def beta(b, shared):
    return b.admit(THEIRS, sets=[shared])
