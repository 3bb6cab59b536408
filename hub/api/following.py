# SPDX-License-Identifier: Apache-2.0
"""Following: changes by position and snapshots, for platforms that match at home."""

import time
from typing import Any

import orjson
from flask import Response, g
from marshmallow import fields
from marshmallow.validate import Length

from hub.api.blueprints import Blueprint
from hub.api.schemas.base import Flag, FullMatch, QueryWhole, StrictSchema, Word
from hub.domain.sharing import Asker
from hub.services.following import Page, changes_page, snapshot_page
from hub.web import current
from hub.web.gate import admit_again
from hub.web.policy import JSON, policy

LONGEST_WAIT = 25
_CURSOR = FullMatch(r"^[A-Za-z0-9_\-]{1,4096}$")

blueprint = Blueprint("following", __name__, description="Take a set home, and keep it true")


class ChangesArgs(StrictSchema):
    """From where, of which sets, and how long to wait for something new."""

    cursor = fields.String(validate=_CURSOR)
    wait = QueryWhole(0, LONGEST_WAIT, load_default=0, metadata={"description": "Seconds."})
    sets = fields.String(
        validate=FullMatch(r"^set_[a-z2-7]{26}(,set_[a-z2-7]{26}){0,31}$"),
        metadata={"description": "Ids, with commas; all of yours without."},
    )
    only_ = Word(("withdrawals",), data_key="only")


class SnapshotArgs(StrictSchema):
    """Where the page begins."""

    cursor = fields.String(validate=_CURSOR)


class RecordSchema(StrictSchema):
    """An entry as it is now; ``gone`` ones are to be deleted."""

    id = fields.String(required=True)
    n = fields.Integer(required=True)
    set = fields.String(required=True)
    codes = fields.List(fields.Dict(), required=True)
    words = fields.Dict(required=True)
    standing = fields.String(required=True)
    until = fields.String(required=True, allow_none=True)
    position = fields.Integer(required=True)
    gone = Flag(required=True)


class ResyncSchema(StrictSchema):
    """A set whose grant changed: snapshot it, or delete it."""

    set = fields.String(required=True)
    is_ = Word(("gained", "lost"), data_key="is", required=True)


class ChangesSchema(StrictSchema):
    """What changed; up to ``withheld_to`` nothing else was for you.

    ``head`` is the last change of all, as it was known at most a second ago.
    """

    records = fields.List(fields.Nested(RecordSchema), required=True)
    cursor = fields.String(required=True)
    withheld_to = fields.Integer(required=True)
    head = fields.Integer()
    resync = fields.List(fields.Nested(ResyncSchema), validate=Length(1))


class SnapshotSchema(StrictSchema):
    """A page of a set; without ``cursor`` it is the last, and ``follow`` goes on from there."""

    records = fields.List(fields.Nested(RecordSchema), required=True)
    cursor = fields.String(required=True, allow_none=True)
    follow = fields.String(required=True)


@blueprint.route("/v1/changes", methods=["GET"])
@policy("changes:read", problems=(404, 410))
@blueprint.arguments(ChangesArgs, location="query")
@blueprint.answers(200, ChangesSchema)
def changes(args: dict[str, Any]) -> Response:
    """What changed in your sets since the cursor; waits up to 25 s for something new."""
    page = _page(args, args.get("cursor"), g.asker)
    deadline = time.monotonic() + args["wait"]
    # What others are told wakes the waiting too.
    while page.is_empty and (left := deadline - time.monotonic()) > 0:
        if not current().waiting.until(page.position, left):
            headers = {"Retry-After": "1"}
            return Response(orjson.dumps(page.body), mimetype=JSON, headers=headers)
        page = _page(args, page.body["cursor"], admit_again(current(), "changes:read"))
    return Response(orjson.dumps(page.body), mimetype=JSON)


@blueprint.route("/v1/sets/<id(set):set_id>/snapshot", methods=["GET"])
@policy("changes:read", problems=(410,))
@blueprint.arguments(SnapshotArgs, location="query")
@blueprint.answers(200, SnapshotSchema)
def snapshot(args: dict[str, Any], set_id: str) -> Response:
    """Everything live in a set, page by page; then follow from ``follow``."""
    body = snapshot_page(set_id, args.get("cursor"), asker=g.asker, hub=current())
    return Response(orjson.dumps(body), mimetype=JSON)


def _page(args: dict[str, Any], cursor: str | None, asker: Asker) -> Page:
    return changes_page(
        cursor,
        asker=asker,
        hub=current(),
        sets=args["sets"].split(",") if "sets" in args else (),
        withdrawals=args.get("only_") == "withdrawals",
    )
