# SPDX-License-Identifier: Apache-2.0
"""A lookup is answered without Flask; whoever reaches the view through Flask is told the same."""

import struct

import pytest

from hub.api.schemas.matches import MAGIC, PACKED
from tests.support.codes import flipped, pdq
from tests.support.saying import contributed, picture


@pytest.fixture
def known(shared, alpha):
    code = pdq()
    contributed(alpha, picture(pdq=code), shared)
    return code


def asked(caller, method, **options):
    """The status and body of an answer, without what is new in each."""
    headers = {"Authorization": f"Bearer {caller.secret}"}
    answer = caller.client.post(
        options.pop("path", "/v1/match"),
        headers=headers,
        environ_overrides={"REQUEST_METHOD": method},
        **options,
    )
    told = answer.get_json()
    told.pop("request_id", None)
    for one in told.get("answers", ()):
        for hit in one.get("hits", ()):
            assert hit.pop("receipt")
    told.get("index", {}).pop("lag_ms", None)
    return answer.status_code, answer.mimetype, told


@pytest.mark.parametrize(
    "body",
    [
        {"codes": {"pdq": ["KNOWN", "NEAR", "UNKNOWN", "not a code"]}},
        {"items": [{"ref": "mine", "codes": [{"signal": "pdq", "code": "NEAR", "quality": 90}]}]},
        {"items": [{"codes": [{"signal": "pdq", "code": "KNOWN", "quality": 1}]}]},
        {"items": []},
        {"nothing": 1},
    ],
)
@pytest.mark.parametrize("path", ["/v1/match", "/v1/match?explain=1", "/v1/match?explain=2"])
def test_flask_and_the_short_way_say_the_same(beta, known, body, path):
    named = {"KNOWN": known, "NEAR": flipped(known, 20), "UNKNOWN": pdq()}

    told = [
        asked(beta, method, path=path, json=_named(body, named)) for method in ("POST", "post")
    ]

    assert told[0] == told[1]


@pytest.mark.parametrize("cut", [0, 1])
def test_they_say_the_same_of_packed_bodies(beta, known, cut):
    packed = MAGIC + struct.pack(">BI", 0, 1) + bytes.fromhex(known)
    options = {"data": packed[: len(packed) - cut], "content_type": PACKED}

    told = [asked(beta, method, **options) for method in ("POST", "post")]

    assert told[0] == told[1]
    assert told[0][0] == (422 if cut else 200)


@pytest.mark.parametrize("sent", [b" ", b"{", b'{"codes": {}, "codes": {}}', b'{"codes": NaN}'])
def test_they_refuse_the_same_bodies(beta, sent):
    told = [
        asked(beta, method, data=sent, content_type="application/json")
        for method in ("POST", "post")
    ]

    assert told[0] == told[1]
    assert told[0][:2] == (400, "application/problem+json")


def _named(value, named):
    if isinstance(value, dict):
        return {key: _named(inner, named) for key, inner in value.items()}
    if isinstance(value, list):
        return [_named(inner, named) for inner in value]
    return named.get(value, value)
