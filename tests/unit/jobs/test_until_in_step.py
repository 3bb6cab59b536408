# SPDX-License-Identifier: Apache-2.0
"""A process serves when its follower is in step, or when it has waited long enough."""

import threading
import time

from hub import jobs
from matching.freshness import Evidence

LONG = 60.0


class Follower:
    """A follower's evidence, which a test gives."""

    timeline, position = "t", 7

    def __init__(self):
        self.evidence = Evidence(self, time.monotonic)
        self.freshness = self.evidence.freshness

    def wait_for(self, position, timeout):
        """Not asked."""

    def release(self):
        """Not asked."""

    def run(self, stop):
        """Not asked."""


def test_it_waits_until_the_truth_was_asked():
    follower = Follower()
    told = []
    waiting = threading.Thread(target=lambda: told.append(jobs.until_in_step(follower, LONG)))
    waiting.start()

    follower.evidence.loaded(None)
    waiting.join(0.2)
    assert waiting.is_alive()

    follower.evidence.head(7, time.monotonic())
    waiting.join(LONG)
    assert told == [True]


def test_it_gives_up():
    assert jobs.until_in_step(Follower(), 0.05) is False
