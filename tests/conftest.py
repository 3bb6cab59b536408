# SPDX-License-Identifier: Apache-2.0
"""What many tests need and is dear to start: a real Valkey, both databases, a hub assembled."""

import os

import pytest

from tests.simulators.valkey import Valkey
from tests.support.clock import Clock
from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.house import House
from tests.support.postgres import NoPostgresError, Postgres
from tests.support.scheduling import LongestFirst


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Where several workers run the tests: whatever takes longest first."""
    return LongestFirst(config, log)


def pytest_report_teststatus(report):
    """Say at once which test failed: the whole run takes long, and tells why only at its end."""
    if not report.failed:
        return None
    what = "failed" if report.when == "call" else "error"
    return what, f"\n{what}: {report.nodeid}\n", what.upper()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory):
    """The address of a real Valkey; each hub has names of its own in it."""
    server = Valkey(tmp_path_factory.mktemp("valkey"), "--appendonly", "no")
    server.start()
    yield server.url
    server.kill()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory):
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases():
    try:
        server = Postgres()
    except NoPostgresError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    databases = PostgresDatabases(server)
    yield databases
    databases.close()
    server.stop()


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)]
)
def databases(request):
    """Where databases are made: every test that asks for one runs on both kinds."""
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    return request.getfixturevalue(f"{kind}_databases")


@pytest.fixture
def database_url(databases, tmp_path):
    """The address of a database of the test's own, with the newest schema."""
    url = databases.fresh(tmp_path)
    yield url
    databases.drop(url)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_house(database_url, valkey_url, clock, tmp_path):
    """Open a hub on the test's database; it is closed when the test ends."""
    houses = []

    def opened(**options):
        house = House(
            tmp_path,
            **{"database_url": database_url, "redis_url": valkey_url, "clock": clock, **options},
        )
        houses.append(house)
        return house

    yield opened
    for house in houses:
        house.close()


@pytest.fixture
def house(open_house):
    """A hub with nobody in it."""
    return open_house()


@pytest.fixture(scope="module")
def lasting_house(databases, valkey_url, tmp_path_factory):
    """One hub for all tests of a page, each with sets and operators of its own: it is quicker."""
    folder = tmp_path_factory.mktemp("house")
    url = databases.fresh(folder)
    house = House(folder, database_url=url, redis_url=valkey_url, clock=Clock())
    yield house
    house.close()
    databases.drop(url)
