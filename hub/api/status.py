# SPDX-License-Identifier: Apache-2.0
"""Is the hub alive, is it ready, and how fresh is what it knows."""

from typing import Any

from marshmallow import fields

from hub.api.blueprints import Blueprint
from hub.api.schemas.base import StrictSchema, Word
from hub.domain.errors import UnavailableError
from hub.ports import Hub
from hub.services.exchange.partners import WEIGHTS, listed
from hub.web import current
from hub.web.policy import ANY_KEY, PUBLIC, policy
from matching.freshness import Freshness
from matching.signals import ORDER

_PARTNER = (
    "hub", "state", "asked", "weight", "because", "behind", "alive_seconds_ago",
    "witnessed", "error",
)  # fmt: skip

blueprint = Blueprint("status", __name__, description="How the hub is.")


class IndexSchema(StrictSchema):
    """Up to where the index knows the truth."""

    timeline = fields.String(required=True)
    position = fields.Integer(required=True)
    head = fields.Integer(required=True)
    lag_ms = fields.Integer(required=True)


class SignalSchema(StrictSchema):
    """One signal's part of the index."""

    signal = fields.String(required=True)
    whole = fields.Boolean(required=True)


class PartnerSchema(StrictSchema):
    """How a partner hub is."""

    hub = fields.String(required=True)
    state = fields.String(required=True)
    asked = fields.Boolean(
        required=True,
        metadata={"description": "Whether it is followed; else its word comes another way."},
    )
    weight = Word(
        WEIGHTS,
        required=True,
        metadata={"description": "What its word weighs: counted, shown for review, or hidden."},
    )
    because = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why its word does not count, if it does not."},
    )
    behind = fields.Integer(required=True, metadata={"description": "Entries not applied yet."})
    alive_seconds_ago = fields.Integer(required=True, allow_none=True)
    witnessed = fields.Boolean(
        required=True, metadata={"description": "Whether a third hub saw its log of late."}
    )
    error = fields.String(required=True, allow_none=True)


class StatusSchema(StrictSchema):
    """How fresh the answers of this worker are."""

    complete = fields.Boolean(
        required=True, metadata={"description": "Whether “no match” may be said."}
    )
    why = fields.String(required=True, allow_none=True)
    index = fields.Nested(IndexSchema, required=True)
    signals = fields.List(fields.Nested(SignalSchema), required=True)
    partners = fields.List(fields.Nested(PartnerSchema), required=True)


class AliveSchema(StrictSchema):
    """A word to say that somebody is there."""

    status = fields.String(required=True)


@blueprint.route("/v1/status", methods=["GET"])
@policy(ANY_KEY)
@blueprint.answers(200, StatusSchema)
def status() -> dict[str, Any]:
    """How fresh the answers of the worker that says this are."""
    hub = current()
    freshness = hub.follower.freshness()
    return {
        "complete": freshness.complete,
        "why": str(freshness.why) or None,
        "index": {
            "timeline": freshness.timeline,
            "position": freshness.position,
            "head": freshness.head,
            "lag_ms": freshness.lag_ms or 0,
        },
        "signals": [
            {"signal": signal.name, "whole": hub.engine.whole(signal.name)} for signal in ORDER
        ],
        "partners": _partners(hub),
    }


def _partners(hub: Hub) -> list[dict[str, Any]]:
    """How each partner is; nobody is told of where the truth does not answer."""
    try:
        found = listed(hub=hub)
    except UnavailableError:
        return []
    return [{name: one[name] for name in _PARTNER} for one in found]


@blueprint.route("/livez", methods=["GET"])
@policy(PUBLIC)
@blueprint.answers(200, AliveSchema)
def livez() -> dict[str, Any]:
    """Whether this worker answers at all."""
    return {"status": "alive"}


@blueprint.route("/readyz", methods=["GET"])
@policy(PUBLIC, problems=(503,))
@blueprint.answers(200, AliveSchema)
def readyz() -> dict[str, Any]:
    """Whether this worker can answer lookups; an index in step is not demanded, see status."""
    if not _ready(current().follower.freshness()):
        raise UnavailableError("The index is being loaded; try again in a moment.")
    return {"status": "ready"}


def _ready(freshness: Freshness) -> bool:
    return freshness.complete or freshness.position > 0
