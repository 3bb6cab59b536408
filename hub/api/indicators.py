# SPDX-License-Identifier: Apache-2.0
"""Indicators: contribute, read back, revise, withdraw; opinions, appeals and outcomes."""

from typing import Any

from flask import g, request
from marshmallow import Schema, ValidationError

from hub.api.blueprints import Blueprint
from hub.api.errors import flaws_of
from hub.api.schemas.base import PageArgs
from hub.api.schemas.indicators import (
    MOST_ROWS,
    AppealClosedSchema,
    AppealSchema,
    BatchSchema,
    CloseSchema,
    IndicatorAnswerSchema,
    IndicatorPageSchema,
    IndicatorSchema,
    KeptSchema,
    OpenedSchema,
    OpinionSchema,
    OutcomeSchema,
    OutcomesSchema,
    ResultsSchema,
    VersionSchema,
    WithdrawSchema,
)
from hub.domain.answers import Answer, Once
from hub.domain.errors import BadInputError, flaw
from hub.domain.indicators import Opinion
from hub.services import indicators as services, opinions
from hub.web import current
from hub.web.idempotency import writes
from hub.web.loader import strict_json
from hub.web.policy import JSON, MIB, policy

blueprint = Blueprint("indicators", __name__, description="What is known, and what is said of it")

BATCH_BYTES = 8 * MIB
_ONE, _OUTCOME = IndicatorSchema(), OutcomeSchema()


@blueprint.route("/v1/indicators", methods=["POST"])
@policy("indicators:write", accepts=(JSON,), max_bytes=BATCH_BYTES)
@blueprint.takes({"oneOf": [IndicatorSchema, BatchSchema]})
@blueprint.answers(201, KeptSchema, description="One contribution was kept.")
@blueprint.answers(200, ResultsSchema, description="A batch was kept, row by row.")
@writes
def contribute(once: Once) -> Answer:
    """Contribute one indicator, or up to 1,000."""
    body = strict_json(request)
    if isinstance(body, dict) and "indicators" in body:
        return _contribute_many(body, once)
    return services.contribute(_loaded(_ONE, body), asker=g.asker, hub=current(), once=once)


@blueprint.route("/v1/indicators", methods=["GET"])
@policy("indicators:read", problems=(410,))
@blueprint.arguments(PageArgs, location="query")
@blueprint.answers(200, IndicatorPageSchema)
def list_indicators(args: dict[str, Any]) -> Any:
    """List what your operator contributed, oldest first."""
    return services.listed(args.get("cursor"), args["limit"], asker=g.asker, hub=current())


@blueprint.route("/v1/indicators/<id(ind):indicator_id>", methods=["GET"])
@policy("indicators:read")
@blueprint.answers(200, IndicatorAnswerSchema)
def read_indicator(indicator_id: str) -> Any:
    """Read one indicator: the whole of your own, what is told to others else."""
    return services.read(indicator_id, asker=g.asker, hub=current())


@blueprint.route("/v1/indicators/<id(ind):indicator_id>/versions", methods=["POST"])
@policy("indicators:write", accepts=(JSON,))
@blueprint.arguments(VersionSchema)
@blueprint.answers(201, KeptSchema)
@writes
def revise(sent: dict[str, Any], indicator_id: str, once: Once) -> Answer:
    """Say anew what is known of your own indicator."""
    return services.revise(indicator_id, sent, asker=g.asker, hub=current(), once=once)


@blueprint.route("/v1/indicators/<id(ind):indicator_id>/withdraw", methods=["POST"])
@policy("indicators:write", accepts=(JSON,))
@blueprint.arguments(WithdrawSchema)
@blueprint.answers(201, KeptSchema)
@writes
def withdraw(sent: dict[str, Any], indicator_id: str, once: Once) -> Answer:
    """Withdraw your own indicator: at once, and alone."""
    reason = sent.get("reason")
    return services.withdraw(indicator_id, reason, asker=g.asker, hub=current(), once=once)


@blueprint.route("/v1/indicators/<id(ind):indicator_id>/opinions", methods=["POST"])
@policy("opinions:write", accepts=(JSON,))
@blueprint.arguments(OpinionSchema)
@blueprint.answers(201, KeptSchema)
@writes
def give_opinion(sent: dict[str, Any], indicator_id: str, once: Once) -> Answer:
    """Say what your operator thinks of another's entry; its latest word counts."""
    named = current().directory.set_named(sent.pop("set"))
    opinion = Opinion(set_key=named.key if named else 0, **sent)
    return opinions.give_opinion(indicator_id, opinion, asker=g.asker, hub=current(), once=once)


@blueprint.route("/v1/indicators/<id(ind):indicator_id>/appeals", methods=["POST"])
@policy("admin", accepts=(JSON,))
@blueprint.arguments(AppealSchema)
@blueprint.answers(201, OpenedSchema)
@writes
def open_appeal(sent: dict[str, Any], indicator_id: str, once: Once) -> Answer:
    """Open an appeal: until it is closed the indicator is disputed in every set."""
    ground = sent["ground"]
    return opinions.open_appeal(indicator_id, ground, asker=g.asker, hub=current(), once=once)


@blueprint.route("/v1/appeals/<id(apl):appeal_id>/close", methods=["POST"])
@policy("admin", accepts=(JSON,))
@blueprint.arguments(CloseSchema)
@blueprint.answers(201, AppealClosedSchema)
@writes
def close_appeal(sent: dict[str, Any], appeal_id: str, once: Once) -> Answer:
    """Close an appeal; an upheld one keeps the indicator disputed for good."""
    return opinions.close_appeal(
        appeal_id, upheld=sent["upheld"], asker=g.asker, hub=current(), once=once
    )


@blueprint.route("/v1/outcomes", methods=["POST"])
@policy("outcomes:write", accepts=(JSON,))
@blueprint.takes(OutcomesSchema)
@blueprint.answers(200, ResultsSchema)
@writes
def report_outcomes(once: Once) -> Answer:
    """Send receipts back with what became of the hits."""
    rows = _rows(strict_json(request), "outcomes", set())
    loaded = [_or_error(_OUTCOME, row) for row in rows]
    return opinions.report_outcomes(loaded, asker=g.asker, hub=current(), once=once)


def _contribute_many(body: dict[str, Any], once: Once) -> Answer:
    rows = _rows(body, "indicators", {"atomic"})
    atomic = body.get("atomic", False)
    if not isinstance(atomic, bool):
        raise flaw("invalid-value", "Either true or false.", None, "atomic")
    loaded = [_or_error(_ONE, row) for row in rows]
    return services.contribute_many(loaded, atomic=atomic, asker=g.asker, hub=current(), once=once)


def _rows(body: Any, name: str, others: set[str]) -> list[Any]:
    """The rows of a batch, each to be loaded by itself so that it fails by itself."""
    if not isinstance(body, dict) or name not in body or not body.keys() <= {name, *others}:
        raise flaw("malformed-batch", f'Send {{"{name}": [...]}}.', None, name)
    rows = body[name]
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise flaw("malformed-batch", f"Send 1 to {MOST_ROWS} rows.", None, name)
    return rows


def _or_error(schema: Schema, row: Any) -> services.Row:
    try:
        loaded: services.Row = _loaded(schema, row)
    except BadInputError as error:
        return error
    return loaded


def _loaded(schema: Schema, row: Any) -> Any:
    try:
        return schema.load(row)
    except ValidationError as error:
        raise BadInputError(flaws_of(error)) from None
