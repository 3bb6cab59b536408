# SPDX-License-Identifier: Apache-2.0
"""The two processes that do the work: granian with the API, and the jobs."""

import gc
import importlib
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.adapters.embedded import runtime_folder
from hub.adapters.processes import end_with_parent
from hub.cli.places import numba_folder
from hub.settings import Settings

TARGET = "hub.wsgi:create"
CONNECTIONS = 1024
"""How many callers may be connected to one process."""
LAST_WORDS = 5
"""Seconds that a process has for the requests it is answering when it is asked to end."""
HEADERS_WITHIN = 10_000
"""Milliseconds within which a request's headers must have come."""
YOUNG = 10_000
"""Values that are made before it is looked which of them nobody holds any more."""
TURN_SECONDS = 0.0005
"""For which a thread of the worker goes on while another waits: a tenth of Python's own."""
LOGGING = {
    "filters": {"events": {"()": "hub.cli.serving.Events"}},
    "formatters": {"json": {"()": "hub.adapters.logs.formatter"}},
    "handlers": {
        "lines": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["events"]}
    },
    "loggers": {
        "_granian": {"handlers": ["lines"], "propagate": False},
        # Its lines would hold paths and addresses; the hub writes its own, without.
        "granian.access": {"handlers": [], "propagate": False},
    },
}
"""How granian's own messages are written: as JSON lines, redacted like ours."""


class Events(logging.Filter):
    """Lets what happens through, and leaves out granian's advice on how it was configured."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the message."""
        return record.funcName != "serve"


def serve_requests(settings: Settings, target: str = TARGET) -> None:
    """Answer requests until a signal ends it."""
    settle(settings)
    # Once, before granian forks: its processes share what is loaded, in time and in memory.
    with unswept():
        importlib.import_module(target.partition(":")[0])
    # Imported late, because only this process needs it.
    from granian import Granian  # noqa: PLC0415  # as the line above says
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415  # same
    from granian.http import HTTP1Settings  # noqa: PLC0415  # same
    from granian.log import LogLevels  # noqa: PLC0415  # same

    Granian(
        target,
        address=settings.listen.host,
        port=settings.listen.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        # granian counts connections, idle ones too: a small number would lock callers out.
        backpressure=CONNECTIONS,
        backlog=CONNECTIONS,
        # HTTP/2 is for a proxy to speak, which this is meant to stand behind.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_WITHIN, keep_alive=True),
        websockets=False,
        # What it tells as news at each start is of use only to who looks for a fault.
        log_level=LogLevels(settings.log_level if settings.log_level != "info" else "warning"),
        log_dictconfig=LOGGING,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=LAST_WORDS,
    ).serve(target_loader=load)


def load(target: str) -> Callable[..., Any]:
    """Make the application, in the process that will serve it."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        # granian leaves its processes answering when it is killed.
        end_with_parent(parent.pid)
    module, _, name = target.partition(":")
    application: Callable[..., Any] = getattr(importlib.import_module(module), name)()
    return application


def run_jobs(settings: Settings, stop: threading.Event) -> None:
    """Run the background jobs until *stop* is set."""
    settle(settings)
    with unswept():
        from hub import jobs  # noqa: PLC0415  # after the caches' places are set
        from hub.adapters import logs, metrics  # noqa: PLC0415  # same
        from hub.wiring import assemble  # noqa: PLC0415  # same

    # What carries a change to where it is found waits for the disk and for Redis dozens of times,
    # and after each of them for whoever computes: a page from a partner is much of that.
    sys.setswitchinterval(TURN_SECONDS)
    logs.configure(settings.log_level)
    hub = assemble(settings)
    if settings.metrics_listen is not None:
        address = settings.metrics_listen
        metrics.expose(address.host, address.port, stop)
    jobs.run(hub, stop)


@contextmanager
def unswept() -> Iterator[None]:
    """Import in peace: nothing of it is garbage, and looking for some takes a fifth of the time.

    What was loaded is then left alone for good, so that processes go on sharing its memory.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        # A page from a partner is tens of thousands of values that all go again by themselves: by
        # default they would be gone through dozens of times.
        gc.set_threshold(YOUNG)


def metrics_folder(settings: Settings) -> Path:
    """Where the processes of this hub keep their figures; short-lived, and never on a network."""
    return runtime_folder(settings.data) / "metrics"


def settle(settings: Settings) -> None:
    """Say where this process and its children keep what they share with others.

    Before anything else is imported: the libraries read these variables once, at their import.
    """
    os.umask(0o077)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_folder(settings.data)))
    if settings.metrics_listen is not None:
        folder = metrics_folder(settings)
        folder.mkdir(mode=0o700, exist_ok=True)
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder))
