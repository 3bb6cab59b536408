# SPDX-License-Identifier: Apache-2.0
"""The gate: nothing is served that the policy of the route does not allow."""

import pytest
from flask import g, request

from hub.web.loader import strict_json
from hub.web.policy import ANY_KEY, JSON, PUBLIC, policy

GOOD = {"Authorization": "Bearer good"}


@policy(PUBLIC)
def open_to_all():
    return {"asker": g.asker}


@policy(ANY_KEY)
def any_key():
    return {"member": g.asker.member}


@policy("match")
def allowed():
    return {"member": g.asker.member}


@policy("admin")
def forbidden():
    return {"secret": True}


@policy("match", accepts=(JSON, "application/vnd.example"), max_bytes=100, asks=True)
def echo():
    return {"read": strict_json(request)}


@pytest.fixture
def client(serve):
    return serve(
        ("/open", "GET", open_to_all),
        ("/any", "GET", any_key),
        ("/allowed", "GET", allowed),
        ("/forbidden", "GET", forbidden),
        ("/echo", "POST", echo),
    )


def test_public_route_asks_for_no_key(client):
    assert client.get("/open").get_json() == {"asker": None}


@pytest.mark.parametrize("path", ["/allowed", "/any"])
def test_valid_key_with_the_scope_passes_and_the_asker_is_known(client, path):
    answer = client.get(path, headers=GOOD)

    assert (answer.status_code, answer.get_json()) == (200, {"member": 2})


@pytest.mark.parametrize("path", ["/allowed", "/any", "/forbidden"])
@pytest.mark.parametrize(
    "header", [None, "", "Bearer bad", "Basic Z29vZA==", "good", "Bearer \xff"]
)
def test_every_kind_of_bad_key_gets_the_same_answer(client, path, header):
    headers = {} if header is None else {"Authorization": header}

    answer = client.get(path, headers={**headers, "X-Request-Id": "always-the-same"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.get_json() == {
        "type": "urn:breakwater:problem:unauthorized",
        "title": "No valid key",
        "status": 401,
        "detail": "Send a valid key: Authorization: Bearer bw_…",
        "request_id": "always-the-same",
    }


def test_key_without_the_scope_is_forbidden(client):
    answer = client.get("/forbidden", headers=GOOD)

    assert answer.status_code == 403
    assert answer.get_json()["type"] == "urn:breakwater:problem:forbidden"


def test_head_is_guarded_as_get_is(client):
    assert client.head("/forbidden", headers=GOOD).status_code == 403
    assert client.head("/forbidden").status_code == 401


@pytest.mark.parametrize(
    ("headers", "body", "status", "slug"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415, "unsupported-media-type"),
        (
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"a=1",
            415,
            "unsupported-media-type",
        ),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b"--x--",
            415,
            "unsupported-media-type",
        ),
        ({"Content-Type": JSON + "; charset=latin-1"}, b"{}", 415, "unsupported-media-type"),
        ({}, b"{}", 415, "unsupported-media-type"),
        ({"Content-Type": JSON, "Content-Encoding": "gzip"}, b"{}", 415, "unsupported-media-type"),
        ({"Content-Type": JSON, "Content-Encoding": "zstd"}, b"{}", 415, "unsupported-media-type"),
        ({"Content-Type": JSON}, b"[" + b" " * 99 + b"]", 413, "too-large"),
        ({"Content-Type": JSON}, b"{", 400, "malformed-json"),
    ],
)
def test_body_that_is_not_fit_is_refused(client, headers, body, status, slug):
    answer = client.post("/echo", data=body, headers={**GOOD, **headers})

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.get_json()["type"] == f"urn:breakwater:problem:{slug}"


@pytest.mark.parametrize("kind", [JSON, JSON + "; charset=UTF-8", "application/vnd.example"])
def test_body_of_a_type_that_the_route_takes_is_read(client, kind):
    answer = client.post("/echo", data=b"[1]", headers={**GOOD, "Content-Type": kind})

    assert answer.get_json() == {"read": [1]}


@pytest.mark.parametrize("length", ["101", "0" * 16 + "101", "1" + "0" * 30])
def test_too_long_a_body_is_refused_before_any_of_it_is_read(client, length):
    class Unreadable:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = read

    answer = client.post(
        "/echo",
        headers={**GOOD, "Content-Type": JSON},
        environ_overrides={"CONTENT_LENGTH": length, "wsgi.input": Unreadable()},
    )

    assert answer.status_code == 413


@pytest.mark.parametrize("length", [None, "", "-1", "+5", "1e3", "٣", "0x10"])
def test_body_of_unknown_length_is_refused(client, length):
    environ = {"CONTENT_LENGTH": length} if length is not None else {}

    answer = client.post(
        "/echo",
        headers={**GOOD, "Content-Type": JSON, "Transfer-Encoding": "chunked"},
        environ_overrides=environ,
    )

    assert answer.status_code == 411


def test_body_where_none_is_taken_is_refused(client):
    answer = client.get("/allowed", data=b"{}", headers=GOOD)

    assert answer.get_json()["type"] == "urn:breakwater:problem:unexpected-body"


def test_too_many_requests_are_told_when_to_come_back_and_then_served(serve, hub):
    client = serve(("/allowed", "GET", allowed), rate=0.5, burst=2)
    assert [client.get("/allowed", headers=GOOD).status_code for _ in range(2)] == [200, 200]

    refused = client.get("/allowed", headers=GOOD)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert refused.get_json()["type"] == "urn:breakwater:problem:too-many-requests"
    hub.monotonic.now += int(refused.headers["Retry-After"])
    assert client.get("/allowed", headers=GOOD).status_code == 200
