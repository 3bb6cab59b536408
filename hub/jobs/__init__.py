# SPDX-License-Identifier: Apache-2.0
"""Loops that keep the hub true: a worker runs all of them, a process that answers only its own.

Each loop calls one service, holds its cursor in SQL, and outlives every error: it is logged by its
type, counted, and tried again.
"""

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from hub.jobs import exchange, loops
from hub.ports import Hub
from hub.ports.memory import FollowerPort

log = structlog.get_logger(__name__)

LOOK = 0.01
"""Seconds between two looks at a follower that is about to be in step."""

Loop = tuple[str, Callable[[Hub, threading.Event], None]]

WORKER: Sequence[Loop] = (
    ("follower", loops.follow),
    ("folding", loops.fold),
    ("relay", loops.relay),
    ("checkpoint", loops.tend),
    ("neighbours", loops.neighbours),
    ("ripening", loops.ripen),
    ("ledger", loops.settle),
    ("expiry", loops.expire),
    ("prober", loops.probe),
    ("forgetting", loops.forget),
    ("figures", loops.show),
    ("publishing", exchange.publish),
    ("witnessing", exchange.be_witnessed),
    ("comparing", exchange.compare_views),
    ("identity", exchange.be_known),
    ("partners", exchange.follow_partners),
)
ANSWERING: Sequence[Loop] = (
    ("follower", loops.follow),
    ("folding", loops.fold_late),
    ("ledger", loops.settle),
    ("walks", loops.watch),
    ("figures", loops.show),
)


def run(hub: Hub, stop: threading.Event) -> None:
    """Run the worker's loops until *stop* is set."""
    loops.catch_up(hub)
    threads = [_started(name, loop, hub, stop) for name, loop in WORKER]
    stop.wait()
    for thread in threads:
        thread.join(timeout=5)


def attend(hub: Hub) -> None:
    """Start what a process that answers requests needs, in the background."""
    stop = threading.Event()
    for name, loop in ANSWERING:
        _started(name, loop, hub, stop)


def until_in_step(follower: FollowerPort, within: float) -> bool:
    """Wait until a follower is known to hold everything; whether it came to that.

    A process that has just begun says "unknown" where others say what they know, and would be
    asked as often as they are.

    Args:
        follower: which runs already.
        within: seconds after which the process serves nevertheless: it may be the only one, and
            what is amiss may last.
    """
    deadline = time.monotonic() + within
    while not (in_step := follower.freshness().complete) and time.monotonic() < deadline:
        time.sleep(LOOK)
    return in_step


def _started(
    name: str, loop: Callable[[Hub, threading.Event], None], hub: Hub, stop: threading.Event
) -> threading.Thread:
    def forever() -> None:
        pause = loops.FIRST_PAUSE
        while not stop.is_set():
            try:
                loop(hub, stop)
            except Exception as error:  # noqa: BLE001 - a loop outlives whatever it meets
                log.warning("loop_failed", loop=name, error=type(error).__name__)
                hub.metrics.job(name, failed=True)
                stop.wait(pause)
                pause = min(2 * pause, loops.LONGEST_PAUSE)

    thread = threading.Thread(target=forever, name=name, daemon=True)
    thread.start()
    return thread
