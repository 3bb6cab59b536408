# SPDX-License-Identifier: Apache-2.0
"""Requests that partner hubs sign, and our answers to them, which we sign: RFC 9421."""

import io
from typing import Any

import structlog
from flask import Request as FlaskRequest, Response as FlaskResponse, g, request

from federation.errors import FederationError, RefusedError
from federation.identity.values import ReqKey
from federation.keys import PublicKey
from federation.transport.messages import Request, Response
from federation.transport.signatures import served_url, signed_response, verified
from hub.domain.errors import UnavailableError
from hub.ports import Hub
from hub.ports.exchange import PAUSED, QUARANTINED, Enrolled
from hub.services.exchange.bundling import introduced
from hub.services.exchange.partners import identity_of
from hub.web.errors import NotSignedError

log = structlog.get_logger(__name__)

UNANSWERED = frozenset({PAUSED, QUARANTINED})
MARK = "#"
"""Between a hub's name and the name of its key."""
BUNDLES = "/fed/v1/bundles"


def signing_partner(hub: Hub, asked: FlaskRequest) -> Enrolled:
    """Who signed a request.

    Raises:
        NotSignedError: No partner did, or not now, or not this.
        UnavailableError: Nobody can tell now whether it came already.
    """
    found: dict[str, Enrolled] = {}

    def key(key_id: str) -> PublicKey | None:
        partner = _partner(hub, key_id)
        if partner is None or partner.state in UNANSWERED:
            return None
        named = _named(partner, key_id)
        if named is None and not partner.is_asked and asked.path == BUNDLES:
            # Whom nobody asks brings along who it is, and what its keys are by now.
            if not introduced(io.BytesIO(asked.get_data(cache=True)), partner.hub, hub):
                return None
            partner = _partner(hub, key_id) or partner
            named = _named(partner, key_id)
        found[key_id] = partner
        return None if named is None else named.public

    now = hub.clock().timestamp()
    try:
        key_id = verified(_request(hub, asked), key, hub.abroad.nonces, now)
    except RefusedError as error:
        names = [one.hub for one in found.values()]
        log.warning("request_not_signed", alarm=error.alarm.value, partners=names)
        raise NotSignedError(str(error)) from error
    except FederationError as error:
        raise UnavailableError("Whether the request came already cannot be told now.") from error
    return found[key_id]


def _partner(hub: Hub, key_id: str) -> Enrolled | None:
    with hub.begin.reading() as work:
        return work.partners.named(key_id.partition(MARK)[0])


def _named(partner: Enrolled, key_id: str) -> ReqKey | None:
    known = identity_of(partner)
    return None if known is None else known.req_key(key_id)


def signed(response: FlaskResponse, hub: Hub) -> FlaskResponse:
    """Sign an answer to a partner, so that nobody on its way can make it another."""
    headers = (("Content-Type", str(response.headers["Content-Type"])),)
    plain = Response(response.status_code, headers, response.get_data())
    asked = _request(hub, request)
    told = signed_response(
        plain, asked, hub.abroad.signing(), created=int(hub.clock().timestamp())
    )
    for name, value in told.headers[len(headers) :]:
        response.headers[name] = value
    return response


def partner_asking() -> Enrolled:
    """Who asks, as the gate found."""
    asking: Enrolled = g.partner
    return asking


def partner_asking_still(hub: Hub) -> Enrolled:
    """Who asks, as of now.

    Raises:
        NotSignedError: It is answered no more.
    """
    with hub.begin.reading() as work:
        found = work.partners.named(partner_asking().hub)
    if found is None or found.state in UNANSWERED:
        raise NotSignedError("the partner is not answered any more")
    return found


def _request(hub: Hub, asked: FlaskRequest) -> Request:
    environ: dict[str, Any] = asked.environ
    # The paths here are plain, so the one that came unescaped is the one that was sent.
    query = environ.get("QUERY_STRING", "")
    target = environ["PATH_INFO"] + (f"?{query}" if query else "")
    has_body = asked.content_length is not None
    return Request(
        asked.method,
        served_url(hub.abroad.public_url, target),
        tuple((name, value) for name, value in asked.headers.items()),
        asked.get_data(cache=True) if has_body else None,
    )
