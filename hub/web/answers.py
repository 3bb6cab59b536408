# SPDX-License-Identifier: Apache-2.0
"""How values become responses: always by orjson, so that the same answer is the same bytes."""

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider

from hub.domain.answers import Answer

MEDIA_TYPE = "application/json"
NO_CONTENT = 204


def answered(answer: Answer) -> Response:
    """The response that carries an answer."""
    body = b"" if answer.status == NO_CONTENT else orjson.dumps(answer.body)
    return Response(body, answer.status, mimetype=MEDIA_TYPE)


class OrjsonProvider(JSONProvider):
    """What Flask uses when a view returns a plain value."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        """The text of a value."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """The value of a text; requests are read by ``hub.web.loader`` instead."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """The response that carries a value."""
        return Response(
            orjson.dumps(self._prepare_response_obj(args, kwargs)), mimetype=MEDIA_TYPE
        )
