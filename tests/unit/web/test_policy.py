# SPDX-License-Identifier: Apache-2.0
"""A route that does not say who may use it is never served."""

import pytest
from flask import Flask
from flask.views import MethodView

from hub.web.idempotency import writes
from hub.web.policy import PUBLIC, NoPolicyError, policies, policy


def app_with(view, *methods):
    app = Flask("hub", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.add_url_rule("/", "view", view, methods=methods)
    return app


def test_route_without_a_policy_is_refused():
    with pytest.raises(NoPolicyError, match="GET view has no policy"):
        policies(app_with(lambda: "", "GET"))


def test_one_method_without_a_policy_is_enough_to_be_refused():
    class View(MethodView):
        @policy(PUBLIC)
        def get(self):
            return ""

        def post(self):
            return ""

    with pytest.raises(NoPolicyError, match="POST view has no policy"):
        policies(app_with(View.as_view("view"), "GET", "POST"))


def test_policy_of_one_method_does_not_guard_another():
    @policy(PUBLIC)
    def view():
        return ""

    with pytest.raises(NoPolicyError, match="several methods"):
        policies(app_with(view, "GET", "POST"))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing_method_without_idempotency_is_refused(method):
    @policy(PUBLIC)
    def view():
        return ""

    with pytest.raises(NoPolicyError, match="either writes"):
        policies(app_with(view, method))


def test_get_that_writes_is_refused():
    view = policy(PUBLIC)(writes(lambda once: once))

    with pytest.raises(NoPolicyError, match="either writes"):
        policies(app_with(view, "GET"))


def test_policy_and_head_are_found_by_endpoint_and_method():
    @policy("match")
    def view():
        return ""

    known = policies(app_with(view, "GET"))

    assert {pair: one.scope for pair, one in known.items()} == {
        ("view", "GET"): "match",
        ("view", "HEAD"): "match",
    }
