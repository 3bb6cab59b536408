# SPDX-License-Identifier: Apache-2.0
"""A process that is started anew beside another is asked nothing until it knows everything."""

import contextlib
import http.client
import json
import time

import pytest

from tests.faults.up import Up
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.services]
KILLED = 4
LOOKED = 2.0
"""Seconds after each: longer than it takes to start."""


@pytest.fixture
def hub(tmp_path):
    with Up(tmp_path) as hub:
        hub.start()
        eventually(lambda: len(hub.named("answering")) == 2)
        time.sleep(LOOKED)
        yield hub


def test_every_answer_is_complete_while_processes_are_started_anew(hub):
    answers = []
    for _ in range(KILLED):
        hub.kill(hub.named("answering")[0])
        until = time.monotonic() + LOOKED
        while time.monotonic() < until:
            # Whoever was connected to the killed one gets nothing.
            with contextlib.suppress(OSError, http.client.HTTPException):
                answers.append(hub.call("GET", "/v1/status", key=hub.keys[1]))
        eventually(lambda: len(hub.named("answering")) == 2)

    assert len(answers) > KILLED
    assert [answer for status, answer in answers if status != 200] == []
    assert all(json.loads(answer)["complete"] for _, answer in answers)
