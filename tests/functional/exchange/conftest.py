# SPDX-License-Identifier: Apache-2.0
"""Two hubs that share a set, with a member at each."""

from contextlib import contextmanager

import pytest

from tests.simulators.federated import Hub
from tests.support.clock import Clock

HERE, THERE = "hub-a.example", "hub-b.example"
OURS, THEIRS = "alpha.example.com", "beta.example.com"


@contextmanager
def opening(databases, valkey_url, clock, place):
    """Open hubs of some names, each on a database of its own."""
    opened, urls = [], []

    def open_one(name):
        folder = place / name
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
def open_hub(databases, valkey_url, clock, tmp_path):
    """Open a hub of some name."""
    with opening(databases, valkey_url, clock, tmp_path) as open_one:
        yield open_one


@pytest.fixture(scope="module")
def open_lasting_hub(databases, valkey_url, tmp_path_factory):
    """Open a hub of some name for all tests of a page; its clock stands still."""
    place = tmp_path_factory.mktemp("hubs")
    with opening(databases, valkey_url, Clock(), place) as open_one:
        yield open_one


@pytest.fixture
def a(open_hub):
    return open_hub(HERE)


@pytest.fixture
def b(open_hub):
    return open_hub(THERE)


@pytest.fixture
def shared(a, b):
    """A set of the first hub that the second has too."""
    return shared_by(a, b)


def shared_by(a, b):
    """Pair two hubs, and let them share a set of the first one."""
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
