# SPDX-License-Identifier: Apache-2.0
"""A small application behind the real gate, to ask the gate alone."""

from types import SimpleNamespace

import pytest
from flask import Flask

from hub.api import errors
from hub.domain.sharing import Asker
from hub.web import EXTENSION
from hub.web.answers import OrjsonProvider
from hub.web.direct import answered_directly
from hub.web.gate import Gate, entered
from hub.web.headers import with_headers
from hub.web.limits import Buckets
from hub.web.observing import closing
from hub.web.policy import policies

ASKER = Asker(
    key=3,
    member=2,
    member_id="mem_" + "a" * 26,
    operator=1,
    operator_kind="platform",
    sandbox=False,
    scopes=frozenset({"match"}),
    grants={},
)


class FakeDirectory:
    """Knows one key."""

    def asker(self, authorization):
        return ASKER if authorization == "Bearer good" else None


class FakeMetrics:
    """Remembers what was counted."""

    def __init__(self):
        self.requests = []

    def request(self, route, method, status, seconds):
        assert seconds >= 0
        self.requests.append((route, method, status))


class Clock:
    """Time that passes when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def hub():
    return SimpleNamespace(
        directory=FakeDirectory(),
        metrics=FakeMetrics(),
        secrets=SimpleNamespace(pepper=b"p" * 32),
        monotonic=Clock(),
    )


@pytest.fixture
def serve(hub):
    """Serve views, given as (path, method, view), and return a client."""

    def served(*views, rate=1000.0, burst=1000.0, direct=()):
        app = Flask("hub", static_folder=None)
        app.extensions[EXTENSION] = hub
        app.json = OrjsonProvider(app)
        app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
        errors.register(app)
        for path, method, view in views:
            app.add_url_rule(path, view.__name__, view, methods=[method])
        gate = Gate(hub, Buckets(rate, burst, hub.monotonic))
        app.before_request(entered(gate, policies(app)))
        app.after_request(closing(hub))
        answered = answered_directly(app.wsgi_app, direct, gate=gate, hub=hub)
        app.wsgi_app = with_headers(answered)  # type: ignore[method-assign,assignment]  # as Flask documents
        return app.test_client()

    return served
