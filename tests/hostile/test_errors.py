# SPDX-License-Identifier: Apache-2.0
"""How we answer a partner whom we do not give what it asks for: as federation.md §6 says."""

from pathlib import Path

import pytest

from hub.app import create_app
from tests.hostile.asking import BUNDLE, BUNDLES, ZIP, posted, request, sent
from tests.hostile.contract import NOW, today
from tests.support.saying import problem
from tests.vectors.federation.carried import OUT as CARRIED, bundle, peer

PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol" / "federation.md"


def test_a_bundle_as_it_should_be_is_taken(asked):
    """Which is what makes the refusals below refusals of what was changed."""
    with today(NOW):
        answer = sent(asked, posted(asked, BUNDLE))

    told = {"applied": 6, "size": 6, "kept": 2, "refused": 0}
    assert (answer.status_code, answer.json) == (200, told)


def asked_for(path, headers=(), **more):
    return {"method": "GET", "path": f"/fed/v1{path}", "headers": dict(headers), **more}


def put(data=b"", **headers):
    return {"method": "POST", "path": BUNDLES, "headers": headers, "data": data}


@pytest.mark.parametrize(
    ("request_", "status", "slug"),
    [
        (asked_for("/ops", data=b"a"), 400, "unexpected-body"),
        (asked_for("/nothing"), 404, "not-found"),
        ({"method": "DELETE", "path": "/fed/v1/ops", "headers": {}}, 405, "method-not-allowed"),
        (put(**{"Content-Type": ZIP, "Transfer-Encoding": "chunked"}), 411, "length-required"),
        (put(bytes(2**25 + 1), **{"Content-Type": ZIP}), 413, "too-large"),
        (put(BUNDLE, **{"Content-Type": "text/html"}), 415, "unsupported-media-type"),
        (
            put(BUNDLE, **{"Content-Type": ZIP, "Content-Encoding": "gzip"}),
            415,
            "unsupported-media-type",
        ),
    ],
)
def test_what_nobody_can_have_signed_is_told_before_the_signature_is_looked_at(
    asked, request_, status, slug
):
    client = create_app(asked.settings, asked.hub).test_client()

    answer = client.open(request_.pop("path"), **request_)

    assert (answer.status_code, problem(answer)) == (status, slug)
    assert "Signature" not in answer.headers
    assert f"| {status} | `{slug}` |" in PROTOCOL.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/ops?from=1&from=1", 400, "malformed-request"),
        ("/ops?from=01", 400, "malformed-request"),
        ("/ops?from=%2B1", 400, "malformed-request"),
        ("/ops?from=" + "1" * 19, 400, "malformed-request"),
        ("/ops?since=1", 400, "malformed-request"),
        ("/ops?only=assert", 400, "malformed-request"),
        ("/yours?size=1", 400, "malformed-request"),
        ("/peers/hub-d.example/checkpoint", 404, "not-found"),
        ("/ops?from=99", 409, "not-so-long"),
        ("/ops?size=99", 409, "not-so-long"),
    ],
)
def test_a_refusal_to_a_partner_is_signed(asked, path, status, slug):
    answer = sent(asked, request(asked, target=f"/fed/v1{path}"))

    assert (answer.status_code, problem(answer)) == (status, slug)
    assert answer.headers["Signature"]
    assert f"| {status} | `{slug}` |" in PROTOCOL.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("data", "alarm"),
    [((CARRIED / "cut.zip").read_bytes(), "malformed"), (bundle(peer(), 5), "gap")],
)
def test_a_bundle_that_is_not_believed_is_told_why(asked, data, alarm):
    with today(NOW):
        answer = sent(asked, posted(asked, data))

    assert (answer.status_code, problem(answer)) == (422, "refused")
    assert answer.json["detail"] == alarm
    assert answer.headers["Signature"]
    assert "| 422 | `refused` |" in PROTOCOL.read_text(encoding="utf-8")
