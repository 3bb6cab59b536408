# SPDX-License-Identifier: Apache-2.0
"""What a benchmark lays into a database is a history like any other."""

import pytest

from bench.codes import as_hex, random_codes
from bench.filling import fill
from bench.members import SETS, admit
from hub.adapters.clock import now
from hub.settings import Settings
from tests.support.house import House
from tests.support.truth import check_history, check_names, check_totals

COUNT = 300


@pytest.fixture
def filled(sqlite_databases, valkey_url, tmp_path):
    """A house whose database was filled before it opened, its codes, and who may ask."""
    url = sqlite_databases.fresh(tmp_path)
    settings = Settings.read({"BREAKWATER_DATA": str(tmp_path), "BREAKWATER_DATABASE_URL": url})
    members, codes = admit(settings), random_codes(COUNT, 1)
    fill(settings, codes)
    house = House(tmp_path, database_url=url, redis_url=valkey_url, clock=now)
    yield house, as_hex(codes), house.caller(members.asker)
    house.close()
    sqlite_databases.drop(url)


def test_a_filled_history_is_dense_chained_and_adds_up(filled):
    house, _, _ = filled

    changes = check_history(house)

    check_names(house)
    check_totals(house)
    said = [row.subject for row in changes if row.kind == "indicator"]
    assert said == list(range(1, COUNT + 1))


def test_every_code_laid_in_is_found_and_alone(filled):
    _, codes, asker = filled

    answer = asker.post("/v1/match", {"codes": {"pdq": [*codes, *as_hex(random_codes(9, 2))]}})

    told = answer.json["answers"]
    assert [one["answer"] for one in told] == ["hit"] * COUNT + ["none"] * 9
    hits = [hit for one in told[:COUNT] for hit in one["hits"]]
    assert len({hit["id"] for hit in hits}) == COUNT
    assert {(hit["band"], hit["standing"], hit["operators"]) for hit in hits} == {
        ("exact", "review", 1)
    }
    assert len({hit["set"] for hit in hits}) == SETS
