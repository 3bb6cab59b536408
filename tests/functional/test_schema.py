# SPDX-License-Identifier: Apache-2.0
"""Schemathesis against the OpenAPI document: no server error, no answer that is not documented.

Every operation is asked by three identities, with what its schema allows and with what it does
not, half of the time about things that there are. ``BREAKWATER_SCHEMA_CASES`` says how many cases;
CI runs 5,000.
"""

import json
import math
import os
import uuid

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.app import openapi
from tests.support.clock import Clock
from tests.support.contributions import contribution, pdq_code
from tests.support.house import House

IDENTITIES = ("admin", "contributor", "nobody")
"""Whoever may do most comes first: hypothesis is fond of first ones."""
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = {
    (path, method): [*item.get("parameters", ()), *operation.get("parameters", ()), *bodies]
    for path, item in json.loads(openapi())["paths"].items()
    for method, operation in item.items()
    if method in {"get", "post", "put", "delete", "patch"}
    for bodies in [[operation["requestBody"]] if "requestBody" in operation else []]
}
TAKING = [name for name, inputs in OPERATIONS.items() if inputs]
"""Operations with something in them that can be right or wrong."""
BARE = [name for name, inputs in OPERATIONS.items() if not inputs]

LOOKUPS = frozenset({"/v1/match", "/v1/accounts/match", "/v1/changes"})
BY_ROW = frozenset({"/v1/match", "/v1/accounts/match", "/v1/indicators", "/v1/outcomes"})
"""One bad row there is answered as such and harms no other."""

CASES = int(
    os.environ.get("BREAKWATER_SCHEMA_CASES") or (5000 if os.environ.get("CI") == "true" else 500)
)
EACH = math.ceil(CASES / (len(TAKING) * len(MODES)))


@pytest.fixture(scope="module")
def world(tmp_path_factory, sqlite_databases, valkey_url):
    folder = tmp_path_factory.mktemp("schema")
    house = House(
        folder,
        database_url=sqlite_databases.fresh(folder),
        redis_url=valkey_url,
        clock=Clock(),
    )
    yield World(house)
    house.close()


class World:
    """A hub, who asks it, and the ids of things that there are."""

    def __init__(self, house):
        self.house = house
        shared = house.set("shared")
        contributor = house.admit("contributor.example.com", sets=[shared])
        admin = house.admit("admin.example.com", role="admin", sets=[shared])
        self.secrets = {"nobody": None, "contributor": contributor.secret, "admin": admin.secret}
        # Nobody who asks is among these, so no case ends the means to ask the next.
        victim = house.admit("victim.example.com", sets=[shared])
        indicator = victim.post("/v1/indicators", contribution([shared], seed=1)).get_json()["id"]
        (key,) = victim.get("/v1/keys").get_json()["items"]
        hit = contributor.post("/v1/match", {"codes": {"pdq": [pdq_code(1)]}}).get_json()
        appeal = admin.post(f"/v1/indicators/{indicator}/appeals", {"ground": "benign"})
        self.ids = {
            "operator": victim.operator,
            "member": victim.member,
            "key": key["id"],
            "set": shared,
            "indicator": indicator,
            "appeal": appeal.get_json()["id"],
            "receipt": hit["answers"][0]["hits"][0]["receipt"],
            "code": pdq_code(2),
        }
        self.schema = schemathesis.openapi.from_wsgi("/openapi.json", house.app)

    def alive(self, value):
        """The same value, with ids of things that there are where it names things."""
        if isinstance(value, dict):
            return {name: self._named(name, inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.alive(inner) for inner in value]
        return value

    def _named(self, name, value):
        known = self.ids.get(name.removesuffix("_id").removesuffix("s"))
        if isinstance(value, str) and known is not None:
            return known
        if isinstance(value, list) and known is not None and name == "sets":
            return [known]
        return self.alive(value)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), TAKING)
def test_operation_answers_only_what_its_document_says(world, path, method, mode):
    operation = world.schema[path][method]
    asked = 0

    @hypothesis.settings(
        max_examples=EACH,
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(
        case=operation.as_strategy(generation_mode=mode),
        identity=st.sampled_from(IDENTITIES),
        alive=st.booleans(),
    )
    def ask(case, identity, alive):
        nonlocal asked
        asked += 1
        _prepare(case, world, identity, alive=alive)
        response = case.call()
        is_whole = not alive and path not in BY_ROW
        checks = [*CHECKS, negative_data_rejection] if is_whole else CHECKS
        case.validate_response(response, checks=checks)

    ask()

    assert asked >= EACH


@pytest.mark.parametrize("identity", IDENTITIES)
@pytest.mark.parametrize(("path", "method"), BARE)
def test_operation_without_parameters_answers_what_its_document_says(
    world, path, method, identity
):
    case = world.schema[path][method].Case()
    _prepare(case, world, identity, alive=False)

    response = case.call()

    case.validate_response(response, checks=CHECKS)


def _prepare(case, world, identity, *, alive):
    if case.operation.path in LOOKUPS:
        world.house.follow()
    if alive:
        case.path_parameters = world.alive(case.path_parameters)
        case.query = world.alive(case.query)
        case.body = world.alive(case.body)
        case.headers = {**(case.headers or {}), "Idempotency-Key": str(uuid.uuid4())}
    if "wait" in (case.query or {}):
        # Nothing would come: there is nobody else to make it.
        case.query["wait"] = 0
    secret = world.secrets[identity]
    if secret is not None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {secret}"}
