# SPDX-License-Identifier: Apache-2.0
"""Of a lookup only hit facts stay; receipts come back with outcomes; budgets end."""

import pytest
import sqlalchemy as sa

from hub.domain.errors import URN
from hub.services.ledger import Budgets
from hub.services.upkeep import forget_old
from hub.storage import tables
from tests.support.codes import pdq
from tests.support.saying import (
    account,
    asked,
    contributed,
    flaws,
    matched,
    picture,
    problem,
)


@pytest.fixture
def known():
    return pdq()


def receipts(caller, **codes):
    return [hit["receipt"] for hit in matched(caller, **codes)["hits"]]


def reported(caller, *rows, **options):
    return caller.post("/v1/outcomes", {"outcomes": list(rows)}, **options)


def outcomes(caller, indicator):
    return caller.get(f"/v1/indicators/{indicator}").json["outcomes"]


def test_contributors_see_what_came_of_it_in_buckets(shared, alpha, beta, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    told = [receipts(beta, pdq=known)[0] for _ in range(12)]
    assert len(set(told)) == 12

    answer = reported(beta, *({"receipt": one, "outcome": "account-removed"} for one in told))

    assert answer.status_code == 200
    assert [row["index"] for row in answer.json["results"]] == list(range(12))
    assert outcomes(alpha, indicator) == {"account-removed": 10}
    assert alpha.get(f"/v1/indicators/{indicator}").json["seen"] == {"hits": 10, "operators": 1}


def test_the_outcome_of_a_receipt_may_be_said_anew(shared, alpha, beta, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    (receipt,) = receipts(beta, pdq=known)
    reported(beta, {"receipt": receipt, "outcome": "pending"})

    reported(beta, {"receipt": receipt, "outcome": "reported", "reported_to": "ncmec"})

    assert outcomes(alpha, indicator) == {"reported": 1}


def test_one_bad_receipt_harms_no_other(house, shared, alpha, beta, gamma, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    (mine,), (theirs,) = receipts(beta, pdq=known), receipts(gamma, pdq=known)
    head = house.hub.feed.head().position
    rows = [
        {"receipt": mine, "outcome": "content-removed"},
        {"receipt": theirs, "outcome": "content-removed"},
        {"receipt": mine[:-6] + "AAAA==", "outcome": "content-removed"},
        {"receipt": "x" * 72, "outcome": "content-removed"},
        {"receipt": mine, "outcome": "banned"},
        {"outcome": "pending"},
        "nothing",
    ]

    results = reported(beta, *rows).json["results"]

    assert results[0] == {"index": 0, "position": head + 1}
    assert [row["index"] for row in results] == list(range(len(rows)))
    assert [row["error"]["type"] for row in results[1:4]] == [URN + "unknown-receipt"] * 3
    assert all("error" in row for row in results[4:])
    assert house.hub.feed.head().position == head + 1
    assert outcomes(alpha, indicator) == {"content-removed": 1}


def test_nothing_but_bad_receipts_is_refused_with_their_indexes(house, beta):
    head = house.hub.feed.head().position

    answer = reported(
        beta,
        {"receipt": "x" * 72, "outcome": "pending"},
        {"receipt": "x" * 72, "outcome": "banned"},
    )

    assert answer.status_code == 422
    assert [index for _, index in flaws(answer)] == [0, 1]
    assert house.hub.feed.head().position == head


def test_of_a_lookup_only_the_fact_of_a_hit_is_kept(house, shared, alpha, beta, known):
    contributed(alpha, picture(pdq=known), shared)
    with house.database.reader.connect() as connection:
        before = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in tables.metadata.tables.items()
        }

    asked(beta, {"pdq": known}, {"pdq": known}, {"pdq": pdq()})

    with house.database.reader.connect() as connection:
        after = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in tables.metadata.tables.items()
        }
        (fact,) = connection.execute(sa.select(tables.hit_fact)).all()
    grown = {name for name in after if after[name] != before[name]}
    assert grown == {"hit_fact", "budget"}
    assert fact.count == 2


def test_hits_on_ones_own_are_no_facts(house, shared, alpha, known):
    contributed(alpha, picture(pdq=known), shared)

    matched(alpha, pdq=known)

    with house.database.reader.connect() as connection:
        assert connection.execute(sa.select(tables.hit_fact)).all() == []


def test_facts_are_forgotten_after_31_days(house, shared, alpha, beta, clock, known):
    contributed(alpha, picture(pdq=known), shared)
    matched(beta, pdq=known)
    beta.get(f"/v1/sets/{shared}/snapshot")

    def facts():
        with house.database.reader.connect() as connection:
            return [
                connection.scalar(sa.select(sa.func.count()).select_from(table))
                for table in (tables.hit_fact, tables.served_fact)
            ]

    clock.forward(days=31)
    forget_old(house.hub)
    assert facts() == [1, 1]
    clock.forward(days=1)
    forget_old(house.hub)
    assert facts() == [0, 0]


@pytest.fixture
def frugal(open_house):
    """A hub whose budgets are used up soon, with two operators in a set."""
    house = open_house(budgets=Budgets(codes_a_day=10, hits_a_day=3, accounts_a_day=2))
    shared = house.set("shared")
    return (
        house.admit("alpha.example.com", sets=[shared]),
        house.admit("beta.example.com", sets=[shared]),
        shared,
    )


def ask(caller, *codes, settle=True):
    return caller.post("/v1/match", {"codes": {"pdq": list(codes)}}, settle=settle)


@pytest.mark.parametrize("settle", [True, False])
def test_a_budget_of_codes_ends_for_the_operator_alone(frugal, settle):
    alpha, beta, _ = frugal
    assert ask(alpha, *(pdq() for _ in range(10)), settle=settle).status_code == 200

    answer = ask(alpha, pdq(), settle=settle)

    assert (answer.status_code, problem(answer)) == (429, "budget-used-up")
    assert 0 < int(answer.headers["Retry-After"]) <= 12 * 3600 + 1
    assert ask(beta, pdq(), settle=settle).status_code == 200


def test_a_budget_is_full_again_the_next_day(frugal, clock):
    alpha, _, _ = frugal
    ask(alpha, *(pdq() for _ in range(10)))
    answer = ask(alpha, pdq())
    assert answer.status_code == 429

    clock.forward(seconds=int(answer.headers["Retry-After"]))

    assert ask(alpha, pdq()).status_code == 200


def test_a_budget_of_hits_ends(frugal, known):
    alpha, beta, shared = frugal
    contributed(alpha, picture(pdq=known), shared)
    assert ask(beta, *[known] * 4).status_code == 200

    answer = ask(beta, known)

    assert (answer.status_code, problem(answer)) == (429, "budget-used-up")


def test_a_budget_of_accounts_ends(frugal):
    alpha, _, _ = frugal
    body = {
        "purpose": "report",
        "case": "case-1",
        "accounts": [{"kind": "phone", "value": "+1-212-555-0100"}] * 2,
    }
    assert alpha.post("/v1/accounts/match", body).status_code == 200

    answer = alpha.post("/v1/accounts/match", body)

    assert (answer.status_code, problem(answer)) == (429, "budget-used-up")


def test_a_flood_of_requests_is_slowed_down(open_house):
    house = open_house(BREAKWATER_REQUESTS_PER_SECOND="1")
    alpha, beta = house.admit("alpha.example.com"), house.admit("beta.example.com")

    answers = [alpha.get("/v1/status") for _ in range(5)]

    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert beta.get("/v1/status").status_code == 200


def test_an_accounts_value_is_only_kept_sealed(house, shared, alpha):
    value = "very.unusual.canary@example.com"
    indicator = contributed(
        alpha, account(value, "email"), shared, case="case-1", depicts="unknown"
    )

    with house.database.reader.connect() as connection:
        for table in tables.metadata.tables.values():
            for row in connection.execute(sa.select(table)).mappings():
                assert "canary" not in repr(dict(row)).lower(), table.name
        (row,) = connection.execute(sa.select(tables.sealed_account)).all()
    opened = house.hub.secrets.sealer.open(row.sealed, b"account:" + indicator.encode())
    assert value.encode() in opened
    told = alpha.get(f"/v1/indicators/{indicator}").text
    assert "canary" not in told
