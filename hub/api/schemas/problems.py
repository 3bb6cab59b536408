# SPDX-License-Identifier: Apache-2.0
"""How an error looks (RFC 9457); written for the documentation, built by ``hub.web.problems``."""

from marshmallow import fields

from hub.api.schemas.base import StrictSchema


class FlawSchema(StrictSchema):
    """One thing wrong with the request."""

    type = fields.String(required=True, metadata={"description": "urn:breakwater:problem:…"})
    detail = fields.String(required=True)
    index = fields.Integer(metadata={"description": "Which row of a batch, from 0."})
    field = fields.String()


class ProblemSchema(StrictSchema):
    """Why a request was not carried out. Nothing of it was stored."""

    type = fields.String(required=True, metadata={"description": "urn:breakwater:problem:…"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(
        fields.Nested(FlawSchema), metadata={"description": "The first 100 flaws."}
    )
