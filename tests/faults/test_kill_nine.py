# SPDX-License-Identifier: Apache-2.0
"""``kill -9`` of any process of a hub, while members write to it.

Nothing that was acknowledged may be lost, and nothing may be left half done. Kills happen under
load only: a crash of an idle hub finds nothing.
"""

import contextlib
import http.client
import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

import psutil
import pytest
import sqlalchemy as sa

from hub.storage import tables
from tests.faults.contributions import Pictures, contribution, question
from tests.faults.up import Up, sent
from tests.faults.wholeness import flaws
from tests.support.waiting import eventually

KILLS = int(os.environ.get("BREAKWATER_TEST_KILLS", "60"))
SEED = int(os.environ.get("BREAKWATER_TEST_SEED", str(random.SystemRandom().getrandbits(32))))
DECK = {"valkey": 18, "worker": 16, "answering": 14, "serve": 7, "supervisor": 5}
"""Of 60 kills, how many meet which process: few of those that keep it silent for seconds."""
RETRIED = frozenset({409, 429, 503})
"""What a member answers by trying again; anything else but success is a fault of the hub."""


@dataclass
class Writer:
    """A member that repeats each request under its name until it is acknowledged."""

    hub: Up
    number: int
    stop: threading.Event
    acknowledged: list[tuple[str, str, str, int]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    surprises: list[object] = field(default_factory=list)

    def run(self):
        pictures = Pictures(f"{SEED}-{self.number}")
        for turn in itertools.count():
            if self.stop.is_set():
                return
            self._contribute(turn, pictures.code())

    def _contribute(self, turn, code):
        name = f"writer-{self.number}-{turn}"
        body = contribution(code, self.hub.set)
        answer = self._insist("/v1/indicators", body, name)
        if answer is None:
            return
        told = json.loads(answer)
        self.acknowledged.append((name, code, told["id"], told["position"]))
        if turn % 5 == 0 and self._insist("/v1/indicators", body, name) not in (answer, None):
            self.surprises.append("a repeated request was answered otherwise")
        if turn % 7 == 0:
            path = f"/v1/indicators/{told['id']}/withdraw"
            if self._insist(path, {}, f"{name}-withdraw") is not None:
                self.withdrawn.append(told["id"])

    def _insist(self, path, body, name):
        line = None
        while not self.stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                line = line or http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=10)
                status, answer = sent(
                    line, "POST", path, body, key=self.hub.keys[self.number % 2], once=name
                )
                if status == http.HTTPStatus.CREATED:
                    line.close()
                    return answer
                if status not in RETRIED:
                    self.surprises.append((status, answer[:300]))
                    return None
            if line is not None:
                line.close()
                line = None
            self.stop.wait(0.05)
        return None


@pytest.fixture
def hub(tmp_path):
    with Up(tmp_path) as hub:
        yield hub.start()


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(hub):
    # Given three members that write without pause,
    stop = threading.Event()
    writers = [Writer(hub, number, stop) for number in range(3)]
    threads = [threading.Thread(target=writer.run, daemon=True) for writer in writers]
    for thread in threads:
        thread.start()

    # when one process after another is killed, each while acknowledgements come in,
    try:
        _kill_one_after_another(hub, writers)
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    # then everything that was acknowledged is found, and what was withdrawn is not,
    assert [surprise for writer in writers for surprise in writer.surprises] == []
    hub.tend()  # the last one killed may be the supervisor
    hub.until_ready()
    _assert_answers_are_right(hub, writers)

    # and after one last kill of everything the database is whole.
    hub.kill(psutil.Process(hub.process.pid))
    _assert_nothing_is_lost(hub.database, writers)


def _kill_one_after_another(hub, writers):
    chance = random.Random(SEED)  # noqa: S311  # which process is next
    deck = [role for role, share in DECK.items() for _ in range(share)]
    chance.shuffle(deck)
    for role in itertools.islice(itertools.cycle(deck), KILLS):
        before = sum(len(writer.acknowledged) for writer in writers)
        eventually(
            partial(_are_written, hub, writers, before + 3),
            lambda: f"no acknowledgements come any more: {hub.last_words()}",
        )
        time.sleep(chance.uniform(0, 0.05))
        process = chance.choice(
            eventually(partial(hub.named, role), partial("no {} lives".format, role))
        )
        with contextlib.suppress(psutil.NoSuchProcess):
            hub.kill(process)


def _are_written(hub, writers, count):
    hub.tend()
    return sum(len(writer.acknowledged) for writer in writers) >= count


def _assert_answers_are_right(hub, writers):
    known = [(code, id_) for writer in writers for _, code, id_, _ in writer.acknowledged]
    gone = {id_ for writer in writers for id_ in writer.withdrawn}
    last = max(position for writer in writers for *_, position in writer.acknowledged)
    for some in (known[start : start + 500] for start in range(0, len(known), 500)):
        told = eventually(partial(_sure, hub, some, last), hub.last_words)
        wrong = [
            (id_, answer["answer"])
            for (_, id_), answer in zip(some, told["answers"], strict=True)
            if answer["answer"] != ("none" if id_ in gone else "hit")
        ]
        assert wrong == []


def _sure(hub, known, position):
    """An answer that claims to be complete up to a position; None from who has just started."""
    codes = [code for code, _ in known]
    status, answer = hub.call("POST", "/v1/match", question(*codes), key=hub.keys[0])
    if status != http.HTTPStatus.OK:
        return None
    told = json.loads(answer)
    return told if told["complete"] and told["index"]["position"] >= position else None


def _assert_nothing_is_lost(database, writers):
    engine = sa.create_engine(f"sqlite:///{database}")
    indicator, change, once = tables.indicator, tables.change, tables.idempotency
    with engine.connect() as connection:
        assert flaws(connection) == []
        states = dict(map(tuple, connection.execute(sa.select(indicator.c.id, indicator.c.state))))
        positions = dict(
            map(
                tuple,
                connection.execute(
                    sa.select(indicator.c.id, change.c.position)
                    .join(change, change.c.subject == indicator.c.key)
                    .where(change.c.kind == "indicator", change.c.n == 1)
                ),
            )
        )
        names = Counter(connection.scalars(sa.select(once.c.name)))
    engine.dispose()
    acknowledged = [ack for writer in writers for ack in writer.acknowledged]
    assert {id_: position for _, _, id_, position in acknowledged}.items() <= positions.items()
    assert {id_ for w in writers for id_ in w.withdrawn} <= {
        id_ for id_, state in states.items() if state == "withdrawn"
    }
    # Each request was carried out once: what is there was asked for under a name of its own.
    contributed = [name for name in names if not name.endswith("-withdraw")]
    assert len(states) == len(contributed)
    assert set(names.values()) == {1}
