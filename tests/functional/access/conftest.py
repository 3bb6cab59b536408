# SPDX-License-Identifier: Apache-2.0
"""A hub with an administrator and two ordinary operators that share a set."""

import pytest


@pytest.fixture
def admin(house):
    return house.admit("hub.example.com", role="admin")


@pytest.fixture
def shared(house, admin):
    del admin
    return house.set("shared")


@pytest.fixture
def alpha(house, shared):
    return house.admit("alpha.example.com", sets=[shared])


@pytest.fixture
def beta(house, shared):
    return house.admit("beta.example.com", sets=[shared])


def slug(answer):
    """The last word of a problem's type."""
    assert answer.mimetype == "application/problem+json", answer.text
    return answer.get_json()["type"].rpartition(":")[2]
