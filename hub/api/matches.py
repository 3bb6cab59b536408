# SPDX-License-Identifier: Apache-2.0
"""Matching: what a platform sees, against what is known."""

from typing import Any
from wsgiref.types import WSGIEnvironment

import orjson
from flask import Response, g, request
from marshmallow import fields
from marshmallow.validate import Length

from hub.api.blueprints import Blueprint
from hub.api.schemas.base import FullMatch, StrictSchema, Word
from hub.api.schemas.indicators import AccountSchema
from hub.api.schemas.matches import (
    PACKED,
    MatchAnswerSchema,
    MatchQuerySchema,
    read_json,
    read_packed,
)
from hub.domain.errors import flaw
from hub.domain.sharing import Asker
from hub.ports import Hub
from hub.services.accounts import MOST_ACCOUNTS, PURPOSES, find_accounts
from hub.services.matches import find_matches
from hub.web import current
from hub.web.bodies import media_type, sent_body
from hub.web.loader import load
from hub.web.policy import JSON, MIB, policy

blueprint = Blueprint("matches", __name__, description="Ask about what was just seen")

QUERY_BYTES = 8 * MIB


class AccountsQuerySchema(StrictSchema):
    """Accounts to ask about, with why and for which case."""

    purpose = Word(PURPOSES, required=True)
    case = fields.String(required=True, validate=FullMatch(r"^[A-Za-z0-9._:/\-]{1,64}$"))
    accounts = fields.List(
        fields.Nested(AccountSchema), required=True, validate=Length(1, MOST_ACCOUNTS)
    )


@blueprint.route("/v1/match", methods=["POST"])
@policy("match", accepts=(JSON, PACKED), max_bytes=QUERY_BYTES, asks=True, problems=(503,))
@blueprint.takes({"type": "string", "format": "binary"}, content_type=PACKED)
@blueprint.takes(MatchQuerySchema)
@blueprint.answers(200, MatchAnswerSchema)
@blueprint.queried("explain", {"enum": ["0", "1"]}, "Say what was searched.")
def match() -> Response:
    """Match up to 10,000 codes in one request; "none" is said only with evidence."""
    return Response(answer(request.environ, g.asker, current()), mimetype=JSON)


def answer(environ: WSGIEnvironment, asker: Asker, hub: Hub) -> bytes:
    """The hot path: neither Flask nor a schema stands between the body and the arrays."""
    explain = _explain(environ.get("QUERY_STRING", ""))
    body = sent_body(environ)
    if media_type(environ) == PACKED:
        query = read_packed(body, explain=explain)
    else:
        query = read_json(load(body), explain=explain)
    return orjson.dumps(find_matches(query, asker=asker, hub=hub))


@blueprint.route("/v1/accounts/match", methods=["POST"])
@policy("match", accepts=(JSON,), asks=True, problems=(503,))
@blueprint.arguments(AccountsQuerySchema)
@blueprint.answers(200, MatchAnswerSchema)
def match_accounts(sent: dict[str, Any]) -> Response:
    """Ask about at most 50 accounts; a hit never says more than "review"."""
    answer = find_accounts(sent["accounts"], asker=g.asker, hub=current())
    return Response(orjson.dumps(answer), mimetype=JSON)


def _explain(query: str) -> bool:
    if query in {"", "explain=0"}:
        return False
    if query == "explain=1":
        return True
    raise flaw("invalid-value", "Say explain=1, or nothing.", None, "explain")
