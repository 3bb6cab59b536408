# SPDX-License-Identifier: Apache-2.0
r"""The one strict JSON loader: what Python's own takes and should not, is refused here.

The C scanner of the standard library does the work (a 650 KB body of strings costs about a
millisecond); it hands over objects as pairs, so that a duplicate key is seen. Only where ``\u``
occurs, orjson reads the body a second time: it refuses lone surrogates, which the scanner makes.
"""

import json
import math
import re
from typing import Any

import orjson
from flask import Request

from hub.web.errors import MalformedBodyError

MAX_DIGITS = 19  # a signed 64-bit integer

_BOM = b"\xef\xbb\xbf"
# An escaped NUL: \u0000 behind an even number of backslashes.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def strict_json(request: Request) -> Any:
    """The JSON value that the request's body is.

    Raises:
        MalformedBodyError: It is none, or one with a trap.
    """
    return load(request.get_data())


def load(body: bytes) -> Any:
    """The JSON value of *body*; see ``strict_json``."""
    text = _text(body)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        detail = f"Not JSON at character {error.pos + 1}: {error.msg}."
        raise MalformedBodyError("json-syntax", detail) from None
    except RecursionError:
        raise MalformedBodyError("json-depth", "The body nests too deep.") from None
    if "\\u" in text:
        _check_escapes(body)
    return value


def _text(body: bytes) -> str:
    if not body:
        raise MalformedBodyError("json-empty", "The body is empty; it must be a JSON value.")
    if body.startswith(_BOM):
        raise MalformedBodyError(
            "json-bom", "The body begins with a byte order mark; leave it out."
        )
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        detail = f"The body is not UTF-8 at byte {error.start + 1}."
        raise MalformedBodyError("json-encoding", detail) from None


def _check_escapes(body: bytes) -> None:
    if _NUL.search(body):
        raise MalformedBodyError("json-nul", "A string holds the character U+0000.")
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedBodyError(
            "json-surrogate", "A string holds half a surrogate pair."
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise MalformedBodyError("json-duplicate-key", "An object names the same key twice.")
    return made


def _constant(_name: str) -> Any:
    raise MalformedBodyError("json-number", "NaN and Infinity are no JSON numbers.")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise MalformedBodyError("json-number", f"A number has more than {MAX_DIGITS} digits.")
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedBodyError("json-number", "A number is too large.")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_real
)
