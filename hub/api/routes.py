# SPDX-License-Identifier: Apache-2.0
"""Every route of the API, and the document that describes them."""

from collections.abc import Mapping

from flask import Flask

from hub.api import access, docs, errors, exchange, following, indicators, matches, openapi, status
from hub.web.direct import Route
from hub.web.policy import Policy

BLUEPRINTS = (
    indicators.blueprint,
    matches.blueprint,
    following.blueprint,
    *access.BLUEPRINTS,
    status.blueprint,
)


def add_routes(app: Flask) -> openapi.HubApi:
    """Add every route of the API, and the one table of its errors."""
    errors.register(app)
    made = openapi.make_api(app)
    for blueprint in BLUEPRINTS:
        made.register_blueprint(blueprint)
    docs.add_pages(app)
    # Not of the API for members: docs/protocol/federation.md describes it.
    app.register_blueprint(exchange.blueprint)
    return made


def direct(app: Flask, known: Mapping[tuple[str, str], Policy]) -> list[Route]:
    """The routes that need nothing of Flask's, with what their views call."""
    views = {("matches.match", "POST"): matches.answer}
    return [
        Route(rule.rule, method, known[endpoint, method], view)
        for (endpoint, method), view in views.items()
        for rule in app.url_map.iter_rules(endpoint)
    ]


def describe(app: Flask, made: openapi.HubApi, known: Mapping[tuple[str, str], Policy]) -> None:
    """Write the OpenAPI document, once all routes and policies are known."""
    document = openapi.document(made, app, known)
    app.extensions[docs.EXTENSION] = docs.written(document)
