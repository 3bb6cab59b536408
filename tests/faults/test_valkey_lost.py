# SPDX-License-Identifier: Apache-2.0
"""Valkey is killed, flushed, emptied, set back or stopped under lookups: no answer is ever wrong.

What is known stays known, what is not stays unknown, what was contributed meanwhile is found as
soon as the answer claims its position, nobody is turned away, and nobody has to repair anything.
"""

import shutil
import tempfile
import threading
from pathlib import Path

import pytest

from hub import jobs
from matching.engine import Engine
from matching.errors import MatchingError
from matching.ports import EntryId
from tests.faults.contributions import Pictures, contribution, question
from tests.simulators.valkey import Valkey

KNOWN, UNKNOWN = 6, 6
LOOKUPS = 120
"""How many lookups go through a fault, one after another."""
MOST_LOOKUPS = 20_000
"""After so many lookups what should happen is taken to never happen."""


@pytest.fixture
def valkey():
    # Not below pytest's folder: a socket's path has at most 103 bytes.
    folder = Path(tempfile.mkdtemp(prefix="bw-valkey-"))
    server = Valkey(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def valkey_url(valkey):
    return valkey.url


@pytest.fixture
def databases(sqlite_databases):
    return sqlite_databases


@pytest.fixture
def town(house, valkey):
    """A hub whose loops run, with what is known and what is not."""
    house.hub.begin.announce = house.hub.doorbell.ring
    town = Town(house)
    # What "set back" sets back to: some of what is known came later.
    valkey.kill()
    valkey.copy("old")
    valkey.start()
    town.know(KNOWN // 2)
    stop = threading.Event()
    loops = threading.Thread(target=jobs.run, args=(house.hub, stop))
    loops.start()
    yield town
    stop.set()
    loops.join()


class Town:
    """A contributor, an asker, and the answers that are right."""

    def __init__(self, house):
        self.house = house
        self.pictures = Pictures(11)
        self.set = house.set("lures")
        self.giver = house.admit("harbour.example.com", sets=[self.set])
        self.asker = house.admit("lighthouse.example.com", sets=[self.set])
        self.known: dict[str, int] = {}
        self.unknown = [self.pictures.code() for _ in range(UNKNOWN)]
        self.know(KNOWN - KNOWN // 2)
        # One was withdrawn: it is unknown again.
        gone = next(iter(self.known))
        del self.known[gone]
        self.unknown.append(gone)
        first = self.giver.get("/v1/indicators").json["items"][0]["id"]
        answer = self.giver.post(f"/v1/indicators/{first}/withdraw", {})
        assert answer.status_code == 201, answer.json

    def know(self, count):
        """Contribute new pictures; remember from which position on they must be found."""
        for _ in range(count):
            code = self.pictures.code()
            answer = self.giver.post("/v1/indicators", contribution(code, self.set), settle=False)
            assert answer.status_code == 201, answer.json
            self.known[code] = answer.json["position"]

    def ask(self):
        """Ask about everything; every answer is right. Returns whether all known were found."""
        codes = [*self.known, *self.unknown]
        answer = self.asker.post("/v1/match", question(*codes), settle=False)
        assert answer.status_code == 200, answer.json
        told = answer.json
        found = True
        for code, one in zip(codes, told["answers"], strict=True):
            if self.known.get(code, told["index"]["position"] + 1) <= told["index"]["position"]:
                assert one["answer"] == "hit", (one, told["index"])
            elif code in self.known:
                # Contributed a moment ago: the answer's position says that it cannot know yet.
                assert one["answer"] in ("hit", "none", "unknown")
                found = False
            else:
                assert one["answer"] in (("none",) if told["complete"] else ("none", "unknown"))
        return found and told["complete"]

    def ask_until(self, happened):
        """Ask until something has happened; all answers on the way are right."""
        for _ in range(MOST_LOOKUPS):
            if self.ask() and happened():
                return
        raise AssertionError(f"never happened: {happened}")


def flushed(valkey):
    yield valkey.client.flushall()


def killed(valkey):
    yield valkey.kill()
    yield valkey.start()


def emptied(valkey):
    yield valkey.kill()
    valkey.swap(None)
    yield valkey.start()


def set_back(valkey):
    yield valkey.kill()
    valkey.swap("old")
    yield valkey.start()


def stopped(valkey):
    yield valkey.hang()
    yield valkey.go_on()


@pytest.mark.slow
@pytest.mark.parametrize("fault", [flushed, killed, emptied, set_back, stopped])
def test_no_answer_is_wrong_and_nobody_is_turned_away(town, valkey, fault):
    # Given a hub that answers, and whose shared copy is in step,
    town.ask_until(lambda: _in_step(town.house.hub))

    # when Valkey meets its fate under lookups, with contributions between them,
    for _ in fault(valkey):
        for number in range(LOOKUPS):
            if number % 20 == 0:
                town.know(1)
            town.ask()

    # then everything is found in the end, and the shared copy was made whole by nobody's hand,
    town.ask_until(lambda: _in_step(town.house.hub))

    # so that a process that starts from it alone holds what the truth holds.
    assert _loaded(town.house.hub).totals == town.house.hub.engine.totals


def _in_step(hub):
    """Whether the shared copy is of this history and as far as the truth."""
    head = hub.feed.head()
    try:
        pointer, last = hub.store.pointer(), hub.store.last()
    except MatchingError:
        return False
    return (
        pointer is not None
        and pointer.timeline == head.timeline
        and max(pointer.position, last.position if last else 0) == head.position
        and hub.engine.position == head.position
    )


def _loaded(hub):
    engine = Engine()
    pointer = hub.store.pointer()
    engine.load(hub.store.load(pointer))
    entries = hub.store.read(EntryId(pointer.position, 2**32), 1)
    engine.apply([entry.change for entry in entries if entry.change is not None])
    assert engine.controls_ok()
    return engine
