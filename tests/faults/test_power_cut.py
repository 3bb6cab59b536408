# SPDX-License-Identifier: Apache-2.0
"""The power fails at any moment: what was acknowledged is there, and nothing is half there.

The hub's own services run here, through its own engine settings and statements, on a disk whose
power can be cut. With ``synchronous=NORMAL`` the same test must find losses, or it proves nothing.
"""

import os
import random
import shutil
from functools import partial

import pytest
import sqlalchemy as sa

from hub.domain.changes import SYSTEM
from hub.services import upkeep
from hub.storage import tables
from tests.faults.contributions import Pictures, contribution
from tests.faults.powercut import Disk, opened
from tests.faults.wholeness import flaws
from tests.support.house import House

CUTS = int(os.environ.get("BREAKWATER_TEST_CUTS", "600"))
SEED = int(os.environ.get("BREAKWATER_TEST_SEED", str(random.SystemRandom().getrandbits(32))))
NAME = "hub.db"
ROUNDS = 6


@pytest.fixture
def record(tmp_path, sqlite_databases, valkey_url, clock, monkeypatch):
    """Let a hub write on a disk that remembers, with some of its settings replaced."""

    def recorded(**instead):
        sqlite_databases.fresh(tmp_path)
        file = tmp_path / NAME
        disk = Disk(**{NAME: file.read_bytes()})
        with opened(disk, NAME, instead) as driver, monkeypatch.context() as patch:
            make = partial(
                sa.create_engine, module=driver, creator=driver.connect, poolclass=sa.StaticPool
            )
            patch.setattr("sqlalchemy.create_engine", lambda url, **_sizes: make(url))
            house = House(
                tmp_path, database_url="sqlite:///hub.db", redis_url=valkey_url, clock=clock
            )
            _write(house, disk)
            house.close()
            assert bool(driver.replaced) == bool(instead)
        return disk

    return recorded


def _write(house, disk):
    """Write in every way there is; mark on the disk what was acknowledged."""
    pictures = Pictures(SEED)
    shared = house.set("lures")
    giver = house.admit("harbour.example.com", sets=[shared])
    other = house.admit("lighthouse.example.com", sets=[shared])
    for turn in range(ROUNDS):
        code = pictures.code()
        ids = []
        for who in (giver, other):
            answer = who.post("/v1/indicators", contribution(code, shared), settle=False)
            assert answer.status_code == 201, answer.json
            ids.append(answer.json["id"])
            disk.mark((answer.json["id"], "live"))
        rows = [contribution(pictures.code(), shared) for _ in range(4)]
        answer = giver.post("/v1/indicators", {"indicators": rows}, settle=False)
        assert answer.status_code == 200, answer.json
        for result in answer.json["results"]:
            disk.mark((result["id"], "live"))
        house.settle()
        upkeep.toggle_control(turn % 4, house.hub)
        if turn % 3 == 0:
            answer = giver.post(f"/v1/indicators/{ids[0]}/withdraw", {}, settle=False)
            assert answer.status_code == 201, answer.json
            disk.mark((ids[0], "withdrawn"))
        if turn % 4 == 0:
            upkeep.erase(ids[1], actor=SYSTEM, hub=house.hub)
            disk.mark((ids[1], "erased"))


@pytest.mark.slow
def test_no_cut_loses_what_was_acknowledged_or_leaves_it_half_done(record, tmp_path):
    disk = record()
    lost, half = _after_cuts(disk, tmp_path, CUTS)
    assert half == []
    assert lost == []


@pytest.mark.slow
def test_the_simulator_finds_the_losses_of_a_weaker_promise(record, tmp_path):
    disk = record(**{"PRAGMA synchronous=FULL": "PRAGMA synchronous=NORMAL"})
    lost, _ = _after_cuts(disk, tmp_path, CUTS // 6)
    assert len(lost) > CUTS // 60


def _after_cuts(disk, folder, cuts):
    """Cut the power at many points; what was lost, and what was left half done."""
    chance = random.Random(SEED)  # noqa: S311  # where it fails
    points = [chance.randrange(len(disk.journal)) for _ in range(cuts)]
    place = folder / "after"
    # One engine for all, since preparing its statements costs more than running them.
    engine = sa.create_engine(f"sqlite:///{place / NAME}", poolclass=sa.NullPool)
    lost, half = [], []
    for point, files in disk.cuts(points, chance):
        where = f"cut at {point} of {len(disk.journal)}, seed {SEED}"
        _lay(files, place)
        states, found = _recovered(engine)
        half += [f"{where}: {flaw}" for flaw in found]
        lost += [
            f"{where}: {id_} was {state}, is {states.get(id_)}"
            for id_, state in dict(disk.told(point)).items()
            if state not in _or_later(states.get(id_))
        ]
    return lost, half


def _or_later(state):
    """What an indicator in this state was before."""
    return {"withdrawn": ("live", "withdrawn"), "erased": ("live", "erased")}.get(state, (state,))


def _lay(files, place):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name, content in files.items():
        (place / name).write_bytes(content)


def _recovered(engine):
    try:
        with engine.connect() as connection:
            states = connection.execute(sa.select(tables.indicator.c.id, tables.indicator.c.state))
            return dict(map(tuple, states)), flaws(connection)
    except sa.exc.DatabaseError as error:
        return {}, [str(error.orig)]
