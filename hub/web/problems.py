# SPDX-License-Identifier: Apache-2.0
"""Errors as RFC 9457 problems: a stable type, what to do about it, and never the input itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Response, g

from hub.domain.errors import URN, Flaw

MEDIA_TYPE = "application/problem+json"
MOST_FLAWS = 100


def problem(
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    flaws: Sequence[Flaw] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that tells of a problem; at most 100 flaws are listed, and the rest counted."""
    body: dict[str, Any] = {
        "type": URN + slug,
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": g.get("request_id"),
    }
    if flaws:
        body["detail"] = _counted(flaws)
        body["errors"] = [flaw.told() for flaw in flaws[:MOST_FLAWS]]
    return Response(orjson.dumps(body), status, dict(headers or {}), mimetype=MEDIA_TYPE)


def _counted(flaws: Sequence[Flaw]) -> str:
    if len(flaws) == 1:
        return flaws[0].detail
    if len(flaws) <= MOST_FLAWS:
        return f"{len(flaws)} things are wrong; see errors."
    return f"{len(flaws)} things are wrong; the first {MOST_FLAWS} are in errors."
