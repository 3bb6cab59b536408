# SPDX-License-Identifier: Apache-2.0
"""Writing requests are carried out once, however often they arrive.

The name is the caller's ``Idempotency-Key``; the fingerprint says whether it is the same request.
What was answered first is answered again, byte for byte.
"""

import hmac
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, g, request

from hub.domain.answers import Answer, Once, RepeatedError
from hub.domain.errors import HubError
from hub.web import current
from hub.web.answers import answered
from hub.web.errors import OddHeaderError
from hub.web.policy import note

HEADER = "Idempotency-Key"
_NAME = re.compile(r"[\x21-\x7e]{1,255}")


def writes(view: Callable[..., Answer]) -> Callable[..., Response]:
    """Make a view that writes take ``once=``, and answer a repeated request as the first time."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Response:
        once = Once(g.asker.member, _name(), fingerprint(current().secrets.pepper), g.request_id)
        try:
            answer = view(*args, **kwargs, once=once)
        except RepeatedError as repeated:
            answer = repeated.answer
        except HubError:
            # What was right the first time may be refused by now, before it is known as a repeat.
            with current().begin.reading() as work:
                first = work.told(once)
            if first is None:
                raise
            answer = first
        return answered(answer)

    note(wrapped, writes=True)
    return wrapped


def fingerprint(pepper: bytes) -> bytes:
    """What tells this request from another: an HMAC, since a body may hold codes."""
    mac = hmac.new(pepper, request.method.encode(), "sha256")
    for part in (request.path.encode(), request.query_string, request.get_data()):
        mac.update(b"\0")
        mac.update(part)
    return mac.digest()


def _name() -> str:
    name = request.headers.get(HEADER)
    if not name:
        raise OddHeaderError(
            "idempotency-key-missing", f"Send {HEADER}: a new random value for each new request."
        )
    if not _NAME.fullmatch(name):
        raise OddHeaderError(
            "idempotency-key-malformed",
            f"{HEADER} has 1 to 255 visible ASCII characters, without spaces.",
        )
    return name
