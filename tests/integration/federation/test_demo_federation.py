# SPDX-License-Identifier: Apache-2.0
"""``make demo-federation`` tells its story to the end, and leaves nothing running behind it."""

import json
import signal
import subprocess
import sys

import psutil
import pytest

from tests.support.processes import gone
from tests.support.waiting import eventually

STEPS = [
    "pair",
    "match across hubs",
    "corroborate",
    "dispute",
    "withdraw",
    "cut off",
    "equal state",
    "two histories",
]
DEMO = [sys.executable, "-m", "hub.demo.federation", "--json"]


def test_every_step_of_the_demo_goes_as_it_should():
    done = subprocess.run(  # noqa: S603 - our own program
        DEMO, capture_output=True, text=True, timeout=600, check=False
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert {step["name"]: step["ok"] for step in told["measures"]} == dict.fromkeys(STEPS, True)
    assert told["ok"] is True


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_leaves_no_process(sign):
    with subprocess.Popen(  # noqa: S603 - our own program
        DEMO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as demo:
        parent = psutil.Process(demo.pid)
        eventually(lambda: len(parent.children(recursive=True)) > 2)
        below = parent.children(recursive=True)

        demo.send_signal(sign)
        demo.wait(60)

    assert demo.returncode != 0
    assert all(gone(process) for process in below)
