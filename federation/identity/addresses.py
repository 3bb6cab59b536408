# SPDX-License-Identifier: Apache-2.0
"""Where a hub is met: one address, written in one way, that leads where it says.

What hubs sign is never sent in the clear; only a hub on the very same machine may be asked by
plain HTTP.
"""

import re
from typing import Any

from federation.forms.names import LABEL

MAX_LENGTH = 512  # characters
SUFFIX = "/fed/v1"
_LOOPBACK = r"127\.0\.0\.1|localhost|\[::1\]"
# Of a path nothing may be left out, nor stand for something else: no dots, no percent signs.
_PATH = r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*"
_PORT = r"(?::(?P<port>[1-9][0-9]{0,4}))?"
_HOST = rf"{LABEL}(?:\.{LABEL})*|\[::1\]"
_HTTPS = re.compile(rf"https://(?:{_HOST}){_PORT}{_PATH}{SUFFIX}")
_HTTP = re.compile(rf"http://(?:{_LOOPBACK}){_PORT}{_PATH}{SUFFIX}")
_SCHEMES = ((_HTTPS, 443), (_HTTP, 80))


def base_url(value: Any) -> str:
    """A check of a hub's address: HTTPS, ends in /fed/v1, a port only if it is not the usual."""
    if isinstance(value, str) and len(value) <= MAX_LENGTH:
        for pattern, usual in _SCHEMES:
            found = pattern.fullmatch(value)
            if found and _fits(found["port"], usual):
                return value
    raise ValueError(f"an address that begins with https:// and ends in {SUFFIX}")


def _fits(port: str | None, usual: int) -> bool:
    return port is None or (int(port) < 2**16 and int(port) != usual)
