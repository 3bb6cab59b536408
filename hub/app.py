# SPDX-License-Identifier: Apache-2.0
"""The Flask application: routes, the gate before them, the headers behind them."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from hub.api import docs, routes
from hub.ports import Hub
from hub.settings import Settings
from hub.web import EXTENSION
from hub.web.answers import OrjsonProvider
from hub.web.direct import answered_directly
from hub.web.gate import Gate, entered
from hub.web.headers import with_headers
from hub.web.limits import Buckets
from hub.web.observing import closing
from hub.web.policy import Policy, policies

BURST_SECONDS = 2


class _Application(Flask):
    """Flask without coroutines, which it would look for in each function of each request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings, hub: Hub) -> Flask:
    """Make the application that serves *hub*.

    Raises:
        NoPolicyError: A route does not say who may use it.
    """
    app, known = _routed()
    app.extensions[EXTENSION] = hub
    rate = settings.requests_per_second
    gate = Gate(hub, Buckets(rate, rate * BURST_SECONDS, time.monotonic))
    app.before_request(entered(gate, known))
    app.after_request(closing(hub))
    direct = routes.direct(app, known)
    app.wsgi_app = with_headers(answered_directly(app.wsgi_app, direct, gate=gate, hub=hub))  # type: ignore[method-assign,assignment]  # as Flask documents
    return app


def openapi() -> bytes:
    """The OpenAPI document of this version, which needs no hub to be written."""
    app, _ = _routed()
    document: bytes = app.extensions[docs.EXTENSION]
    return document


def _routed() -> tuple[Flask, Mapping[tuple[str, str], Policy]]:
    """The application with its routes, and the policy of each."""
    app = _Application("hub", static_folder=None)
    app.json = OrjsonProvider(app)
    # No CORS and no redirects: what is not an address of ours is not found.
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    made = routes.add_routes(app)
    known = policies(app)
    routes.describe(app, made, known)
    return app, known
