# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document: valid, strict, whole, and the same as the committed one."""

import json
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from hub.app import openapi

COMMITTED = Path(__file__).parents[3] / "docs" / "api" / "openapi.json"
FREE = {"/livez", "/readyz"}


@pytest.fixture(scope="module")
def document():
    return json.loads(openapi())


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield path, method, operation


def test_document_is_valid(document):
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_committed_document_is_this_versions():
    assert COMMITTED.read_bytes() == openapi(), "run breakwater openapi, and commit"


def test_writing_it_twice_gives_the_same_bytes():
    assert openapi() == openapi()


def test_every_schema_refuses_what_it_does_not_name(document):
    loose = [
        name
        for name, schema in document["components"]["schemas"].items()
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False
    ]

    assert loose == []


def test_every_operation_but_the_health_checks_wants_a_key(document):
    for path, method, operation in operations(document):
        assert ("security" in operation) == (path not in FREE), (method, path)
        if path not in FREE:
            assert "401" in operation["responses"]


def test_every_error_is_a_problem(document):
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                name = response["$ref"].rpartition("/")[2]
                content = document["components"]["responses"][name]["content"]
                assert list(content) == ["application/problem+json"], (method, path, status)


def test_every_writing_operation_demands_an_idempotency_key(document):
    asking = {"/v1/match", "/v1/accounts/match"}
    for path, method, operation in operations(document):
        demanded = any(
            parameter["name"] == "Idempotency-Key" and parameter["required"]
            for parameter in operation.get("parameters", ())
        )
        assert demanded == (method != "get" and path not in asking), (method, path)


def test_every_operation_says_what_it_does_under_a_name_of_its_own(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert all(operation["summary"] for _, _, operation in operations(document))
    assert len(set(names)) == len(names)


def test_no_secret_is_asked_for_in_an_address(document):
    for path, method, operation in operations(document):
        item = document["paths"][path]
        for parameter in [*item.get("parameters", ()), *operation.get("parameters", ())]:
            words = set(parameter["name"].split("_"))
            assert not words & {"code", "hash", "key", "secret", "value", "account"} or (
                parameter["name"] == "key_id"
            ), (method, path)
