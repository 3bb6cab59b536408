# SPDX-License-Identifier: Apache-2.0
"""One line in the log and one count in the metrics for each request, and never what was in it.

Of a lookup of pictures that was answered there is the count alone: who looks up when, nobody
needs to know.

The route is told by its template, the caller by its member's id; an error of ours by its type
and the places it passed, since its message may hold what must not be written down.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

import structlog
from flask import Response, g, request

from hub.domain.sharing import Asker
from hub.ports import Hub

log = structlog.get_logger("hub.web")

_UNROUTED = "-"
_QUIET = frozenset({"/livez", "/readyz"})
_LOOKUP = "/v1/match"


def closing(hub: Hub) -> Callable[[Response], Response]:
    """Make the function that every response of Flask's passes on its way out."""

    def close(response: Response) -> Response:
        asked, kept = request._get_current_object(), g._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - werkzeug documents it
        rule = asked.url_rule
        # Neither a path nor a method of the caller's own making becomes a metric's label.
        route, method = (rule.rule, asked.method) if rule else (_UNROUTED, _UNROUTED)
        passed = Passed(route, method, kept.began, kept.asker, kept.request_id)
        note_answer(passed, response.status_code, hub)
        return response

    return close


class Passed(NamedTuple):
    """A request that has its answer; ``began`` by the performance counter."""

    route: str
    method: str
    began: float
    asker: Asker | None
    request_id: str


def note_answer(passed: Passed, status: int, hub: Hub) -> None:
    """Count a request, and write down that it was answered unless nobody needs to know."""
    seconds = time.perf_counter() - passed.began
    route = passed.route
    hub.metrics.request(route, passed.method, status, seconds)
    is_quiet = route in _QUIET or (route == _LOOKUP and status == HTTPStatus.OK)
    write = log.debug if is_quiet else log.info
    write(
        "request",
        method=passed.method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 2),
        member=passed.asker.member_id if passed.asker else None,
        request_id=passed.request_id,
    )


def note_failure(error: BaseException) -> None:
    """Write down an error of ours: its type and where it came from, not its message."""
    log.error("request_failed", exc_info=error, request_id=g.get("request_id"))
