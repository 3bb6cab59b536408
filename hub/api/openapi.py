# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document: flask-smorest's, completed by what the policies say.

What a route demands of a key, a header or a body is written once, in its policy; here it becomes
the statuses, the security and the headers that the document shows.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import flask_smorest
from flask import Flask
from flask_smorest.spec.plugins import FlaskPlugin
from werkzeug.routing import Rule

from hub.api.schemas.problems import ProblemSchema
from hub.web import problems
from hub.web.idempotency import HEADER
from hub.web.ids import PublicIdConverter, documented
from hub.web.policy import ANY_KEY, PUBLIC, Policy

VERSION = "1"
ABOUT = """\
Platforms that children use tell each other what grooming looks like today.

Every answer carries `Request-Id`. Every error is a problem (RFC 9457) with a stable `type`.
Routes that write demand `Idempotency-Key`: the same request sent again is answered as the first
time, byte for byte, for 7 days. A signal is a clue, not a proof.
"""


class HubApi(flask_smorest.Api):  # type: ignore[misc]  # ships no types
    """flask-smorest without its own errors and pages."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Ours are in ``hub.api.errors``."""

    def _register_responses(self) -> None:
        self.spec.components.schema("Problem", schema=ProblemSchema)
        for status in HTTPStatus:
            if status >= HTTPStatus.BAD_REQUEST:
                content = {problems.MEDIA_TYPE: {"schema": ProblemSchema}}
                self.spec.components.response(
                    status.name, {"description": status.phrase, "content": content}
                )


def make_api(app: Flask) -> HubApi:
    """The extension that routes are registered with."""
    app.config.update(API_TITLE="Breakwater", API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    app.url_map.converters["id"] = PublicIdConverter
    api = HubApi(app)
    api.register_converter(PublicIdConverter, documented)
    return api


def document(api: HubApi, app: Flask, known: Mapping[tuple[str, str], Policy]) -> dict[str, Any]:
    """The whole OpenAPI document."""
    made: dict[str, Any] = api.spec.to_dict()
    made["info"]["description"] = ABOUT
    made["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    made["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "bearerFormat": "bw_live_… or bw_test_…"}
    }
    used = set()
    for rule in app.url_map.iter_rules():
        path = made["paths"].get(FlaskPlugin.flaskpath2openapi(rule.rule), {})
        for method in (rule.methods or set()) & {name.upper() for name in path}:
            policy = known[rule.endpoint, method]
            writes = app.view_functions[rule.endpoint].__dict__["_apidoc"].get("writes", False)
            used |= _complete(path[method.lower()], policy, rule, writes=writes)
    responses = made["components"]["responses"]
    made["components"]["responses"] = {
        name: told for name, told in responses.items() if name in used
    }
    return made


def _complete(operation: dict[str, Any], policy: Policy, rule: Rule, *, writes: bool) -> set[str]:
    """Add to one operation what its policy says; returns the names of the responses it uses."""
    operation["operationId"] = rule.endpoint.rpartition(".")[2]
    if policy.scope is not PUBLIC:
        operation["security"] = [{"key": []}]
        operation["x-scope"] = policy.scope
    parameters = operation.get("parameters", [])
    if writes:
        parameters.append(_IDEMPOTENCY)
    if parameters:
        operation["parameters"] = parameters
    queried = any(parameter["in"] == "query" for parameter in parameters)
    statuses = {HTTPStatus(status) for status in policy.problems}
    statuses |= set(_statuses(policy, rule, writes=writes, queried=queried))
    responses = operation.setdefault("responses", {})
    for status in sorted(statuses):
        responses[str(status.value)] = {"$ref": f"#/components/responses/{status.name}"}
    return {status.name for status in statuses}


def _statuses(policy: Policy, rule: Rule, *, writes: bool, queried: bool) -> Iterable[HTTPStatus]:
    yield HTTPStatus.BAD_REQUEST
    yield HTTPStatus.INTERNAL_SERVER_ERROR
    if policy.scope is not PUBLIC:
        yield HTTPStatus.UNAUTHORIZED
        yield HTTPStatus.TOO_MANY_REQUESTS
        if policy.scope is not ANY_KEY:
            yield HTTPStatus.FORBIDDEN
    if policy.accepts:
        yield HTTPStatus.LENGTH_REQUIRED
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        yield HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    if policy.accepts or queried or writes:
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if writes:
        yield HTTPStatus.CONFLICT
    if rule.arguments:
        yield HTTPStatus.NOT_FOUND


_IDEMPOTENCY = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "A new random value for each new request.",
}
