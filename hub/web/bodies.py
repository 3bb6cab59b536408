# SPDX-License-Identifier: Apache-2.0
"""The body of a request that passed the gate, and what it says it is."""

from collections.abc import Mapping
from typing import Any

from werkzeug.http import parse_options_header

from hub.web.policy import JSON


def media_type(environ: Mapping[str, Any]) -> str:
    """The media type of the body, without its parameters."""
    content_type: str = environ.get("CONTENT_TYPE", "")
    # Nearly always it is this, and to look for parameters costs as much as to read the body.
    return content_type if content_type == JSON else parse_options_header(content_type)[0]


def sent_body(environ: Mapping[str, Any]) -> bytes:
    """The whole body; its announced length is there, and no longer than the policy allows."""
    body: bytes = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    return body
