# SPDX-License-Identifier: Apache-2.0
"""``make demo`` tells its story to the end, and its exit status says how it went."""

import json
import subprocess
import sys


def test_every_step_of_the_demo_goes_as_it_should():
    done = subprocess.run(
        [sys.executable, "-m", "hub.demo", "--json"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    told = json.loads(done.stdout.splitlines()[-1])
    assert {step["name"]: step["ok"] for step in told["measures"]} == {
        "contribute": True,
        "match": True,
        "corroborate": True,
        "copy adds nothing": True,
        "withdraw": True,
        "killed and started": True,
        "Redis flushed and killed": True,
    }
    assert told["ok"] is True
    assert done.returncode == 0
