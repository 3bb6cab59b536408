# SPDX-License-Identifier: Apache-2.0
"""The doorbell is heard through one server, through what Sentinel names, and through a cluster."""

import pytest

from hub.adapters.doorbell import RedisDoorbell
from matching.stores.servers import connect
from tests.simulators.valkey import Watched
from tests.support.waiting import eventually


@pytest.fixture
def watched(tmp_path):
    with Watched(tmp_path) as watched:
        yield watched


@pytest.fixture(
    params=[
        "valkey",
        pytest.param("watched", marks=pytest.mark.services),
        pytest.param("cluster", marks=pytest.mark.services),
    ]
)
def url(request):
    return request.getfixturevalue(request.param).url


def doorbell(url):
    return RedisDoorbell(connect(url, wait_seconds=1.0), "here")


def heard(listener, ringer):
    """Ring until it is heard: what is rung before anybody listens is lost without harm."""
    ringer.ring()
    return listener.wait(0.05)


def test_a_ring_is_heard_by_another_process(url):
    listener, ringer = doorbell(url), doorbell(url)

    eventually(lambda: heard(listener, ringer))


def test_nobody_rings(url):
    listener = doorbell(url)

    assert not listener.wait(0.01)


@pytest.mark.services
def test_it_is_heard_again_when_another_master_is_named(watched):
    listener, ringer = doorbell(watched.url), doorbell(watched.url)
    eventually(lambda: heard(listener, ringer))

    watched.fail_over()

    eventually(lambda: heard(listener, ringer))
