# SPDX-License-Identifier: Apache-2.0
"""What every answer carries, and what is written down of it."""

import re

import pytest
import structlog

from hub.web.headers import UNCACHED
from hub.web.policy import PUBLIC, policy


@policy(PUBLIC)
def fine():
    return {}


@policy(PUBLIC)
def broken():
    raise RuntimeError


@pytest.fixture
def client(serve):
    return serve(("/fine/<word>", "GET", lambda_with(fine)), ("/broken", "GET", broken))


def lambda_with(view):
    @policy(PUBLIC)
    def worded(word):
        del word
        return view()

    return worded


@pytest.mark.parametrize("path", ["/fine/x", "/broken", "/nowhere"])
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers

    assert {name: headers[name] for name, _ in UNCACHED} == dict(UNCACHED)
    assert "Server" not in headers
    assert not any(name.startswith("Access-Control") for name in headers.keys())  # noqa: SIM118 - not a dict


def test_well_formed_request_id_of_the_caller_is_kept(client):
    answer = client.get("/fine/x", headers={"X-Request-Id": "abc-12345"})

    assert answer.headers["Request-Id"] == "abc-12345"


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 41, "a b c d e f g", "5a" * 32, "+15550100123"]
)
def test_odd_request_id_is_replaced(client, given):
    answer = client.get("/fine/x", headers={"X-Request-Id": given})

    assert re.fullmatch("[0-9a-f]{16}", answer.headers["Request-Id"])


def test_one_line_a_request_with_the_route_and_not_the_path(client, hub):
    with structlog.testing.capture_logs() as lines:
        answer = client.get("/fine/canary?word=canary")

    (line,) = lines
    assert (line["event"], line["route"], line["method"]) == ("request", "/fine/<word>", "GET")
    assert (line["status"], line["request_id"]) == (200, answer.headers["Request-Id"])
    assert "canary" not in str(lines)
    assert hub.metrics.requests == [("/fine/<word>", "GET", 200)]


@pytest.mark.parametrize(("method", "path"), [("GET", "/canary"), ("CANARY", "/broken")])
def test_words_of_the_caller_become_no_metric_and_no_log(client, hub, method, path):
    with structlog.testing.capture_logs() as lines:
        client.open(path, method=method)

    assert "canary" not in (str(lines) + str(hub.metrics.requests)).lower()
