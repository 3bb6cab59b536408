# SPDX-License-Identifier: Apache-2.0
"""One line in the log and one count in the metrics for each request, and never what was in it.

The route is told by its template, the caller by its member's id; an error of ours by its type
and the places it passed, since its message may hold what must not be written down.
"""

import time
from collections.abc import Callable

import structlog
from flask import Response, g, request

from hub.ports import Hub
from hub.web.headers import add_headers

log = structlog.get_logger("hub.web")

_UNROUTED = "-"
_QUIET = frozenset({"/livez", "/readyz"})


def closing(hub: Hub) -> Callable[[Response], Response]:
    """Make the function that every response passes on its way out."""

    def close(response: Response) -> Response:
        seconds = time.perf_counter() - g.began
        add_headers(response.headers, g.request_id)
        # Neither a path nor a method of the caller's own making becomes a metric's label.
        route = request.url_rule.rule if request.url_rule else _UNROUTED
        method = request.method if request.url_rule else _UNROUTED
        hub.metrics.request(route, method, response.status_code, seconds)
        _write_line(route, method, response.status_code, seconds)
        return response

    return close


def _write_line(route: str, method: str, status: int, seconds: float) -> None:
    write = log.debug if route in _QUIET else log.info
    write(
        "request",
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 2),
        member=g.asker.member_id if g.asker else None,
        request_id=g.request_id,
    )


def note_failure(error: BaseException) -> None:
    """Write down an error of ours: its type and where it came from, not its message."""
    log.error("request_failed", exc_info=error, request_id=g.get("request_id"))
