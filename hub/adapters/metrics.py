# SPDX-License-Identifier: Apache-2.0
"""What the hub counts and measures, for Prometheus.

Several processes serve one hub. Where ``PROMETHEUS_MULTIPROC_DIR`` names a folder, each keeps its
figures in files there, and whichever answers ``/metrics`` adds them up. The variable must be set
before this module is imported: the library looks at it then.

A label is a route's template, a status, a signal, the name of a job: never an id of a member, and
never anything that somebody sent.
"""

import functools
import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    multiprocess,
    start_wsgi_server,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
RETRY_SECONDS = 5.0
QUICK = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30)
"""Bounds in seconds of what should take milliseconds."""
TO_MATCH = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 15, 60)
"""Bounds in seconds of the time from a commit to a process that finds it."""

_Across = Literal["livemin", "livemax", "livemostrecent"]
"""How the figures of several living processes become one."""


class Metrics:
    """The hub's figures; one object a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # To find a label's figures costs as much as to change them.
        self._of_requests = functools.cache(self._requests_labelled)
        self._of_codes = functools.cache(self._codes_labelled)
        self._count_requests()
        self._measure_matches()
        self._watch_index()
        self._watch_jobs()
        self._watch_partners()

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request, by its route's template."""
        count, observe = self._of_requests(route, method, status)
        count.inc()
        observe(seconds)

    def match(self, codes: Mapping[str, int], seconds: float) -> None:
        """Count the codes of one match request by signal, and the time its search took."""
        for signal, count in codes.items():
            self._of_codes(signal).inc(count)
        self._match_seconds.observe(seconds)

    def change_applied(self, seconds: float) -> None:
        """Measure one change: from its commit until this process would find it."""
        self._time_to_match.observe(max(0.0, seconds))

    def index(self, rows: Mapping[str, int], position: int, lag_seconds: float) -> None:
        """Say what this process's engine holds and how far behind SQL it is."""
        for signal, count in rows.items():
            self._rows.labels(signal).set(count)
        self._position.set(position)
        self._lag.set(lag_seconds)

    def relayed(self, position: int) -> None:
        """Say up to which position the stream in Redis goes."""
        self._relayed.set(position)

    def linked(self, behind: int, seconds: float) -> None:
        """Say how far the links between neighbours are behind, in positions and seconds."""
        self._links_behind.set(behind)
        self._links_lag.set(seconds)

    def probed(self, seconds: float | None) -> None:
        """Count one probe: the seconds until its control was found, or None if it was not."""
        self._probes.labels("found" if seconds is not None else "missed").inc()
        if seconds is not None:
            self._probe_seconds.observe(seconds)

    def partner(
        self,
        hub: str,
        *,
        behind: int,
        alive_seconds: float | None,
        weight: Mapping[str, bool],
        witnessed: bool,
        failing: bool,
    ) -> None:
        """Say how a partner is: how far we are behind, how old its last sign of life, its word."""
        self._partner_witnessed.labels(hub).set(witnessed)
        self._partner_failing.labels(hub).set(failing)
        self._partner_behind.labels(hub).set(behind)
        # Who never said so is no fresher than anybody: an alarm above a limit must ring.
        self._partner_alive.labels(hub).set(math.inf if alive_seconds is None else alive_seconds)
        for name, holds in weight.items():
            self._partner_weight.labels(hub, name).set(holds)

    def redis(self, *, reachable: bool) -> None:
        """Say whether Redis answers."""
        self._redis_up.set(1 if reachable else 0)

    def checkpoint(self, *, whole: bool) -> None:
        """Say whether Redis holds a whole checkpoint, for processes that start."""
        self._checkpoint.set(1 if whole else 0)

    def job(self, name: str, *, failed: bool) -> None:
        """Count one round of a job of the worker."""
        self._rounds.labels(name, "failed" if failed else "done").inc()

    def _requests_labelled(
        self, route: str, method: str, status: int
    ) -> tuple[Counter, Callable[[float], None]]:
        counted = self._requests.labels(route, method, str(status))
        return counted, self._request_seconds.labels(route).observe

    def _codes_labelled(self, signal: str) -> Counter:
        return self._codes.labels(signal)

    def _count_requests(self) -> None:
        self._requests = Counter(
            "breakwater_requests",
            "Requests answered",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "breakwater_request_seconds",
            "Time to answer a request",
            ["route"],
            buckets=QUICK,
            registry=self.registry,
        )

    def _measure_matches(self) -> None:
        self._codes = Counter(
            "breakwater_codes_matched", "Codes looked up", ["signal"], registry=self.registry
        )
        self._match_seconds = Histogram(
            "breakwater_match_seconds",
            "Time to search for the codes of one request",
            buckets=QUICK,
            registry=self.registry,
        )
        self._time_to_match = Histogram(
            "breakwater_time_to_match_seconds",
            "Time from a commit until a process finds it",
            buckets=TO_MATCH,
            registry=self.registry,
        )

    def _watch_index(self) -> None:
        self._rows = self._gauge("index_rows", "Live rows of the engine", "livemin", ["signal"])
        self._position = self._gauge("index_position", "Last position applied", "livemin")
        self._lag = self._gauge(
            "index_lag_seconds", "How far the slowest process is behind", "livemax"
        )
        self._relayed = self._gauge(
            "relay_position", "Last position in the stream", "livemostrecent"
        )
        self._redis_up = self._gauge("redis_up", "Whether Redis answers", "livemostrecent")
        self._checkpoint = self._gauge(
            "checkpoint_whole", "Whether Redis holds a whole checkpoint", "livemostrecent"
        )

    def _watch_partners(self) -> None:
        self._partner_behind = self._gauge(
            "partner_behind",
            "Entries of a partner's log that are known and not applied",
            "livemostrecent",
            ["partner"],
        )
        self._partner_alive = self._gauge(
            "partner_alive_seconds",
            "How long ago a partner said that it is alive",
            "livemostrecent",
            ["partner"],
        )
        self._partner_witnessed = self._gauge(
            "partner_witnessed",
            "Whether a third hub saw a partner's log within a day",
            "livemostrecent",
            ["partner"],
        )
        self._partner_failing = self._gauge(
            "partner_failing",
            "Whether following a partner failed when it was tried last",
            "livemostrecent",
            ["partner"],
        )
        self._partner_weight = self._gauge(
            "partner_weight",
            "What a partner's word weighs: 1 at the one that holds",
            "livemostrecent",
            ["partner", "weight"],
        )

    def _watch_jobs(self) -> None:
        self._links_behind = self._gauge(
            "links_behind", "Positions without links", "livemostrecent"
        )
        self._links_lag = self._gauge("links_lag_seconds", "Age of the oldest", "livemostrecent")
        self._rounds = Counter(
            "breakwater_job_rounds",
            "Rounds of the worker's jobs",
            ["job", "outcome"],
            registry=self.registry,
        )
        self._probes = Counter(
            "breakwater_probes",
            "Controls toggled and looked for",
            ["outcome"],
            registry=self.registry,
        )
        self._probe_seconds = Histogram(
            "breakwater_probe_seconds",
            "Time from toggling a control until it is found",
            buckets=TO_MATCH,
            registry=self.registry,
        )

    def _gauge(self, name: str, text: str, across: _Across, labels: Iterable[str] = ()) -> Gauge:
        return Gauge(
            f"breakwater_{name}",
            text,
            tuple(labels),
            registry=self.registry,
            multiprocess_mode=across,
        )


class Together(Collector):
    """The figures of all processes of the hub, from the files they share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = multiprocess.MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]  # the library's

    def collect(self) -> Iterable[Metric]:
        """Read the files and add them up."""
        for file in self._folder.glob("gauge_live*.db"):
            if not _lives(int(file.stem.rpartition("_")[2])):
                # What a dead process last said of its index must not be taken for news.
                file.unlink(missing_ok=True)
        found: Iterable[Metric] = self._files.collect()  # type: ignore[no-untyped-call]  # same
        return found


def expose(host: str, port: int, stop: threading.Event) -> threading.Thread:
    """Answer ``/metrics`` on an address of its own until *stop* is set.

    Every process of the hub may try: one of them gets the address and answers for all that share
    the folder; should it end, another takes over within seconds.
    """
    figures = Together(Path(os.environ[FOLDER]))
    thread = threading.Thread(
        target=_expose, args=(figures, host, port, stop), name="metrics", daemon=True
    )
    thread.start()
    return thread


def _expose(figures: Collector, host: str, port: int, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            server, serving = start_wsgi_server(port, host, figures)
        except OSError:
            stop.wait(RETRY_SECONDS)
            continue
        stop.wait()
        server.shutdown()
        server.server_close()
        serving.join()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
