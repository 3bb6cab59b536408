# SPDX-License-Identifier: Apache-2.0
"""The gate before every view: who asks, may they, and is what they send fit to be read.

One class decides for all routes, by the policy of the route and nothing else. Its order is the
order of cost: nothing of a body is read before the key, the pace, the type and the length are
right.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import g, request
from werkzeug.http import parse_options_header

from hub.domain.errors import ForbiddenError
from hub.domain.sharing import Asker
from hub.ports import Hub
from hub.web.errors import (
    MissingKeyError,
    NotWithoutLengthError,
    TooLargeError,
    TooOftenError,
    UnexpectedBodyError,
    WrongMediaError,
)
from hub.web.headers import REQUEST_ID
from hub.web.limits import Buckets
from hub.web.partners import signing_partner
from hub.web.policy import ANY_KEY, PARTNER, PUBLIC, Policy


@dataclass(frozen=True)
class Failure:
    """What went wrong before Flask saw the request, who asked, and when that began."""

    error: Exception
    asker: Asker | None
    began: float


FAILURE = "breakwater.failure"
"""Where the environment of a request holds it."""


class Gate:
    """What every request to a view passes."""

    def __init__(self, hub: Hub, buckets: Buckets) -> None:
        self.hub = hub
        self._buckets = buckets

    def who(self, policy: Policy, environ: Mapping[str, Any]) -> Asker | None:
        """Return who asks; None where anybody may.

        Raises:
            MissingKeyError: Nobody whom we know does.
        """
        if policy.scope in {PUBLIC, PARTNER}:
            return None
        # 1. Who asks.
        asker = self.hub.directory.asker(environ.get("HTTP_AUTHORIZATION"))
        if asker is None:
            raise MissingKeyError
        return asker

    def check(self, policy: Policy, environ: Mapping[str, Any], asker: Asker | None) -> None:
        """Let the request pass.

        Raises:
            HubError: It may not.
        """
        if asker is not None:
            # 2. May they.
            _check_scope(asker, policy.scope)
            # 3. Not too often.
            wait = self._buckets.wait(asker.operator)
            if wait:
                raise TooOftenError(wait)
        # 4. Is what they send fit to be read.
        _check_body(policy, environ)


def entered(gate: Gate, known: Mapping[tuple[str, str], Policy]) -> Callable[[], None]:
    """Make the function that Flask calls before each view."""

    def enter() -> None:
        # Each look through a proxy costs, so it is done once.
        asked, kept = request._get_current_object(), g._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - werkzeug documents it
        environ, rule = asked.environ, asked.url_rule
        kept.began = time.perf_counter()
        kept.asker = None
        kept.request_id = environ[REQUEST_ID]
        failure: Failure | None = environ.get(FAILURE)
        if failure is not None:
            kept.asker, kept.began = failure.asker, failure.began
            raise failure.error
        if rule is None:
            return  # 404 or 405: there is no view to guard
        # No .get: a route without a policy is an error, not a free one.
        policy = known[rule.endpoint, asked.method]
        kept.asker = gate.who(policy, environ)
        gate.check(policy, environ, kept.asker)
        if policy.scope is PARTNER:
            # Its signature is over the body too, which was found fit to be read.
            kept.partner = signing_partner(gate.hub, asked)

    return enter


def admit_again(hub: Hub, scope: str) -> Asker:
    """Who asks, as of now: whoever waited may have lost the key, the scope or a grant meanwhile.

    Raises:
        MissingKeyError: The key is dead.
        ForbiddenError: It does not carry the scope any more.
    """
    asker = hub.directory.asker(request.environ.get("HTTP_AUTHORIZATION"))
    if asker is None:
        raise MissingKeyError
    _check_scope(asker, scope)
    return asker


def _check_scope(asker: Asker, scope: str) -> None:
    if scope is not ANY_KEY and not asker.may(scope):
        raise ForbiddenError(f"This needs a key with the scope {scope}.")


def _check_body(policy: Policy, environ: Mapping[str, str]) -> None:
    length = _length(environ)
    if not policy.accepts:
        if length:
            raise UnexpectedBodyError
        return
    if length is None:
        raise NotWithoutLengthError
    if length > policy.max_bytes:
        raise TooLargeError(policy.max_bytes)
    if environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise WrongMediaError("Send the body as it is: no Content-Encoding.")
    content_type = environ.get("CONTENT_TYPE", "")
    if content_type not in policy.accepts and not _is_one_of(policy.accepts, content_type):
        raise WrongMediaError(f"Send Content-Type: {' or '.join(policy.accepts)}.")


def _length(environ: Mapping[str, str]) -> int | None:
    """The announced length in bytes; None when there is none, or an odd one."""
    text = environ.get("CONTENT_LENGTH", "")
    if not (text.isascii() and text.isdigit()):
        return None
    # Zeros in front say nothing; of what is longer still, the first digits are too many already.
    return int((text.lstrip("0") or "0")[:16])


def _is_one_of(accepted: tuple[str, ...], content_type: str) -> bool:
    media, options = parse_options_header(content_type)
    return media in accepted and options.get("charset", "utf-8").lower() in {"utf-8", "utf8"}
