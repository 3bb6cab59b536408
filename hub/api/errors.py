# SPDX-License-Identifier: Apache-2.0
"""The one table in which the hub's errors become HTTP.

Every answer that is not a success is a problem (RFC 9457) with a type from this table, the
framework's own included.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from hub.api.schemas.base import slug_of
from hub.domain.errors import BadInputError, BudgetError, BusyError, Flaw, HubError
from hub.web.errors import TooOftenError
from hub.web.observing import note_failure
from hub.web.problems import problem

TABLE: Mapping[str, tuple[HTTPStatus, str]] = {
    # mend the request
    "malformed-json": (HTTPStatus.BAD_REQUEST, "The body is not JSON as we take it"),
    "malformed-request": (HTTPStatus.BAD_REQUEST, "The request is malformed"),
    "unexpected-body": (HTTPStatus.BAD_REQUEST, "A body where none is taken"),
    "malformed-cursor": (HTTPStatus.BAD_REQUEST, "The cursor is malformed"),
    "idempotency-key-missing": (HTTPStatus.BAD_REQUEST, "Idempotency-Key is missing"),
    "idempotency-key-malformed": (HTTPStatus.BAD_REQUEST, "Idempotency-Key is malformed"),
    "length-required": (HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing"),
    "too-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "unsupported-media-type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Media type not taken"),
    "bad-input": (HTTPStatus.UNPROCESSABLE_ENTITY, "The request breaks a rule"),
    "unknown-word": (HTTPStatus.UNPROCESSABLE_ENTITY, "Not a word of its list"),
    "word-count": (HTTPStatus.UNPROCESSABLE_ENTITY, "Too few or too many words"),
    "idempotency-key-reused": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The Idempotency-Key belongs to another request",
    ),
    # mend the right
    "unauthorized": (HTTPStatus.UNAUTHORIZED, "No valid key"),
    "not-signed": (HTTPStatus.UNAUTHORIZED, "No partner signed this request"),
    "forbidden": (HTTPStatus.FORBIDDEN, "The key does not carry the right"),
    "not-found": (HTTPStatus.NOT_FOUND, "Not found"),
    "method-not-allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed"),
    # read again, or try again
    "name-taken": (HTTPStatus.CONFLICT, "The name is taken"),
    "too-many-keys": (HTTPStatus.CONFLICT, "Too many live keys"),
    "key-dead": (HTTPStatus.CONFLICT, "The key is dead"),
    "last-admin-key": (HTTPStatus.CONFLICT, "The last key that can administer the hub"),
    "suspended": (HTTPStatus.CONFLICT, "The member is suspended"),
    "not-so-long": (HTTPStatus.CONFLICT, "The log is not so long"),
    "conflict": (HTTPStatus.CONFLICT, "The state does not allow it"),
    "busy": (HTTPStatus.CONFLICT, "Another request is in the way"),
    "cursor-gone": (HTTPStatus.GONE, "The cursor is of another history"),
    "too-many-requests": (HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    "budget-used-up": (HTTPStatus.TOO_MANY_REQUESTS, "The budget is used up"),
    "not-ready": (HTTPStatus.SERVICE_UNAVAILABLE, "Nothing can be answered now"),
    "internal": (HTTPStatus.INTERNAL_SERVER_ERROR, "The hub failed"),
    # by class, for a slug of a service's own
    "refused": (HTTPStatus.UNPROCESSABLE_ENTITY, "Refused by a rule"),
}

_OF_HTTP = {
    HTTPStatus.NOT_FOUND: ("not-found", "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method-not-allowed", "See Allow for the methods it takes."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too-large", "The body is too large."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("unsupported-media-type", "Send another media type."),
}
_MISSING = "Missing data for required field."


def register(app: Flask) -> None:
    """Make every error of the application a problem."""
    app.register_error_handler(HubError, refused)
    app.register_error_handler(ValidationError, invalid)
    app.register_error_handler(HTTPException, of_framework)
    app.register_error_handler(Exception, failed)


def refused(error: HubError) -> Response:
    """What the hub refuses by its own rules."""
    slug = error.slug if error.slug in TABLE else _slug_by_class(error)
    status, title = TABLE[slug]
    flaws = error.flaws if isinstance(error, BadInputError) else ()
    return problem(
        status, error.slug, title, str(error), flaws=flaws, headers=_headers(error, status)
    )


def invalid(error: ValidationError) -> Response:
    """What a schema refuses."""
    status, title = TABLE["bad-input"]
    return problem(status, "bad-input", title, "", flaws=flaws_of(error))


def flaws_of(error: ValidationError) -> list[Flaw]:
    """Everything that a schema found wrong."""
    return list(_flaws(error.messages, []))


def of_framework(error: HTTPException) -> Response:
    """What Flask, Werkzeug or webargs refuse."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if error.response is not None or status < HTTPStatus.BAD_REQUEST:
        return Response(b"", status, error.get_headers())
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return failed(error)
    slug, detail = _OF_HTTP.get(status, ("malformed-request", "The request is malformed."))
    own, title = TABLE[slug]
    allowed = {name: value for name, value in error.get_headers() if name == "Allow"}
    return problem(own, slug, title, detail, headers=allowed)


def failed(error: Exception) -> Response:
    """What is our own fault."""
    note_failure(error)
    status, title = TABLE["internal"]
    return problem(
        status,
        "internal",
        title,
        "The hub failed; nothing was stored. Its log has the request_id.",
    )


def _slug_by_class(error: HubError) -> str:
    slugs = (str(kind.__dict__.get("slug")) for kind in type(error).__mro__)
    return next(slug for slug in slugs if slug in TABLE)


def _headers(error: HubError, status: HTTPStatus) -> dict[str, str]:
    if status is HTTPStatus.UNAUTHORIZED:
        return {} if error.slug == "not-signed" else {"WWW-Authenticate": "Bearer"}
    if isinstance(error, BudgetError | TooOftenError):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, BusyError) or status is HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": "1"}
    return {}


def _flaws(messages: Any, path: Sequence[str | int]) -> Iterator[Flaw]:
    """Flatten what marshmallow says: nested by field and row, sentences at the leaves."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flaws(inner, path if _is_frame(key, path) else [*path, key])
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from _flaws(inner, path)
    else:
        index = next((step for step in path if isinstance(step, int)), None)
        field = ".".join(str(step) for step in path) or None
        slug = "missing-field" if messages == _MISSING else slug_of(messages)
        yield Flaw(slug, str(messages), index, field)


def _is_frame(key: str | int, path: Sequence[str | int]) -> bool:
    """Whether the key is none of the input's: where webargs looked, or marshmallow's "whole"."""
    return key == "_schema" or (not path and key in {"json", "query"})
