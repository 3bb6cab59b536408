# SPDX-License-Identifier: Apache-2.0
"""A set that three operators share, each with one member that may do everything in it."""

import pytest


@pytest.fixture
def shared(house):
    return house.set("shared")


@pytest.fixture
def alpha(house, shared):
    return house.admit("alpha.example.com", sets=[shared])


@pytest.fixture
def beta(house, shared):
    return house.admit("beta.example.com", sets=[shared])


@pytest.fixture
def gamma(house, shared):
    return house.admit("gamma.example.com", sets=[shared])
