# SPDX-License-Identifier: Apache-2.0
"""What every answer carries, whatever it says."""

import random
import re
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CACHE = "Cache-Control"
ALWAYS = (
    ("Content-Security-Policy", POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", ""),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
)
UNCACHED = ((CACHE, "no-store"), *ALWAYS)

REQUEST_ID = "breakwater.request_id"
"""Where the environment of a request holds its id."""

# Long enough to be unique, and never hex alone: a code must not hide in a log.
_REQUEST_ID = re.compile(r"(?![0-9a-fA-F]{16,}$)[A-Za-z0-9-]{8,40}")


def request_id(given: str | None) -> str:
    """The caller's id of the request where it is well formed, else a new one."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    # It has to be another one each time, not one that nobody can guess.
    return f"{random.getrandbits(64):016x}"


def with_headers(wsgi: WSGIApplication) -> WSGIApplication:
    """Add to every answer what all of them carry; how long it may be kept, a view may say itself.

    Done where headers are a plain list, which costs a twentieth of doing it on the response.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            always = ALWAYS if any(name == CACHE for name, _ in headers) else UNCACHED
            named = ("Request-Id", environ[REQUEST_ID])
            return start_response(status, [*headers, *always, named], *failure)

        environ[REQUEST_ID] = request_id(environ.get("HTTP_X_REQUEST_ID"))
        return wsgi(environ, start)

    return answer
