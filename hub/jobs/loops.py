# SPDX-License-Identifier: Apache-2.0
"""The loops themselves; each runs until it is told to stop, or fails and is begun again."""

import os
import threading
import time

from hub.domain.changes import SYSTEM
from hub.ports import Hub
from hub.services import exclusions, neighbours as neighbouring, ripening, upkeep
from hub.services.exchange.forgetting import forget as forget_said
from hub.services.exchange.holding import end_held
from hub.services.probing import Prober
from hub.services.relay import Relay
from matching.errors import UnavailableError

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
LOOK = 0.25
"""Seconds after which the relay looks by itself, rung or not."""
SETTLE = 1.0
MINUTE, HOUR = 60.0, 3600.0
LOWEST = 19
"""Of a thread: it runs where nobody else wants to."""


def catch_up(hub: Hub) -> None:
    """Before anything else: what was erased stays erased, whatever was restored."""
    upkeep.erase_listed(hub.erasures.all(), actor=SYSTEM, hub=hub)


def follow(hub: Hub, stop: threading.Event) -> None:
    """Keep this process's engine and directory true."""
    hub.follower.run(stop)


def fold(hub: Hub, stop: threading.Event) -> None:
    """Make the next base for all processes of this machine, whenever it is time."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
    while not stop.wait(LOOK):
        if hub.engine.is_due:
            hub.engine.fold()


def fold_late(hub: Hub, stop: threading.Event) -> None:
    """Do the same where no worker has done it for a minute."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
    due_since = time.monotonic()
    while not stop.wait(SETTLE):
        if not hub.engine.is_due:
            due_since = time.monotonic()
        elif time.monotonic() - due_since > MINUTE:
            hub.engine.fold()


def relay(hub: Hub, stop: threading.Event) -> None:
    """Carry changes into the shared copy, and beat."""
    carrier = Relay(hub.feed, hub.store)
    while not stop.is_set():
        hub.doorbell.wait(LOOK)
        try:
            carrier.step(time.monotonic())
            hub.metrics.redis(reachable=True)
            hub.metrics.relayed(carrier.position)
        except UnavailableError:
            hub.metrics.redis(reachable=False)
            stop.wait(LOOK)


def tend(hub: Hub, stop: threading.Event) -> None:
    """Keep the checkpoint in the shared copy whole and young, beside the relay: it takes long."""
    keeper = Relay(hub.feed, hub.store)
    while not stop.wait(SETTLE):
        try:
            hub.metrics.checkpoint(whole=keeper.tend())
        except UnavailableError:
            hub.metrics.checkpoint(whole=False)


def neighbours(hub: Hub, stop: threading.Event) -> None:
    """Link neighbours as positions arrive."""
    while not stop.is_set():
        handled = neighbouring.link_neighbours(hub)
        hub.metrics.linked(*neighbouring.backlog(hub))
        if not handled:
            hub.follower.wait_for(hub.engine.position + 1, 1.0)


def ripen(hub: Hub, stop: threading.Event) -> None:
    """Tell followers of votes that have begun to count."""
    while not stop.is_set():
        if not ripening.tell_ripe(hub):
            stop.wait(SETTLE)


def watch(hub: Hub, stop: threading.Event) -> None:
    """Look, each second, whether anybody feels along a boundary."""
    while not stop.wait(SETTLE):
        hub.walks.look()


def settle(hub: Hub, stop: threading.Event) -> None:
    """Settle hits and budgets with SQL each second, and once more at the end."""
    while not stop.wait(SETTLE):
        hub.ledger.flush()
        hub.ledger.recover()
    hub.ledger.flush()


def expire(hub: Hub, stop: threading.Event) -> None:
    """End indicators and exclusions whose time is over, each minute."""
    while not stop.is_set():
        while upkeep.expire_due(hub) or end_held(hub) or exclusions.end_over(hub):
            pass
        stop.wait(MINUTE)


def forget(hub: Hub, stop: threading.Event) -> None:
    """Delete what is too old to matter, each hour."""
    while not stop.is_set():
        upkeep.forget_old(hub)
        while forget_said(hub):
            pass
        stop.wait(HOUR)


def probe(hub: Hub, stop: threading.Event) -> None:
    """Prove each minute that what is written is found, and what is taken back is not."""
    prober = Prober(hub)
    while not stop.wait(MINUTE):
        hub.metrics.probed(prober.probe(time.monotonic))


def show(hub: Hub, stop: threading.Event) -> None:
    """Show each second what this process's engine holds and how far behind it is."""
    while not stop.wait(SETTLE):
        freshness = hub.follower.freshness()
        rows = {signal: total.count for signal, total in hub.engine.totals.items()}
        hub.metrics.index(rows, freshness.position, (freshness.lag_ms or 0) / 1000)
