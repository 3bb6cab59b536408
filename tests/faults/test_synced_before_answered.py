# SPDX-License-Identifier: Apache-2.0
"""Before each 201 leaves, the log that holds what it acknowledges was synced to the disk.

Watched from outside, on a running hub: the order of its system calls. The power-cut simulator
shows that a sync is enough; this shows that it comes first.
"""

import os
import re
import shutil
import subprocess

import pytest

from tests.faults.contributions import Pictures, contribution
from tests.faults.up import Up
from tests.support.waiting import eventually

ACKNOWLEDGED = 50
CALLS = "trace=fdatasync,fsync,write,writev,sendto,sendmsg,pwrite64"
_BEGUN = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\((?P<rest>.*)$")
_RESUMED = re.compile(r"^(?P<thread>\d+) +<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)$")


@pytest.fixture
def tracer():
    found = shutil.which("strace")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("strace is missing: install it")
        pytest.skip("strace is missing: install it to see the order of system calls")
    return found


@pytest.fixture
def hub(tmp_path):
    with Up(tmp_path, BREAKWATER_WORKERS="1") as hub:
        yield hub.start()


@pytest.mark.slow
def test_each_acknowledgement_follows_the_sync_of_its_log(hub, tracer, tmp_path):
    # Given a hub whose answering process is watched,
    record = tmp_path / "calls"
    (answering,) = hub.named("answering")
    watching = subprocess.Popen(  # noqa: S603  # the tracer, watching our own process
        [tracer, "-f", "-y", "-s", "16", "-e", CALLS, "-o", record, "-p", str(answering.pid)],
        stderr=subprocess.PIPE,
    )
    with watching:
        assert watching.stderr is not None
        watching.stderr.readline()  # "attached"

        # when it acknowledges one contribution after another,
        pictures = Pictures(17)
        for number in range(ACKNOWLEDGED):
            body = contribution(pictures.code(), hub.set)
            status, answer = hub.call(
                "POST", "/v1/indicators", body, key=hub.keys[0], once=f"{number}", timeout=60
            )
            assert status == 201, answer
        eventually(lambda: _acknowledged(record) >= ACKNOWLEDGED, hub.last_words)
        watching.terminate()
        watching.stderr.read()

    # then before each one its log was written, and then synced.
    done = [step for step in map(_step, _finished(record)) if step]
    stories = "".join(done).split("A")[:ACKNOWLEDGED]
    assert len(stories) == ACKNOWLEDGED
    for story in stories:
        assert re.search(r"W+S+$", story), f"written and synced in this order: {stories}"


def _acknowledged(record):
    return record.read_text().count("HTTP/1.1 201") if record.exists() else 0


def _finished(record):
    """Each call when it ended, but an answer when it began to leave."""
    begun: dict[str, str] = {}
    for line in record.read_text().splitlines():
        if resumed := _RESUMED.match(line):
            yield begun.pop(resumed["thread"], "") + resumed["rest"]
        elif call := _BEGUN.match(line):
            text = f"{call['call']}({call['rest']}"
            if text.endswith("<unfinished ...>") and "HTTP/1.1" not in text:
                begun[call["thread"]] = text.removesuffix("<unfinished ...>")
            else:
                yield text


def _step(call):
    """W: the log was written, S: it was synced, A: an acknowledgement left; else nothing."""
    if call.startswith("pwrite64(") and "hub.db-wal>" in call:
        return "W"
    if call.startswith(("fdatasync(", "fsync(")) and "hub.db-wal>" in call:
        return "S" if call.endswith("= 0") else ""
    return "A" if '"HTTP/1.1 201' in call else ""
