# SPDX-License-Identifier: Apache-2.0
"""Blueprints whose routes are documented by what they are: policy, forms, answers.

``arguments`` is flask-smorest's, reading bodies with the strict loader. ``takes`` and ``answers``
only document: the view reads and answers by itself, without a layer in between.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn

import flask_smorest
from flask import Request
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

from hub.web.loader import strict_json
from hub.web.policy import JSON, View, note


class StrictParser(FlaskParser):
    """Reads bodies strictly and lets schemas say what is unknown."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 - the library's own name

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The body's value."""
        del schema
        return strict_json(req)

    def handle_error(self, error: ValidationError, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Leave the error to the one table of errors."""
        raise error


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # ships no types
    """A topic's routes."""

    ARGUMENTS_PARSER = StrictParser()

    @staticmethod
    def answers(
        status: int,
        schema: type[Schema] | dict[str, Any] | None = None,
        *,
        description: str | None = None,
        content_type: str = JSON,
    ) -> Callable[[View], View]:
        """Document an answer of the view."""
        answer: dict[str, Any] = {"description": description or HTTPStatus(status).phrase}
        if schema is not None:
            answer["content"] = {content_type: {"schema": schema}}

        def document(view: View) -> View:
            manual = _manual(view)
            note(view, manual_doc={
                **manual, "responses": {**manual.get("responses", {}), str(status): answer},
            })  # fmt: skip
            return view

        return document

    @staticmethod
    def takes(
        schema: type[Schema] | dict[str, Any], *, content_type: str = JSON
    ) -> Callable[[View], View]:
        """Document a body that the view reads by itself; say it again for a second media type."""

        def document(view: View) -> View:
            manual = _manual(view)
            content = manual.get("requestBody", {}).get("content", {})
            body = {"required": True, "content": {**content, content_type: {"schema": schema}}}
            note(view, manual_doc={**manual, "requestBody": body})
            return view

        return document

    @staticmethod
    def queried(name: str, schema: dict[str, Any], description: str) -> Callable[[View], View]:
        """Document a parameter of the query string that the view reads by itself."""
        parameter = {"in": "query", "name": name, "schema": schema, "description": description}

        def document(view: View) -> View:
            manual = _manual(view)
            parameters = [*manual.get("parameters", []), parameter]
            note(view, manual_doc={**manual, "parameters": parameters})
            return view

        return document


def _manual(view: Callable[..., Any]) -> dict[str, Any]:
    manual: dict[str, Any] = view.__dict__.get("_apidoc", {}).get("manual_doc", {})
    return manual
