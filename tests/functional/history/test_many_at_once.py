# SPDX-License-Identifier: Apache-2.0
"""What goes a shorter way where it is many says the same as one by one."""

import os

import pytest
import sqlalchemy as sa

from hub.domain.indicators import Code
from hub.storage import tables
from hub.storage.sending import write
from hub.storage.totals import FEW, total, totals

LABEL = 3


def code(signal, width, derivation=0):
    return Code(signal, os.urandom(width), derivation)


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 100])
def test_totals_of_many_are_those_of_each(count):
    some = [
        (
            key,
            # Every seventh is gone.
            LABEL if key % 7 else 0,
            [code("pdq", 32), code("pdq", 32, 5), code("phash", 8), code("md5", 16)][: key % 5],
        )
        for key in range(1, count + 1)
    ]

    assert totals(some) == [total(*one) for one in some]


@pytest.fixture
def engine(database_url):
    made = sa.create_engine(database_url)
    yield made
    made.dispose()


def test_rows_written_together_are_read_as_rows_written_alone(house, engine):
    at = house.clock()
    rows = [
        {
            "position": 10_000 + number,
            "at": at,
            "kind": "x",
            "subject": number,
            "n": 1,
            "operator": None if number % 2 else 7,
            "member": None,
            "api_key": None,
            "request_id": f"r{number}",
            "idempotency": None,
            "details": {"b": [number], "a": "ä"},
            "totals": {},
            "hash": bytes(32),
        }
        for number in range(4)
    ]
    statement = tables.change.insert().inline()

    def kept(written):
        with engine.connect() as connection, connection.begin() as transaction:
            for some in written:
                write(connection, statement, some)
            found = connection.execute(
                sa.select(tables.change)
                .where(tables.change.c.position >= 10_000)
                .order_by(tables.change.c.position)
            ).all()
            transaction.rollback()
        return [tuple(row) for row in found]

    together, alone = kept([rows]), kept([[row] for row in rows])

    assert together == alone
    assert [row[0] for row in together] == [10_000, 10_001, 10_002, 10_003]
