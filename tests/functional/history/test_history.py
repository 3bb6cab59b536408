# SPDX-License-Identifier: Apache-2.0
"""One history: dense, chained, with who did what and no word of what was said."""

import pytest
import sqlalchemy as sa

from hub.domain.changes import SYSTEM
from hub.services import upkeep
from hub.services.restoring import new_timeline
from hub.storage import tables
from tests.support.codes import code, pdq
from tests.support.saying import (
    contributed,
    matched,
    opined,
    picture,
    said,
    version,
    withdrawn,
)
from tests.support.truth import check_history, check_rebuilt, check_totals

KNOWN, DIGEST = pdq("history"), code("sha256", "history")


@pytest.fixture
def eventful(house, shared, alpha, beta, clock):
    """A hub to which most things have happened."""
    admin = house.admit("hub.example.com", role="admin")
    item = picture(pdq=KNOWN, sha256=DIGEST)
    indicator = contributed(alpha, item, shared, case="case-canary", external_id="canary")
    voter = contributed(beta, picture(pdq=KNOWN), shared)
    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared, use="threat"))
    opined(beta, indicator, shared, "disagree", reason="benign", reach="near")
    appeal = admin.post(f"/v1/indicators/{indicator}/appeals", {"ground": "benign"}).json
    admin.post(f"/v1/appeals/{appeal['id']}/close", {"upheld": False})
    receipt = matched(beta, pdq=KNOWN)["hits"][0]["receipt"]
    beta.post("/v1/outcomes", {"outcomes": [{"receipt": receipt, "outcome": "pending"}]})
    upkeep.toggle_control(0, house.hub)
    withdrawn(beta, voter)
    upkeep.erase(voter, actor=SYSTEM, hub=house.hub)
    clock.forward(days=366)
    house.sweep()
    return house


def test_the_history_is_dense_and_chained(eventful):
    changes = check_history(eventful)

    assert {row.kind for row in changes} >= {
        "access", "indicator", "links", "opinion", "appeal", "outcome", "control",
    }  # fmt: skip
    check_totals(eventful)
    check_rebuilt(eventful)


@pytest.mark.parametrize(
    "tamper",
    [
        {"operator": None},
        {"request_id": "another-one"},
        {"details": {"what": "nothing"}},
        {"n": 7},
        {"subject": 999_999},
    ],
)
def test_a_change_that_was_tampered_with_breaks_the_chain(eventful, tamper):
    check_history(eventful)
    change = tables.change
    with eventful.database.writer.begin() as connection:
        position = connection.scalar(
            sa.select(sa.func.min(change.c.position)).where(change.c.kind == "opinion")
        )
        connection.execute(change.update().where(change.c.position == position).values(tamper))

    with pytest.raises(AssertionError, match=f"the chain breaks at {position}"):
        check_history(eventful)


def test_a_change_that_was_taken_out_breaks_the_chain(eventful):
    change = tables.change
    with eventful.database.writer.begin() as connection:
        connection.execute(change.delete().where(change.c.position == 9))

    with pytest.raises(AssertionError):
        check_history(eventful)


def test_no_change_holds_a_code_or_a_word_of_the_contributors_own(eventful):
    for row in check_history(eventful):
        held = repr(row)
        assert not any(text in held for text in (KNOWN, DIGEST, "canary")), row.position


def test_a_new_timeline_goes_on_where_the_old_one_was(eventful):
    head = eventful.hub.feed.head()

    timeline = new_timeline(begin=eventful.hub.begin, new_id=eventful.hub.new_id)
    eventful.settle()

    after = eventful.hub.feed.head()
    assert (after.timeline, after.position) == (timeline, head.position + 1)
    assert timeline != head.timeline
    check_history(eventful)
    assert eventful.hub.engine.timeline == timeline
    check_totals(eventful)


WRITES = {
    "POST /v1/indicators": (1, "indicator"),
    "POST /v1/indicators/<id(ind):indicator_id>/versions": (1, "indicator"),
    "POST /v1/indicators/<id(ind):indicator_id>/withdraw": (1, "indicator"),
    "POST /v1/indicators/<id(ind):indicator_id>/opinions": (1, "opinion"),
    "POST /v1/indicators/<id(ind):indicator_id>/appeals": (1, "appeal"),
    "POST /v1/appeals/<id(apl):appeal_id>/close": (1, "appeal"),
    "POST /v1/outcomes": (1, "outcome"),
}


def asked(route, house, shared, alpha, beta, admin):
    """Who asks what of a writing route; everything it needs is there."""
    indicator = contributed(alpha, picture(pdq=KNOWN), shared)
    receipt = matched(beta, pdq=KNOWN)["hits"][0]["receipt"]
    appeal = admin.post(f"/v1/indicators/{indicator}/appeals", {"ground": "benign"}).json["id"]
    path = route.split()[1]
    bodies = {
        "indicators": (alpha, said(picture(md5=code("md5")), shared)),
        "versions": (alpha, version(shared)),
        "withdraw": (alpha, {}),
        "opinions": (beta, {"set": shared, "stance": "seen"}),
        "appeals": (admin, {"ground": "outdated"}),
        "close": (admin, {"upheld": True}),
        "outcomes": (beta, {"outcomes": [{"receipt": receipt, "outcome": "pending"}]}),
    }
    caller, body = bodies[path.rpartition("/")[2]]
    house.settle()
    return (
        caller,
        path.replace("<id(ind):indicator_id>", indicator).replace("<id(apl):appeal_id>", appeal),
        body,
    )


@pytest.mark.parametrize("route", WRITES)
def test_each_write_leaves_its_change_with_who_did_it(house, shared, alpha, beta, route):
    admin = house.admit("hub.example.com", role="admin")
    caller, path, body = asked(route, house, shared, alpha, beta, admin)
    head = house.hub.feed.head().position

    answer = caller.post(path, body, headers={"X-Request-Id": "request-of-the-test"}, settle=False)

    assert answer.status_code in (200, 201), answer.text
    changes = [row for row in check_history(house) if row.position > head]
    count, kind = WRITES[route]
    assert [row.kind for row in changes] == [kind] * count
    operator, member, key = tables.operator, tables.member, tables.api_key
    with house.database.reader.connect() as connection:
        who = connection.execute(
            sa.select(operator.c.id, member.c.id, key.c.id)
            .join(member, member.c.operator == operator.c.key)
            .join(key, key.c.member == member.c.key)
            .where(
                operator.c.key == changes[0].operator,
                member.c.key == changes[0].member,
                key.c.key == changes[0].api_key,
            )
        ).one()
    assert who[:2] == (caller.operator, caller.member)
    assert who[2].removeprefix("key_") in caller.secret
    assert changes[0].request_id == "request-of-the-test"


def test_every_writing_route_of_the_model_is_looked_at(house):
    views = house.app.view_functions
    writing = {
        f"{method} {rule.rule}"
        for rule in house.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS", "GET"}
        if getattr(views[rule.endpoint], "_apidoc", {}).get("writes")
    }
    # Routes of access are looked at where access is.
    access = {name for name in writing if name.split("/")[2].split("/")[0] in
              {"operators", "members", "keys", "sets"}}  # fmt: skip

    assert writing - access == set(WRITES)


def test_an_erasure_keeps_the_chain_and_is_taken_over_by_every_copy(house, shared, alpha, beta):
    indicator = contributed(alpha, picture(pdq=KNOWN, sha256=DIGEST), shared)
    other = contributed(alpha, picture(pdq=pdq()), shared)
    house.relay.checkpoint()

    upkeep.erase(indicator, actor=SYSTEM, hub=house.hub)
    house.settle()

    check_history(house)
    check_totals(house)
    follower = house.hub.follower
    resync = [change.resync for change in house.hub.feed.after(0, 1000) if change.indicator]
    assert True in resync
    follower._must_load = True  # noqa: SLF001 - as after any doubt
    house.settle()
    check_totals(house)
    assert matched(beta, pdq=KNOWN)["answer"] == "none"
    assert other


def test_reading_takes_no_position(house, shared, alpha, beta):
    indicator = contributed(alpha, picture(pdq=KNOWN), shared)
    house.settle()
    head = house.hub.feed.head()

    for path in (
        "/v1/indicators",
        f"/v1/indicators/{indicator}",
        "/v1/changes",
        f"/v1/sets/{shared}/snapshot",
        "/v1/status",
    ):
        assert beta.get(path).status_code == 200
    matched(beta, pdq=KNOWN)

    assert house.hub.feed.head() == head
