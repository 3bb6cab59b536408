# SPDX-License-Identifier: Apache-2.0
"""What is answered without Flask looks as if Flask had answered it, and fails as it would."""

import io

import pytest
import structlog
from flask import Response, g, request
from werkzeug.test import run_wsgi_app

from hub.domain.errors import NotFoundError
from hub.web import current
from hub.web.bodies import sent_body
from hub.web.direct import Route
from hub.web.policy import JSON, policy

GOOD = {"HTTP_AUTHORIZATION": "Bearer good"}
PATH = "/ask"
BODY = b'{"what": 1}'


class UntoldError(Exception):
    """Nobody expects it."""


def answer(environ, asker, hub):
    assert hub.metrics
    body = sent_body(environ)
    if body == b"nothing":
        raise NotFoundError("thing")
    if body == b"trouble":
        raise UntoldError("canary")
    return b'{"member": %d, "sent": %d}' % (asker.member, len(body))


@policy("match", accepts=(JSON,), max_bytes=100, asks=True)
def ask():
    return Response(answer(request.environ, g.asker, current()), mimetype=JSON)


DIRECT = Route(PATH, "POST", ask.__dict__["_apidoc"]["policy"], answer)


@pytest.fixture
def app(serve):
    return serve((PATH, "POST", ask), direct=[DIRECT])


@pytest.fixture
def call(app):
    """Send a request as a server would; Flask takes the method in any case, the other way not."""

    def called(body=BODY, method="POST", **environ):
        sent = {
            "REQUEST_METHOD": method,
            "PATH_INFO": PATH,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": JSON,
            "HTTP_X_REQUEST_ID": "request-1",
            **environ,
        }
        answered, status, headers = run_wsgi_app(app.application, sent)
        return status, sorted(headers), b"".join(answered)

    return called


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        (BODY, GOOD, 200),
        (BODY, {}, 401),
        (BODY, {**GOOD, "CONTENT_TYPE": "text/plain"}, 415),
        (BODY, {**GOOD, "CONTENT_LENGTH": "101"}, 413),
        (BODY, {**GOOD, "CONTENT_LENGTH": ""}, 411),
        (b"nothing", GOOD, 404),
        (b"trouble", GOOD, 500),
    ],
)
def test_both_ways_answer_and_count_the_same_to_the_byte(call, hub, body, more, status):
    directly = call(body, **more)
    by_flask = call(body, method="post", **more)

    assert directly == by_flask
    assert directly[0].startswith(f"{status} ")
    assert hub.metrics.requests == [(PATH, "POST", status)] * 2


def test_a_request_that_fails_is_taken_from_the_bucket_once(serve):
    client = serve((PATH, "POST", ask), direct=[DIRECT], rate=1.0, burst=2.0)
    headers = {"Authorization": "Bearer good", "Content-Type": JSON}

    statuses = [client.post(PATH, data=b"nothing", headers=headers).status_code for _ in range(3)]

    assert statuses == [404, 404, 429]


def test_of_a_failure_its_place_is_written_down_and_not_its_message(call):
    with structlog.testing.capture_logs() as lines:
        call(b"trouble", **GOOD)

    failed = next(line for line in lines if line["event"] == "request_failed")
    assert isinstance(failed["exc_info"], UntoldError)
    frames = []
    trace = failed["exc_info"].__traceback__
    while trace:
        frames.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert frames[-1] == "answer"
    told = next(line for line in lines if line["event"] == "request")
    assert (told["member"], told["status"]) == ("mem_" + "a" * 26, 500)


def test_whatever_else_is_at_that_address_is_flasks(call):
    status, headers, _ = call(method="GET", **GOOD)

    assert status.startswith("405 ")
    assert ("Allow", "POST") in headers
