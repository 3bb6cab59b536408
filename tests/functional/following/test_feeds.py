# SPDX-License-Identifier: Apache-2.0
"""A platform that may takes a set home and keeps it true; what must not leave never does."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from hub.services.restoring import new_timeline
from tests.support.codes import code, flipped, pdq
from tests.support.saying import (
    account,
    contributed,
    opined,
    picture,
    problem,
    version,
    withdrawn,
)


@pytest.fixture
def known():
    return pdq()


@pytest.fixture
def admin(house):
    return house.admit("hub.example.com", role="admin")


def follow(caller, cursor=None, **query):
    query |= {"cursor": cursor} if cursor else {}
    text = "&".join(f"{name}={value}" for name, value in query.items())
    answer = caller.get(f"/v1/changes?{text}")
    assert answer.status_code == 200, answer.text
    return answer.json


def snapshot(caller, set_id):
    answer = caller.get(f"/v1/sets/{set_id}/snapshot")
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_record_has_everything_to_match_at_home(shared, alpha, beta, clock, known):
    digest, border = code("md5"), pdq()
    item = picture(pdq=known, md5=digest)
    item["codes"].append({"signal": "pdq", "code": border, "derived": "trim:border"})
    indicator = contributed(
        alpha, item, shared, case="case-1", observed_at="2031-05-01T10:00:00Z", priority="high"
    )

    (record,) = snapshot(beta, shared)["records"]

    assert record.pop("position") >= 1
    assert record == {
        "id": indicator,
        "n": 1,
        "set": shared,
        "codes": item["codes"],
        "words": {
            "harm": ["grooming"],
            "use": "first-contact",
            "depicts": "synthetic-person",
            "basis": "own-service-human",
            "priority": "high",
            "observed_at": "2031-05-01T10:00:00+00:00",
        },
        "standing": "review",
        "until": (clock.now + timedelta(days=365)).isoformat(),
        "gone": False,
    }


def test_a_page_without_a_cursor_begins_now(shared, alpha, beta, known):
    contributed(alpha, picture(pdq=known), shared)

    page = follow(beta)

    assert page["records"] == []
    later = contributed(alpha, picture(pdq=pdq()), shared)
    assert [record["id"] for record in follow(beta, page["cursor"])["records"]] == [later]


def test_what_changes_comes_once_as_it_is_now(shared, alpha, beta, gamma, clock, known):
    cursor = follow(beta)["cursor"]
    indicator = contributed(alpha, picture(pdq=known), shared, use="offer")
    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared, use="threat"))
    page = follow(beta, cursor)
    assert [(one["id"], one["n"], one["words"]["use"]) for one in page["records"]] == [
        (indicator, 2, "threat")
    ]
    assert follow(beta, page["cursor"])["records"] == []

    opined(gamma, indicator, shared, "disagree", reason="benign")
    page = follow(beta, page["cursor"])
    assert [(one["id"], one["standing"]) for one in page["records"]] == [(indicator, "disputed")]

    withdrawn(alpha, indicator)
    page = follow(beta, page["cursor"])
    assert [(one["id"], one["gone"], one["codes"], one["words"]) for one in page["records"]] == [
        (indicator, True, [], {})
    ]


def test_a_neighbours_loss_is_told_though_the_link_stays(shared, alpha, beta, gamma, clock, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    voter = contributed(gamma, picture(pdq=known), shared)
    clock.forward(seconds=3)
    start = snapshot(beta, shared)
    assert {one["standing"] for one in start["records"]} == {"corroborated"}

    gamma.post(f"/v1/indicators/{voter}/versions", version(shared, basis="automated-unreviewed"))

    told = {one["id"]: one["standing"] for one in follow(beta, start["follow"])["records"]}
    assert told == {indicator: "review", voter: "review"}


def test_until_says_when_time_alone_changes_it(shared, alpha, beta, gamma, clock, known):
    contributed(alpha, picture(pdq=known), shared)
    contributed(gamma, picture(pdq=known), shared)

    (first, second) = snapshot(beta, shared)["records"]

    assert first["standing"] == second["standing"] == "review"
    assert first["until"] == second["until"]
    clock.forward(seconds=3)
    told = snapshot(beta, shared)["records"]
    assert {one["standing"] for one in told} == {"corroborated"}


def test_withdrawals_have_a_cursor_of_their_own(shared, alpha, beta, known):
    cursor = follow(beta, only="withdrawals")["cursor"]
    gone = contributed(alpha, picture(pdq=known), shared)
    contributed(alpha, picture(pdq=pdq()), shared)
    page = follow(beta, cursor, only="withdrawals")
    assert page["records"] == []

    withdrawn(alpha, gone)

    page = follow(beta, page["cursor"], only="withdrawals")
    assert [one["id"] for one in page["records"]] == [gone]


def test_a_set_may_be_followed_alone(house, shared, alpha, beta, known):
    other = house.set("other")
    for caller in (alpha, beta):
        house.grant(other, caller.member)
    cursor = follow(beta, sets=other)["cursor"]
    contributed(alpha, picture(pdq=known), shared)
    mine = contributed(alpha, picture(pdq=known), other)

    assert [one["id"] for one in follow(beta, cursor, sets=other)["records"]] == [mine]


def test_only_those_with_replica_are_told_and_the_rest_looks_absent(
    house, shared, alpha, beta, known
):
    contributed(alpha, picture(pdq=known), shared)
    looker = house.admit("looks.example.com", sets=[shared], rights=frozenset({"lookup"}))
    stranger = house.admit("stranger.example.com")

    for caller in (looker, stranger):
        for path in (f"/v1/sets/{shared}/snapshot", f"/v1/changes?sets={shared}"):
            answer = caller.get(path)
            assert (answer.status_code, problem(answer)) == (404, "not-found")
    cursor = follow(stranger)["cursor"]
    contributed(alpha, picture(pdq=pdq()), shared)
    assert follow(stranger, cursor)["records"] == []


def test_what_is_not_for_you_is_passed_over_and_said(house, shared, alpha, beta, known):
    other = house.set("other")
    house.grant(other, alpha.member)
    cursor = follow(beta)["cursor"]
    for _ in range(3):
        contributed(alpha, picture(md5=code("md5")), other)

    page = follow(beta, cursor)

    assert (page["records"], page["withheld_to"]) == ([], house.hub.feed.head().position)


def test_a_granted_set_is_to_be_taken_and_a_lost_one_deleted(house, admin, shared, alpha, beta):
    other = house.set("other")
    house.grant(other, alpha.member)
    held = contributed(alpha, picture(pdq=pdq()), other)
    cursor = follow(beta)["cursor"]

    admin.put(f"/v1/sets/{other}/grants/{beta.member}", {"rights": ["replica"]})
    page = follow(beta, cursor)
    assert (page["records"], page["resync"]) == ([], [{"set": other, "is": "gained"}])
    assert [one["id"] for one in snapshot(beta, other)["records"]] == [held]
    page = follow(beta, page["cursor"])
    assert "resync" not in page

    admin.delete(f"/v1/sets/{other}/grants/{beta.member}")
    page = follow(beta, page["cursor"])
    assert page["resync"] == [{"set": other, "is": "lost"}]
    contributed(alpha, picture(pdq=pdq()), other)
    assert follow(beta, page["cursor"])["records"] == []


def test_what_changes_while_a_resync_is_told_is_not_lost(house, admin, shared, alpha, beta):
    other = house.set("other")
    cursor = follow(beta)["cursor"]
    mine = contributed(alpha, picture(pdq=pdq()), shared)
    admin.put(f"/v1/sets/{other}/grants/{beta.member}", {"rights": ["replica"]})

    page = follow(beta, cursor)
    assert "resync" in page
    assert [one["id"] for one in follow(beta, page["cursor"])["records"]] == [mine]


def test_a_set_gained_between_two_pages_of_a_snapshot_is_told(
    house, admin, shared, alpha, beta, monkeypatch
):
    monkeypatch.setattr("hub.services.following.PAGE", 2)
    for _ in range(3):
        contributed(alpha, picture(pdq=pdq()), shared)
    other = house.set("other")
    first = snapshot(beta, shared)
    admin.put(f"/v1/sets/{other}/grants/{beta.member}", {"rights": ["replica"]})

    last = beta.get(f"/v1/sets/{shared}/snapshot?cursor={first['cursor']}").json

    assert (len(first["records"]), len(last["records"]), last["cursor"]) == (2, 1, None)
    page = follow(beta, last["follow"])
    assert page["resync"] == [{"set": other, "is": "gained"}]


def test_what_changes_while_a_snapshot_is_read_is_told_by_following(
    shared, alpha, beta, monkeypatch
):
    monkeypatch.setattr("hub.services.following.PAGE", 2)
    ids = [contributed(alpha, picture(pdq=pdq()), shared) for _ in range(3)]
    first = snapshot(beta, shared)
    withdrawn(alpha, ids[0])
    late = contributed(alpha, picture(pdq=pdq()), shared)
    last = beta.get(f"/v1/sets/{shared}/snapshot?cursor={first['cursor']}").json

    told = follow(beta, last["follow"])["records"]

    assert {(one["id"], one["gone"]) for one in told} >= {(ids[0], True), (late, False)}


def test_a_snapshots_cursor_is_of_its_set_alone(house, shared, alpha, beta, monkeypatch):
    monkeypatch.setattr("hub.services.following.PAGE", 1)
    other = house.set("other")
    house.grant(other, beta.member)
    contributed(alpha, picture(pdq=pdq()), shared)
    cursor = snapshot(beta, shared)["cursor"]

    answer = beta.get(f"/v1/sets/{other}/snapshot?cursor={cursor}")

    assert (answer.status_code, problem(answer)) == (400, "malformed-cursor")


def test_a_cursor_of_another_timeline_is_gone(house, shared, alpha, beta):
    cursor = follow(beta)["cursor"]
    new_timeline(begin=house.hub.begin, new_id=house.hub.new_id)
    house.settle()

    answer = beta.get(f"/v1/changes?cursor={cursor}")

    assert (answer.status_code, problem(answer)) == (410, "cursor-gone")
    assert snapshot(beta, shared)["follow"]


def test_a_cursor_of_400_days_ago_is_gone(house, shared, alpha, beta, clock):
    cursor = follow(beta)["cursor"]
    contributed(alpha, picture(pdq=pdq()), shared)
    newer = follow(beta)["cursor"]
    contributed(alpha, picture(pdq=pdq()), shared)
    clock.forward(days=400)
    beta.secret = house.key(beta.member)
    assert beta.get(f"/v1/changes?cursor={cursor}").status_code == 200

    clock.forward(milliseconds=1)

    for one in (cursor, newer):
        answer = beta.get(f"/v1/changes?cursor={one}")
        assert (answer.status_code, problem(answer)) == (410, "cursor-gone")


@pytest.mark.parametrize("depicts", ["third-party-child", "known-victim"])
def test_a_victim_never_leaves(shared, alpha, beta, known, depicts):
    cursor = follow(beta)["cursor"]
    contributed(alpha, picture(pdq=known), shared, depicts=depicts)

    assert follow(beta, cursor)["records"] == []
    assert snapshot(beta, shared)["records"] == []


def test_who_turns_out_to_be_a_victim_is_to_be_deleted(shared, alpha, beta, known):
    indicator = contributed(alpha, picture(pdq=known), shared)
    start = snapshot(beta, shared)
    assert len(start["records"]) == 1

    alpha.post(f"/v1/indicators/{indicator}/versions", version(shared, depicts="known-victim"))

    (record,) = follow(beta, start["follow"])["records"]
    assert (record["id"], record["gone"], record["codes"]) == (indicator, True, [])
    assert follow(beta, start["follow"], only="withdrawals")["records"] == [record]
    assert snapshot(beta, shared)["records"] == []


def test_an_account_never_leaves(shared, alpha, beta):
    cursor = follow(beta)["cursor"]
    indicator = contributed(alpha, account(), shared, case="case-1", depicts="unknown")

    assert follow(beta, cursor)["records"] == []
    withdrawn(alpha, indicator)
    assert follow(beta, cursor)["records"] == []
    assert snapshot(beta, shared)["records"] == []


def test_a_strict_set_never_leaves(house, admin, alpha, beta, known):
    strict = house.set("strict", tlp="TLP:AMBER+STRICT")
    for caller in (alpha, beta):
        house.grant(strict, caller.member, frozenset({"contribute", "lookup"}))
    answer = admin.put(f"/v1/sets/{strict}/grants/{beta.member}", {"rights": ["replica"]})
    assert answer.status_code == 422
    cursor = follow(beta)["cursor"]
    contributed(alpha, picture(pdq=known), strict)

    assert beta.get(f"/v1/sets/{strict}/snapshot").status_code == 404
    assert follow(beta, cursor)["records"] == []


def waiting(house, caller, cursor, pool, seconds=20):
    """A long poll in a thread of its own; returns when it waits."""
    places = house.hub.waiting._places  # noqa: SLF001 - nothing else tells that it waits
    before = places._value  # noqa: SLF001 - as above
    poll = pool.submit(
        house.caller(caller.secret).get, f"/v1/changes?cursor={cursor}&wait={seconds}"
    )
    deadline = time.monotonic() + 10
    while places._value == before and not poll.done() and time.monotonic() < deadline:  # noqa: SLF001 - as above
        time.sleep(0.001)
    return poll


def test_a_long_poll_returns_when_something_arrives(house, shared, alpha, beta, known):
    cursor = follow(beta)["cursor"]
    with ThreadPoolExecutor(1) as pool:
        poll = waiting(house, beta, cursor, pool)
        assert not poll.done()

        indicator = contributed(alpha, picture(pdq=known), shared)

        assert [one["id"] for one in poll.result(10).json["records"]] == [indicator]


def test_a_long_poll_is_not_woken_by_what_is_not_for_it(house, shared, alpha, beta, known):
    other = house.set("other")
    house.grant(other, alpha.member)
    cursor = follow(beta)["cursor"]
    with ThreadPoolExecutor(1) as pool:
        poll = waiting(house, beta, cursor, pool)

        contributed(alpha, picture(pdq=known), other)
        with pytest.raises(TimeoutError):
            poll.result(0.3)
        indicator = contributed(alpha, picture(pdq=flipped(known, 2)), shared)

        assert [one["id"] for one in poll.result(10).json["records"]] == [indicator]


def test_a_long_poll_that_hears_nothing_says_so_in_the_end(shared, beta):
    cursor = follow(beta)["cursor"]

    page = follow(beta, cursor, wait=1)

    assert page["records"] == []


def test_at_most_a_quarter_of_the_threads_wait(house, shared, alpha, beta, known):
    cursor = follow(beta)["cursor"]
    assert house.settings.threads == 8
    with ThreadPoolExecutor(2) as pool:
        polls = [waiting(house, beta, cursor, pool) for _ in range(2)]
        assert not any(poll.done() for poll in polls)

        third = beta.get(f"/v1/changes?cursor={cursor}&wait=20")

        assert (third.status_code, third.headers["Retry-After"]) == (200, "1")
        assert third.json["records"] == []
        contributed(alpha, picture(pdq=known), shared)
        assert all(len(poll.result(10).json["records"]) == 1 for poll in polls)


@pytest.mark.parametrize("query", ["wait=26", "wait=-1", "wait=x", "only=all", "sets=shared"])
def test_an_odd_question_is_refused(beta, query):
    answer = beta.get(f"/v1/changes?{query}")

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"


def test_a_key_that_dies_while_it_waits_is_told_nothing(house, shared, alpha, beta, admin, known):
    cursor = follow(beta)["cursor"]
    (key,) = beta.get("/v1/keys").json["items"]
    with ThreadPoolExecutor(1) as pool:
        poll = waiting(house, beta, cursor, pool)

        assert beta.post(f"/v1/keys/{key['id']}/revoke", settle=False).status_code == 200
        contributed(alpha, picture(pdq=known), shared)

        assert poll.result(10).status_code == 401


def test_a_grant_that_ends_while_one_waits_ends_the_waiting(house, shared, alpha, beta, known):
    cursor = follow(beta)["cursor"]
    with ThreadPoolExecutor(1) as pool:
        poll = waiting(house, beta, cursor, pool)

        house.grant(shared, beta.member, frozenset({"lookup", "contribute"}))
        house.settle()

        page = poll.result(10).json
    assert (page["resync"], page["records"]) == ([{"set": shared, "is": "lost"}], [])


def test_a_new_record_ends_when_its_word_does_and_not_when_a_count_does(shared, alpha, beta):
    cursor = follow(beta)["cursor"]
    indicator = contributed(alpha, picture(pdq=pdq()), shared)

    (record,) = follow(beta, cursor)["records"]

    (entry,) = alpha.get(f"/v1/indicators/{indicator}").json["entries"]
    assert record["standing"] == "review"
    assert record["until"] > entry["until"], "it would be asked for again in three seconds"


def test_a_cursor_of_one_list_is_none_of_another(shared, alpha, beta):
    contributed(alpha, picture(pdq=pdq()), shared)
    contributed(alpha, picture(pdq=pdq()), shared)
    of_list = alpha.get("/v1/indicators?limit=1").json["next_cursor"]
    of_feed = follow(beta)["cursor"]

    for caller, path in (
        (beta, f"/v1/changes?cursor={of_list}"),
        (alpha, f"/v1/indicators?cursor={of_feed}"),
        (beta, f"/v1/sets/{shared}/snapshot?cursor={of_feed}"),
    ):
        answer = caller.get(path)
        assert (answer.status_code, problem(answer)) == (400, "malformed-cursor"), path
