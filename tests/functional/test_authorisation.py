# SPDX-License-Identifier: Apache-2.0
"""The authorisation matrix: every route, asked by every role, about its own, another's, nothing.

A route that has no row here fails the suite, so that nobody adds one without saying who may use
it. What a row says is written here by hand and never read from the application. Another's and
missing must look the same, to the byte.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hub.adapters.clock import new_id
from hub.storage import tables
from hub.storage.database import connect
from tests.support.clock import Clock
from tests.support.contributions import contribution, pdq_code
from tests.support.house import House

ANYBODY = frozenset({"nobody", "reader", "contributor", "reviewer", "admin"})
MEMBERS = ANYBODY - {"nobody"}
WRITERS = MEMBERS - {"reader"}
ADMIN = frozenset({"admin"})

ORDER = ("nobody", "reader", "contributor", "reviewer", "admin")
"""The administrator comes last: what it does to others' things is real."""
TARGETS = ("missing", "other", "own")


@dataclass(frozen=True)
class Row:
    """Who may use a route, and what it answers them.

    ``path`` has ``{name}`` where the target's id goes; ``own``, ``other`` and ``missing`` are the
    statuses for those who may; ``admin_other`` where an administrator may do more. ``keyless``: no
    key opens it, nor is any looked at. ``media_type``: what its body is, where that is not JSON.
    """

    roles: frozenset[str]
    own: int = 200
    other: int | None = None
    missing: int | None = None
    admin_other: int | None = None
    path: str | None = None
    body: Callable[["World", dict[str, str]], Any] | None = None
    keyless: bool = False
    media_type: str | None = None

    def status(self, role: str, target: str) -> int:
        """What the route must answer."""
        if role not in self.roles:
            return 401 if role == "nobody" or self.keyless else 403
        if target == "other" and role == "admin" and self.admin_other is not None:
            return self.admin_other
        found = {"own": self.own, "other": self.other, "missing": self.missing}[target]
        assert found is not None
        return found

    @property
    def targets(self) -> tuple[str, ...]:
        """Whose things it can be asked about."""
        return TARGETS if self.other is not None else ("own",)


@dataclass
class World:
    """A hub in which each role belongs to an operator of its own, and one more to nobody's set.

    ``things`` are by role, and ``other``: what it has. Their names are those in paths.
    """

    callers: dict[str, Any]
    things: dict[str, dict[str, str]]

    def of(self, role: str, target: str) -> dict[str, str]:
        """The ids that a request of this role about that target names."""
        if target == "missing":
            return MISSING
        return self.things["other" if target == "other" else role]


MISSING = {
    "op": "op_" + "a" * 26,
    "mem": "mem_" + "a" * 26,
    "spare": "mem_" + "a" * 26,
    "key": "key_" + "a" * 26,
    "set": "set_" + "a" * 26,
    "ind": "ind_" + "a" * 26,
    "apl": "apl_" + "a" * 26,
    "receipt": "A" * 80,
}


def new_operator(_world, _ids):
    return {
        "name": "brand-new.example.com",
        "kind": "ngo",
        "contacts": [{"purpose": "legal", "email": "legal@example.com"}],
    }


def shared_set(world):
    return world.things["shared"]["set"]


ROWS = {
    # -- without a key
    "GET /livez": Row(ANYBODY),
    "GET /readyz": Row(ANYBODY),
    "GET /openapi.json": Row(ANYBODY),
    "GET /docs": Row(ANYBODY),
    "GET /docs/docs.js": Row(ANYBODY),
    "GET /docs/swagger-ui-bundle.js": Row(ANYBODY),
    "GET /docs/swagger-ui.css": Row(ANYBODY),
    # -- for partners: what proves itself is anybody's, the rest is for no key of ours
    "GET /fed/v1/tuf/{name}": Row(ANYBODY, 404, path="/fed/v1/tuf/metadata/1.root.json"),
    "GET /fed/v1/log/checkpoint": Row(ANYBODY, 404),
    "GET /fed/v1/log/{name}": Row(ANYBODY, 404, path="/fed/v1/log/tile/0/000"),
    # No key opens it; that a body is a ZIP of known length is looked at before its signature.
    "POST /fed/v1/bundles": Row(frozenset(), 401, keyless=True, media_type="application/zip"),
    "POST /fed/v1/witness/add-checkpoint": Row(ANYBODY, 415, body=lambda _world, _ids: {}),
    "GET /fed/v1/witness/<name>/checkpoint": Row(
        ANYBODY, 404, path=f"/fed/v1/witness/{'0' * 64}/checkpoint"
    ),
    "GET /fed/v1/ops": Row(frozenset(), keyless=True),
    "GET /fed/v1/yours": Row(frozenset(), keyless=True),
    "GET /fed/v1/peers/<name>/{what}": Row(
        frozenset(), keyless=True, path="/fed/v1/peers/hub-a.example/checkpoint"
    ),
    # -- how the hub is
    "GET /v1/status": Row(MEMBERS),
    # -- operators and members
    "POST /v1/operators": Row(ADMIN, 201, body=new_operator),
    "GET /v1/operators": Row(ADMIN),
    "GET /v1/operators/{op}": Row(MEMBERS, 200, 404, 404, admin_other=200),
    "POST /v1/operators/{op}/suspend": Row(ADMIN, 200, 200, 404),
    "POST /v1/operators/{op}/resume": Row(ADMIN, 200, 200, 404),
    "POST /v1/members": Row(
        ADMIN, 201, 201, 404, body=lambda _world, ids: {"operator": ids["op"], "name": "x"}
    ),
    "GET /v1/members": Row(ADMIN, 200, 200, 404, path="/v1/members?operator={op}"),
    "GET /v1/members/{mem}": Row(MEMBERS, 200, 404, 404, admin_other=200),
    "POST /v1/members/{mem}/suspend": Row(ADMIN, 200, 200, 404),
    "POST /v1/members/{mem}/resume": Row(ADMIN, 200, 200, 404),
    # -- keys
    "POST /v1/keys": Row(
        ADMIN,
        201,
        201,
        404,
        body=lambda _world, ids: {"member": ids["spare"], "name": "x", "role": "reader"},
    ),
    "GET /v1/keys": Row(MEMBERS, 200, 404, 404, admin_other=200, path="/v1/keys?member={mem}"),
    "POST /v1/keys/{key}/rotate": Row(MEMBERS, 201, 404, 404, admin_other=201),
    "POST /v1/keys/{key}/revoke": Row(MEMBERS, 200, 404, 404, admin_other=200),
    # -- sets and grants
    "POST /v1/sets": Row(ADMIN, 201, body=lambda *_: {"name": "brand new", "tlp": "TLP:GREEN"}),
    "GET /v1/sets": Row(MEMBERS),
    "GET /v1/sets/{set}": Row(MEMBERS, 200, 404, 404, admin_other=200),
    "PUT /v1/sets/{set}/grants/{mem}": Row(
        ADMIN, 200, 200, 404, body=lambda *_: {"rights": ["lookup"]}
    ),
    "DELETE /v1/sets/{set}/grants/{mem}": Row(ADMIN, 200, 200, 404),
    # -- following: an administrator of the hub is no member of a set
    "GET /v1/changes": Row(MEMBERS, 200, 404, 404, path="/v1/changes?sets={set}"),
    "GET /v1/sets/{set}/snapshot": Row(MEMBERS, 200, 404, 404),
    # -- indicators
    "POST /v1/indicators": Row(
        WRITERS, 201, 422, 422, body=lambda _world, ids: contribution([ids["set"]], seed=99)
    ),
    "GET /v1/indicators": Row(MEMBERS),
    "GET /v1/indicators/{ind}": Row(MEMBERS, 200, 404, 404),
    "POST /v1/indicators/{ind}/versions": Row(
        WRITERS,
        201,
        404,
        404,
        body=lambda world, _ids: {
            name: value
            for name, value in contribution([shared_set(world)], seed=1).items()
            if name != "item"
        },
    ),
    "POST /v1/indicators/{ind}/withdraw": Row(WRITERS, 201, 404, 404, body=lambda *_: {}),
    # Of one's own one has no opinion: one withdraws it.
    "POST /v1/indicators/{ind}/opinions": Row(
        WRITERS,
        403,
        404,
        404,
        body=lambda world, _ids: {
            "set": shared_set(world),
            "stance": "agree",
            "basis": "own-service-human",
        },
    ),
    "POST /v1/indicators/{ind}/appeals": Row(
        ADMIN, 201, 201, 404, body=lambda *_: {"ground": "wrong-harm"}
    ),
    "POST /v1/appeals/{apl}/close": Row(ADMIN, 201, 201, 404, body=lambda *_: {"upheld": False}),
    # -- matching
    "POST /v1/match": Row(MEMBERS, body=lambda *_: {"codes": {"pdq": [pdq_code(1)]}}),
    "POST /v1/accounts/match": Row(
        MEMBERS,
        body=lambda *_: {
            "purpose": "first-contact",
            "case": "case-1",
            "accounts": [{"kind": "phone", "value": "+12025550123"}],
        },
    ),
    # Another's receipt is none of the asker's, as one that nobody made.
    "POST /v1/outcomes": Row(
        MEMBERS,
        200,
        422,
        422,
        body=lambda _world, ids: {
            "outcomes": [{"receipt": ids["receipt"], "outcome": "content-removed"}]
        },
    ),
}


def routes(app):
    """Every route of the application, named as the rows are."""
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for argument in rule.arguments:
            converter = rule._converters[argument]  # noqa: SLF001 - nothing else tells the prefix
            path = path.replace(f"<path:{argument}>", "{" + argument + "}")
            prefix = converter.regex.partition("_")[0]
            path = path.replace(f"<id({prefix}):{argument}>", "{" + prefix + "}")
        for method in sorted(rule.methods - {"HEAD"}):
            yield f"{method} {path}"


@pytest.fixture(scope="module")
def built(tmp_path_factory, sqlite_databases, valkey_url):
    """A hub with everything in it, closed: its folder, whose keys are whose, and what they have.

    One kind of database is enough: what is asked here is decided before any is.
    """
    folder = tmp_path_factory.mktemp("built")
    house = _opened(folder, sqlite_databases.fresh(folder), valkey_url)
    shared, hidden = house.set("shared"), house.set("hidden")
    # So that an administrator may end its own key.
    house.admit("keeper.example.com", role="admin", sets=[shared])
    other = house.admit("other.example.com", role="contributor", sets=[hidden])
    neighbour = house.admit("neighbour.example.com", sets=[shared, hidden])
    for set_id, seed in ((shared, 1), (hidden, 2)):
        assert neighbour.post("/v1/indicators", contribution([set_id], seed)).status_code == 201
    things = {
        "nobody": MISSING,
        "shared": {"set": shared},
        "other": _things(house, other, hidden, seed=2),
    }
    secrets = {"nobody": None}
    for role in ORDER[1:]:
        caller = house.admit(f"{role}.example.com", role=role, sets=[shared])
        secrets[role] = caller.secret
        things[role] = _things(house, caller, shared, seed=1)
    house.close()
    return folder, secrets, things


@pytest.fixture
def world(built, tmp_path, valkey_url):
    """A copy of the hub, for one route to do with what it likes."""
    folder, secrets, things = built
    copy = shutil.copytree(folder, tmp_path / "copy")
    database = connect(f"sqlite:///{copy / 'hub.db'}")
    with database.writer.begin() as connection:
        # Copies share the Valkey, so each needs names of its own in it.
        connection.execute(tables.head.update().values(instance=new_id("")))
    database.close()
    house = _opened(copy, f"sqlite:///{copy / 'hub.db'}", valkey_url)
    yield World({role: house.caller(secret) for role, secret in secrets.items()}, things)
    house.close()


def _opened(folder, database_url, valkey_url):
    return House(folder, database_url=database_url, redis_url=valkey_url, clock=Clock())


def _things(house, caller, set_id, *, seed):
    """One of everything that a caller's operator has, made by a helper of the same operator."""
    helper = house.join(caller.operator, name="helper", sets=[set_id])
    keeper = house.join(caller.operator, name="keeper", role="reader")
    indicator = helper.post("/v1/indicators", contribution([set_id], seed=10)).get_json()["id"]
    (key,) = caller.get("/v1/keys").get_json()["items"]
    hit = caller.post("/v1/match", {"codes": {"pdq": [pdq_code(seed)]}}).get_json()
    admin = house.admit(f"clerk-{caller.operator[3:9]}.example.com", role="admin")
    appeal = admin.post(f"/v1/indicators/{indicator}/appeals", {"ground": "benign"}).get_json()
    return {
        "op": caller.operator,
        "mem": caller.member,
        "spare": keeper.member,
        "key": key["id"],
        "set": set_id,
        "ind": indicator,
        "apl": appeal["id"],
        "receipt": hit["answers"][0]["hits"][0]["receipt"],
    }


def test_every_route_has_a_row_and_every_row_a_route(world):
    assert sorted(routes(world.callers["admin"].house.app)) == sorted(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_route_answers_each_role_as_its_row_says(world, name):
    row = ROWS[name]
    for role in ORDER:
        answers = {}
        for target in row.targets:
            ids = world.of(role, target)
            answers[target] = _ask(world, role, name, row, ids)
            expected = row.status(role, target)
            assert answers[target].status_code == expected, (
                f"{role} asks {name} about {target}: {answers[target].text}"
            )
        if row.other == row.missing and "other" in answers and role != "admin":
            assert answers["other"].data == answers["missing"].data


def _ask(world, role, name, row, ids):
    method, _, path = name.partition(" ")
    body = row.body(world, ids) if row.body else None
    path = (row.path or path).format(**ids)
    headers = {"X-Request-Id": "always-the-same"}
    raw = {"data": b"PK", "content_type": row.media_type} if row.media_type else {}
    return world.callers[role].send(method, path, body, headers=headers, **raw)
