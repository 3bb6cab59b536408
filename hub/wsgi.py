# SPDX-License-Identifier: Apache-2.0
"""What the server loads in each of its processes: ``hub.wsgi:create``.

Loading this file loads everything and starts nothing, so that it may be loaded before the fork.
"""

import os
import threading

from flask import Flask

from hub import jobs
from hub.adapters import logs, metrics
from hub.adapters.processes import when_asked_to_end
from hub.app import create_app
from hub.settings import Settings
from hub.wiring import assemble

LOADED_WITHIN = 5.0
"""Seconds that callers may wait at the door of a process that is still loading."""


def create() -> Flask:
    """Make the application of this process; called once, before it answers anything."""
    settings = Settings.read(os.environ)
    logs.configure(settings.log_level)
    hub = assemble(settings)
    jobs.attend(hub)
    when_asked_to_end(hub.waiting.end)
    if settings.metrics_listen is not None:
        address = settings.metrics_listen
        metrics.expose(address.host, address.port, threading.Event())
    application = create_app(settings, hub)
    # Last: it has been loading all the while.
    jobs.until_in_step(hub.follower, LOADED_WITHIN)
    return application
