# SPDX-License-Identifier: Apache-2.0
"""Our own log is verified from its entries up, and whatever was changed is told."""

import pytest
import sqlalchemy as sa

from federation.identity.hubfile import read_hub_file
from hub.services.exchange.auditing import verify_log
from hub.storage import tables
from tests.functional.exchange.conftest import shared_by
from tests.support.codes import pdq
from tests.support.saying import contributed, picture, withdrawn

_leaf, _operation, _tile, _log = (
    tables.log_leaf, tables.operation, tables.log_tile, tables.hub_log,
)  # fmt: skip


def _said(*places):
    """What is said at places of the log; keys are the database's own affair."""
    there = sa.select(_leaf.c.operation).where(_leaf.c.at_index.in_(places))
    return _operation.c.key.in_(there)


@pytest.fixture(scope="module")
def whole(open_lasting_hub):
    """A log of several tiles, and all rows that it is made of."""
    a, b = open_lasting_hub("hub-a.example"), open_lasting_hub("hub-b.example")
    shared = shared_by(a, b)
    alpha = a.admit("alpha.example.com", sets=[shared])
    for _ in range(3):
        rows = [
            {
                "item": picture(pdq=pdq()), "sets": [shared], "harm": ["grooming"],
                "use": "offer", "depicts": "unknown", "basis": "own-service-human",
            }
            for _ in range(100)
        ]  # fmt: skip
        assert alpha.post("/v1/indicators", {"indicators": rows}).status_code == 200
        a.publish()
    indicator = contributed(alpha, picture(pdq=pdq()), shared)
    a.publish()
    withdrawn(alpha, indicator)
    a.publish()
    with a.database.reader.connect() as connection:
        kept = {table: _rows(connection, table) for table in (_log, _operation, _leaf, _tile)}
    return a, kept


def _rows(connection, table):
    return [dict(row) for row in connection.execute(table.select()).mappings()]


@pytest.fixture
def grown(whole):
    """The same, which a test may spoil: afterwards it is as it was."""
    a, rows = whole
    yield a
    with a.database.writer.begin() as connection:
        for table in (_leaf, _tile):
            connection.execute(table.delete())
            connection.execute(table.insert(), rows[table])
        for table in (_operation, _log):
            for row in rows[table]:
                connection.execute(table.update().where(table.c.key == row["key"]).values(**row))


def audited(hub):
    return verify_log(hub.hub, hub.voice, read_hub_file(hub.file()), lambda _entries: None)


def test_a_log_that_nobody_touched_has_no_fault(grown):
    audit = audited(grown)

    assert (audit.entries, audit.purged, audit.faults) == (302, 0, ())


def test_an_empty_log_has_no_fault(a, shared):
    a.publish()

    assert (audited(a).entries, audited(a).faults) == (0, ())


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (_operation.update().where(_said(7)).values(signature=bytes(64)), "signed"),
        (_operation.update().where(_said(7)).values(payload=b"{}"), "another"),
        (_operation.update().where(_said(7)).values(key_id="op-9"), "key"),
        (_leaf.delete().where(_leaf.c.at_index == 7), "not all there"),
        (_leaf.update().where(_leaf.c.at_index == 7).values(source="hub-x.example"), "frontier"),
        (_tile.update().where(_tile.c.level == 0, _tile.c.tile == 0).values(data=b"x"), "tile 0"),
        (_tile.delete().where(_tile.c.level == 0, _tile.c.tile == 1), "tile 1"),
        (_log.update().values(note=b"nothing"), "not ours"),
        (_log.update().values(noted=300), "not of these entries"),
    ],
)
def test_whatever_was_changed_is_told(grown, statement, fault):
    with grown.database.writer.begin() as connection:
        assert connection.execute(statement).rowcount == 1

    assert any(fault in one for one in audited(grown).faults)


def test_what_was_purged_is_no_fault(grown):
    with grown.database.writer.begin() as connection:
        purged = _operation.update().where(_said(3, 4)).values(payload=None)
        connection.execute(purged)
        assert connection.scalar(sa.select(sa.func.count()).select_from(_leaf)) == 302

    assert (audited(grown).purged, audited(grown).faults) == (2, ())
