# SPDX-License-Identifier: Apache-2.0
"""The API's own description: ``/openapi.json``, and a page at ``/docs`` that shows it.

The page's scripts are vendored (``static/vendor.lock``): nothing is fetched from elsewhere, and
its content security policy is the same as every other answer's.
"""

from collections.abc import Mapping
from importlib import resources
from typing import Any

import orjson
from flask import Flask, Response, current_app

from hub.web.answers import MEDIA_TYPE
from hub.web.policy import PUBLIC, policy

EXTENSION = "breakwater.openapi"
FILES: Mapping[str, tuple[str, str]] = {
    "/docs": ("docs.html", "text/html"),
    "/docs/docs.js": ("docs.js", "text/javascript"),
    "/docs/swagger-ui-bundle.js": ("swagger-ui-bundle.js", "text/javascript"),
    "/docs/swagger-ui.css": ("swagger-ui.css", "text/css"),
}
_A_DAY = "public, max-age=86400"


def written(document: Mapping[str, Any]) -> bytes:
    """The document as it is served and committed."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def add_pages(app: Flask) -> None:
    """Serve the page, its files and the document."""
    app.add_url_rule("/openapi.json", "openapi", _document)
    folder = resources.files("hub.api").joinpath("static")
    for path, (name, media_type) in FILES.items():
        _add_file(app, path, folder.joinpath(name).read_bytes(), media_type)


def _add_file(app: Flask, path: str, body: bytes, media_type: str) -> None:
    @policy(PUBLIC)
    def serve() -> Response:
        response = Response(body, mimetype=media_type)
        response.headers["Cache-Control"] = _A_DAY
        return response

    app.add_url_rule(path, path.strip("/").replace(".", "-"), serve)


@policy(PUBLIC)
def _document() -> Response:
    return Response(current_app.extensions[EXTENSION], mimetype=MEDIA_TYPE)
