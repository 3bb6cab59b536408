# SPDX-License-Identifier: Apache-2.0
"""What every answer carries, whatever it says."""

import re
import secrets

from werkzeug.datastructures import Headers

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", ""),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
)

# Long enough to be unique, too short for a PDQ or SHA-256 value to hide in a log.
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,40}")


def request_id(given: str | None) -> str:
    """The caller's id of the request where it is well formed, else a new one."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)


def add_headers(headers: Headers, request: str) -> None:
    """Add what every answer carries; what a view set itself stands."""
    headers["Request-Id"] = request
    for name, value in ALWAYS:
        headers.setdefault(name, value)
