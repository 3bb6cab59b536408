# SPDX-License-Identifier: Apache-2.0
"""Routes that are answered without Flask: what is asked most shall not pay for what it never uses.

Such a route passes the same gate, is observed and carries the same headers as any other, and its
view is the one that Flask would call. Whatever fails is handed to Flask, where the one table of
errors turns it into an answer.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from hub.ports import Hub
from hub.web.gate import FAILURE, Failure, Gate
from hub.web.headers import REQUEST_ID
from hub.web.observing import Passed, note_answer
from hub.web.policy import JSON, Policy

View = Callable[[WSGIEnvironment, Any, Hub], bytes]
"""From a request, whose key is known and whose body may be read, to the JSON of the answer."""


@dataclass(frozen=True)
class Route:
    """A route without variable parts, with its policy, which asks for a key."""

    path: str
    method: str
    policy: Policy
    view: View


def answered_directly(
    wsgi: WSGIApplication, routes: Iterable[Route], *, gate: Gate, hub: Hub
) -> WSGIApplication:
    """Answer those routes here, and leave everything else to *wsgi*."""
    direct: Mapping[tuple[str, str], Route] = {(one.method, one.path): one for one in routes}

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route = direct.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if route is None:
            return wsgi(environ, start_response)
        began, asker = time.perf_counter(), None
        try:
            asker = gate.who(route.policy, environ)
            gate.check(route.policy, environ, asker)
            body = route.view(environ, asker, hub)
        except Exception as error:  # noqa: BLE001 - Flask answers it, whatever it is
            environ[FAILURE] = Failure(error, asker, began)
            return wsgi(environ, start_response)
        start_response(_OK, [("Content-Type", JSON), ("Content-Length", str(len(body)))])
        passed = Passed(route.path, route.method, began, asker, environ[REQUEST_ID])
        note_answer(passed, HTTPStatus.OK, hub)
        return [body]

    return answer


_OK = "200 OK"
