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

import structlog
from flask import Response, g, request

from hub.ports import Hub

log = structlog.get_logger("hub.web")

_UNROUTED = "-"
_QUIET = frozenset({"/livez", "/readyz"})
_LOOKUP = "/v1/match"


def closing(hub: Hub) -> Callable[[Response], Response]:
    """Make the function that every response passes on its way out."""

    def close(response: Response) -> Response:
        asked, kept = request._get_current_object(), g._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - werkzeug documents it
        seconds = time.perf_counter() - kept.began
        # Neither a path nor a method of the caller's own making becomes a metric's label.
        rule, status = asked.url_rule, response.status_code
        route, method = (rule.rule, asked.method) if rule else (_UNROUTED, _UNROUTED)
        hub.metrics.request(route, method, status, seconds)
        is_quiet = route in _QUIET or (route == _LOOKUP and status == HTTPStatus.OK)
        write = log.debug if is_quiet else log.info
        write(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            member=kept.asker.member_id if kept.asker else None,
            request_id=kept.request_id,
        )
        return response

    return close


def note_failure(error: BaseException) -> None:
    """Write down an error of ours: its type and where it came from, not its message."""
    log.error("request_failed", exc_info=error, request_id=g.get("request_id"))
