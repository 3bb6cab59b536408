# SPDX-License-Identifier: Apache-2.0
"""What a writing view is told of the request, and what a repeated one is answered."""

import pytest

from hub.domain.answers import Answer, RepeatedError
from hub.web.idempotency import writes
from hub.web.policy import ANY_KEY, JSON, policy

GOOD = {"Authorization": "Bearer good"}


@pytest.fixture
def seen():
    return []


@pytest.fixture
def client(serve, seen):
    @policy(ANY_KEY, accepts=(JSON,))
    @writes
    def view(once):
        if once in seen:
            raise RepeatedError(Answer(201, {"id": "first"}))
        seen.append(once)
        return Answer(201, {"id": "first"})

    return serve(("/things", "POST", view), ("/others", "POST", renamed(view)))


def renamed(view):
    def other():
        return view()

    other.__dict__.update(view.__dict__)
    return other


def send(client, path="/things", name="a-key", body=b"{}", **headers):
    headers = {**GOOD, **headers}
    if name is not None:
        headers["Idempotency-Key"] = name
    return client.post(path, data=body, headers=headers, content_type=JSON)


def test_repeated_request_is_answered_byte_for_byte(client):
    first = send(client)

    second = send(client)

    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.status_code == 201


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        (None, "missing"),
        ("", "missing"),
        ("x" * 256, "malformed"),
        ("two words", "malformed"),
        ("ünïcode", "malformed"),
        ("a\tb", "malformed"),
    ],
)
def test_missing_or_odd_name_is_refused_before_anything_is_done(client, seen, name, slug):
    answer = send(client, name=name)

    assert answer.status_code == 400
    assert answer.get_json()["type"] == f"urn:breakwater:problem:idempotency-key-{slug}"
    assert seen == []


@pytest.mark.parametrize("name", ["x", "x" * 255, "!~-_.:/+="])
def test_any_visible_ascii_is_a_name(client, seen, name):
    assert send(client, name=name).status_code == 201
    assert [once.name for once in seen] == [name]


@pytest.mark.parametrize(
    "other",
    [{"body": b"{ }"}, {"path": "/others"}, {"path": "/things?atomic=true"}],
)
def test_another_request_has_another_fingerprint(client, seen, other):
    send(client)

    send(client, **other)

    first, second = seen
    assert first.fingerprint != second.fingerprint


def test_fingerprint_does_not_depend_on_headers(client, seen):
    send(client)

    send(client, **{"X-Request-Id": "another-one", "User-Agent": "other"})

    assert len(seen) == 1
