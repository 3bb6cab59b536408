# SPDX-License-Identifier: Apache-2.0
"""Every error is a problem of RFC 9457, the framework's own included."""

import pytest
import structlog
from flask import abort

from hub.api.errors import TABLE
from hub.domain import errors as domain
from hub.domain.errors import BadInputError, BudgetError, Flaw, HubError
from hub.web import errors as web
from hub.web.policy import PUBLIC, policy
from hub.web.problems import MOST_FLAWS


def view_that(raises):
    @policy(PUBLIC)
    def view():
        raise raises

    return view


@pytest.fixture
def told(serve):
    def problem_of(error):
        answer = serve(("/", "GET", view_that(error))).get("/")
        assert answer.mimetype == "application/problem+json"
        assert answer.get_json()["status"] == answer.status_code
        assert answer.get_json()["request_id"] == answer.headers["Request-Id"]
        return answer

    return problem_of


def family(kind):
    return {kind}.union(*(family(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize(
    "kind",
    [kind for module in (domain, web) for kind in vars(module).values()
     if isinstance(kind, type) and issubclass(kind, HubError)],
)  # fmt: skip
def test_every_error_of_the_hub_has_a_row_in_the_table(kind):
    assert kind.slug in TABLE


def test_unknown_address_is_a_problem(serve):
    answer = serve().get("/nowhere")

    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.get_json()["type"] == "urn:breakwater:problem:not-found"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_wrong_method_is_a_problem_that_names_the_right_ones(serve, method):
    client = serve(("/", "GET", view_that(KeyError())))

    answer = client.open("/", method=method)

    assert (answer.status_code, answer.mimetype) == (405, "application/problem+json")
    assert "GET" in answer.headers["Allow"]


def test_own_fault_is_a_500_that_tells_nothing_of_it(told):
    with structlog.testing.capture_logs() as lines:
        answer = told(ValueError("canary"))

    assert answer.status_code == 500
    assert "canary" not in answer.text
    failure = next(line for line in lines if line["event"] == "request_failed")
    assert failure["request_id"] == answer.headers["Request-Id"]


@pytest.mark.parametrize("status", [400, 408, 418, 431])
def test_what_the_framework_refuses_is_a_problem(serve, status):
    @policy(PUBLIC)
    def view():
        abort(status)

    answer = serve(("/", "GET", view)).get("/")

    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_flaws_are_listed_with_their_place(told):
    error = BadInputError([Flaw("unknown-word", "No such word.", 7, "harm"), Flaw("x", "Odd.")])

    answer = told(error).get_json()

    assert answer["errors"] == [
        {
            "type": "urn:breakwater:problem:unknown-word",
            "detail": "No such word.",
            "index": 7,
            "field": "harm",
        },
        {"type": "urn:breakwater:problem:x", "detail": "Odd."},
    ]


def test_at_most_a_hundred_flaws_are_listed_and_all_are_counted(told):
    answer = told(BadInputError([Flaw("x", "Odd.", row) for row in range(1_000)])).get_json()

    assert len(answer["errors"]) == MOST_FLAWS
    assert "1000" in answer["detail"]


def test_subclass_with_a_slug_of_its_own_takes_the_status_of_its_family(told):
    class OwnError(BadInputError):
        slug = "a-slug-of-its-own"

    answer = told(OwnError([Flaw("y", "Odd.")]))

    assert answer.status_code == TABLE["bad-input"][0]
    assert answer.get_json()["type"] == "urn:breakwater:problem:a-slug-of-its-own"


def test_used_up_budget_says_when_to_come_back(told):
    answer = told(BudgetError("Used up.", 3600))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
