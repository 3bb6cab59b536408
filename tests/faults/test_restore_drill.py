# SPDX-License-Identifier: Apache-2.0
"""The drill: a backup is put back, and nobody takes the new history for the old one.

What was erased since stays erased, cursors of the old history are refused, and an old shared copy,
which knows more than the restored truth, answers nothing.
"""

import subprocess
import sys

import pytest

from hub.domain.changes import SYSTEM
from hub.services import upkeep
from matching.ports import EntryId
from tests.faults.contributions import Pictures, contribution, question
from tests.faults.up import NUMBA, ROOT
from tests.faults.wholeness import flaws


@pytest.fixture
def databases(sqlite_databases):
    return sqlite_databases


@pytest.fixture
def restored(house, tmp_path):
    """A hub that was restored, beside the shared copy of the hub it was."""
    town = Town(house)
    _breakwater(tmp_path, "backup", tmp_path / "copy")
    town.go_on()
    house.relay.checkpoint()
    house.close()
    _breakwater(tmp_path, "restore", tmp_path / "copy", "--force")
    return town


class Town:
    """What was known when the backup was made, and what happened after it."""

    def __init__(self, house):
        self.house = house
        self.pictures = Pictures(13)
        self.set = house.set("lures")
        self.giver = house.admit("harbour.example.com", sets=[self.set])
        self.asker = house.admit("lighthouse.example.com", sets=[self.set])
        self.kept, self.kept_id = self._known()
        self.erased, self.erased_id = self._known()
        self.cursor = self.asker.get("/v1/changes").json["cursor"]

    def go_on(self):
        """Live on after the backup."""
        upkeep.erase(self.erased_id, actor=SYSTEM, hub=self.house.hub)
        self.forgotten = [self._known()[0] for _ in range(3)]
        self.cursor_after = self.asker.get("/v1/changes").json["cursor"]
        self.timeline = self.house.hub.feed.head().timeline
        self.position = self.house.hub.feed.head().position

    def _known(self):
        code = self.pictures.code()
        answer = self.giver.post("/v1/indicators", contribution(code, self.set))
        assert answer.status_code == 201, answer.json
        return code, answer.json["id"]


def _breakwater(folder, *words):
    environment = {
        "BREAKWATER_DATA": str(folder),
        "NUMBA_CACHE_DIR": str(NUMBA),
        "PYTHONPATH": str(ROOT),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-m", "hub.cli", *map(str, words)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_old_answers_of_the_shared_copy_are_refused(restored, house, without_relay):
    # Given the restored truth and a shared copy that is ahead of it, with no relay to mend it,
    hub, ask = without_relay
    pointer = house.hub.store.pointer()
    assert (pointer.timeline, pointer.position) == (restored.timeline, restored.position)

    # when a process starts,
    _follow(hub)

    # then it answers from the truth alone.
    answers = ask(restored.kept, restored.erased, *restored.forgotten)
    assert answers == ["hit", "none", "none", "none", "none"]
    assert hub.engine.timeline == hub.feed.head().timeline != restored.timeline


def test_a_restored_hub_goes_on_as_a_new_history(restored, open_house):
    # Given a restored hub with its relay,
    after = open_house()
    giver, asker = after.caller(restored.giver.secret), after.caller(restored.asker.secret)
    timeline = after.hub.feed.head().timeline

    # then it is whole, and what was erased after the backup is erased again,
    with after.database.reader.connect() as connection, connection.begin():
        assert flaws(connection) == []
        states = dict(map(tuple, connection.exec_driver_sql("SELECT id, state FROM indicator")))
    assert states == {restored.kept_id: "live", restored.erased_id: "erased"}
    assert giver.get(f"/v1/indicators/{restored.erased_id}").status_code == 404

    # cursors of the old history are refused,
    for old in (restored.cursor, restored.cursor_after):
        answer = asker.get("/v1/changes", query_string={"cursor": old})
        assert answer.status_code == 410, answer.json

    # and when positions are taken a second time,
    code = restored.pictures.code()
    answer = giver.post("/v1/indicators", contribution(code, restored.set))
    assert answer.json["position"] <= restored.position

    # the shared copy is of the new history alone, and so are the answers.
    assert after.hub.store.pointer().timeline == timeline
    entries = after.hub.store.read(EntryId(0, 0), 1)
    assert {entry.timeline for entry in entries} == {timeline}
    told = asker.post("/v1/match", question(code, restored.kept, *restored.forgotten)).json
    assert [one["answer"] for one in told["answers"]] == ["hit", "hit", "none", "none", "none"]
    assert told["index"]["timeline"] == timeline


@pytest.fixture
def without_relay(restored, open_house, monkeypatch):
    """A process of the restored hub that has done nothing yet, and a way to ask it."""
    monkeypatch.setattr("tests.support.house.House.settle", lambda _house: None)
    after = open_house()

    def ask(*codes):
        told = after.caller(restored.asker.secret).post("/v1/match", question(*codes)).json
        assert told["complete"]
        return [one["answer"] for one in told["answers"]]

    return after.hub, ask


def _follow(hub):
    for _ in range(1_000):
        hub.follower.step(0)
        if hub.follower.freshness().complete:
            return
    raise AssertionError(f"it is never complete: {hub.follower.freshness()}")
