# SPDX-License-Identifier: Apache-2.0
"""A replica answers at home what its hub would, and says "none" only with evidence."""

import threading
from datetime import timedelta

import pytest

from hub.client import ApiError, Client, Code, Contribution, Item, Opinion
from hub.client.replica import Replica
from hub.domain.sharing import LOOKUP, REPLICA
from hub.services.restoring import new_timeline
from tests.support.clips import clip, film, recoded, scenes
from tests.support.waiting import eventually
from tests.unit.pictures.photographs import (
    encoded,
    framed,
    letterboxed,
    photograph,
    resized,
)

MD5 = "0123456789abcdef" * 2
MISS = Item((Code("md5", "f" * 32),))
HIT = Item((Code("md5", MD5),))


@pytest.fixture
def client(hub, hasher):
    with Client(hub.url, hub.reader, hasher=hasher) as made:
        yield made


@pytest.fixture
def giver(hub, hasher):
    with Client(hub.url, hub.contributor, hasher=hasher) as made:
        yield made


@pytest.fixture
def following(client, clock):
    """Follow sets, by a clock that stands still."""

    def follow(*sets):
        return Replica(client, sets, wait_seconds=0, clock=lambda: clock().timestamp(), now=clock)

    return follow


@pytest.fixture
def replica(hub, following):
    return following(hub.set)


def in_step(replica):
    for _ in range(10):
        if not replica.step() and replica.is_complete:
            return replica
    raise AssertionError("the replica never came to the head")


def contributed(hub, giver, code=MD5, **words):
    kept = giver.contribute(Contribution.of_codes((Code("md5", code),), hub.words(**words)))
    hub.house.settle()
    return kept


def test_replica_that_has_heard_nothing_clears_nobody(replica):
    answer = replica.match_items([MISS]).answers[0]

    assert (answer.answer, answer.why, answer.is_clear) == ("unknown", "index", False)


def test_snapshot_alone_is_no_evidence_that_nothing_came_after(replica):
    replica.step()

    assert not replica.match_items([MISS]).is_clear
    assert in_step(replica).match_items([MISS]).is_clear


def test_what_was_there_and_what_comes_is_found_and_what_goes_is_gone(hub, giver, replica):
    first = contributed(hub, giver)
    in_step(replica)
    second = contributed(hub, giver, "e" * 32)
    before = replica.match_items([HIT, Item((Code("md5", "e" * 32),))])

    in_step(replica)
    between = replica.match_items([HIT, Item((Code("md5", "e" * 32),))])
    giver.withdraw(first.id)
    hub.house.settle()
    in_step(replica)
    after = replica.match_items([HIT, Item((Code("md5", "e" * 32),))])

    assert [answer.is_hit for answer in before.answers] == [True, False]
    assert [answer.hits[0].id for answer in between.answers] == [first.id, second.id]
    assert [answer.is_clear for answer in after.answers] == [True, False]
    assert len(replica) == 1


def test_home_and_hub_answer_alike(hub, giver, client, replica):
    for name in ("chelsea.png", "coffee.png", "rocket.jpg"):
        picture = client.hasher.hash_bytes(encoded(letterboxed(photograph(name))))
        giver.contribute(Contribution.of_picture(picture, hub.words(priority="high")))
    hub.house.settle()
    in_step(replica)
    altered = [
        letterboxed(photograph("chelsea.png")),
        resized(letterboxed(photograph("coffee.png"))),
        photograph("rocket.jpg"),
        framed(photograph("coffee.png")),
        photograph("moon.png"),
    ]
    items = [
        Item.of(client.hasher.hash_bytes(encoded(one, "JPEG", quality=70))) for one in altered
    ]
    items += [MISS, Item((Code("md5", "odd"),)), Item((Code("phash", "0123456789abcdef"),))]

    home, away = replica.match_items(items), client.match_items(items)

    assert [told(answer) for answer in home.answers] == [told(answer) for answer in away.answers]
    assert [answer.is_hit for answer in home.answers[:5]] == [True, True, True, True, False]


def test_a_video_is_matched_at_home_as_at_the_hub(hub, giver, client, replica, tmp_path):
    half = recoded(tmp_path / "half.mp4", film(), chosen=slice(50, None))
    other = clip(tmp_path / "other.mp4", scenes(1, 2, 3))
    items = [Item.of(client.hasher.hash_file(path)) for path in (film(), half, other)]
    giver.contribute_file(film(), hub.words())
    hub.house.settle()
    in_step(replica)

    home, away = replica.match_items(items), client.match_items(items)

    assert [told(answer) for answer in home.answers] == [told(answer) for answer in away.answers]
    assert [answer.is_hit for answer in home.answers] == [True, True, False]


def told(answer):
    hits = [
        (one.id, one.set, one.standing, one.band, one.signal, one.support, one.harm, one.priority)
        for one in answer.hits
    ]
    slug = answer.error and answer.error.slug
    return answer.answer, answer.why, answer.standing, slug, sorted(hits)


def test_silence_makes_none_unknown_and_leaves_hits_hits(hub, giver, replica, clock):
    contributed(hub, giver)
    in_step(replica)

    clock.forward(seconds=31)
    hit, miss = replica.match_items([HIT, MISS]).answers

    assert (hit.is_hit, hit.complete) == (True, False)
    assert (miss.answer, miss.is_clear) == ("unknown", False)
    assert in_step(replica).match_items([MISS]).is_clear


def test_standing_that_time_changes_is_asked_for_anew(hub, giver, client, replica, clock):
    kept = contributed(hub, giver)
    agreed = Opinion(hub.set, "agree", basis="own-service-human", assessed_by=2)
    client.give_opinion(kept.id, agreed)
    hub.house.settle()
    in_step(replica)
    before = replica.match_items([HIT]).answers[0].hits[0]

    clock.forward(seconds=4)
    between = replica.match_items([HIT]).answers[0].hits[0]
    in_step(replica)
    after = replica.match_items([HIT]).answers[0].hits[0]

    assert (before.standing, before.unverified) == ("review", False)
    assert (between.standing, between.unverified) == ("review", True)
    assert (after.standing, after.unverified) == ("corroborated", False)


def test_corroboration_whose_time_has_run_out_is_no_more_than_a_clue(
    hub, giver, client, replica, clock
):
    expires = clock() + timedelta(days=1)
    kept = contributed(hub, giver, expires=expires)
    agreed = Opinion(hub.set, "agree", basis="own-service-human", assessed_by=2)
    client.give_opinion(kept.id, agreed)
    clock.forward(seconds=4)
    hub.house.settle()
    in_step(replica)
    before = replica.match_items([HIT]).answers[0].hits[0]

    clock.forward(days=1)
    after = replica.match_items([HIT]).answers[0].hits[0]
    hub.house.sweep()
    in_step(replica)

    assert before.standing == "corroborated"
    assert (after.standing, after.unverified) == ("review", True)
    assert replica.match_items([HIT]).is_clear


def test_lost_grant_deletes_the_set_and_clears_nobody_until_it_is_back(hub, giver, replica):
    contributed(hub, giver)
    in_step(replica)

    hub.house.grant(hub.set, hub.reading_member, {LOOKUP})
    hub.house.settle()
    replica.step()
    lost = replica.match_items([HIT, MISS])
    hub.house.grant(hub.set, hub.reading_member, {LOOKUP, REPLICA})
    hub.house.settle()
    in_step(replica)
    back = replica.match_items([HIT, MISS])

    assert not any(answer.is_hit or answer.is_clear for answer in lost.answers)
    assert [answer.is_hit for answer in back.answers] == [True, False]
    assert back.answers[1].is_clear
    assert not replica.lost


def test_lost_set_does_not_hold_up_the_others_when_all_is_loaded_anew(hub, giver, following):
    other = hub.house.set("other")
    for member in (hub.reading_member, hub.giving_member):
        hub.house.grant(other, member)
    contributed(hub, giver, sets=(other,))
    replica = in_step(following(hub.set, other))

    hub.house.grant(hub.set, hub.reading_member, {LOOKUP})
    new_timeline(begin=hub.house.hub.begin, new_id=hub.house.hub.new_id)
    hub.house.settle()
    for _ in range(4):
        replica.step()

    assert replica.match_items([HIT]).answers[0].is_hit
    assert replica.lost == {hub.set}
    hub.house.grant(hub.set, hub.reading_member, {LOOKUP, REPLICA})
    hub.house.settle()
    in_step(replica)
    assert not replica.lost


def test_other_history_is_loaded_anew_and_until_then_clears_nobody(hub, giver, replica):
    kept = contributed(hub, giver)
    in_step(replica)
    new_timeline(begin=hub.house.hub.begin, new_id=hub.house.hub.new_id)
    hub.house.settle()

    replica.step()
    between = replica.match_items([HIT, MISS])
    in_step(replica)

    assert not any(answer.is_clear for answer in between.answers)
    assert replica.match_items([HIT]).answers[0].hits[0].id == kept.id


def test_only_the_named_sets_are_held(hub, giver, following):
    other = hub.house.set("other")
    for member in (hub.reading_member, hub.giving_member):
        hub.house.grant(other, member)
    contributed(hub, giver, sets=(other,))
    contributed(hub, giver, "e" * 32)
    replica = in_step(following(hub.set))
    contributed(hub, giver, "d" * 32, sets=(other,))
    in_step(replica)

    assert len(replica) == 1
    assert replica.match_items([HIT]).is_clear


def test_two_sets_are_two_entries_of_one_indicator(hub, giver, following):
    other = hub.house.set("other")
    for member in (hub.reading_member, hub.giving_member):
        hub.house.grant(other, member)
    kept = contributed(hub, giver, sets=(hub.set, other))
    hits = in_step(following(hub.set, other)).match_items([HIT]).answers[0].hits

    assert {(hit.id, hit.set) for hit in hits} == {(kept.id, hub.set), (kept.id, other)}


@pytest.mark.slow
def test_set_longer_than_a_page_is_held_whole(hub, giver, replica):
    codes = [f"{number:032x}" for number in range(1, 1105)]
    giver.contribute_many(
        [Contribution.of_codes((Code("md5", code),), hub.words()) for code in codes]
    )
    hub.house.settle()

    in_step(replica)

    assert len(replica) == len(codes)
    assert all(a.is_hit for a in replica.match_items(items_of(codes)).answers)


def items_of(codes):
    return [Item((Code("md5", code),)) for code in codes]


def test_file_is_matched_without_a_request(hub, giver, replica, tmp_path):
    lure = tmp_path / "lure.jpg"
    lure.write_bytes(encoded(photograph("chelsea.png"), "JPEG"))
    kept = giver.contribute_file(lure, hub.words())
    hub.house.settle()
    in_step(replica)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")

    match, refused = replica.match_files([lure, broken])

    assert match.answer.hits[0].id == kept.id
    assert match.answer.hits[0].receipt is None
    assert refused.refusal
    assert not refused.is_clear


def test_loop_follows_until_it_is_told_to_stop(hub, giver, client):
    replica = Replica(client, [hub.set], wait_seconds=1)
    stop = threading.Event()
    following = threading.Thread(target=replica.run, args=[stop])
    following.start()
    try:
        contributed(hub, giver)
        eventually(lambda: replica.match_items([HIT]).answers[0].is_hit)
        eventually(lambda: replica.match_items([MISS]).is_clear)
    finally:
        stop.set()
        following.join()


def test_loop_outlives_a_hub_that_refuses(hub, hasher):
    with Client(hub.url, "bw_live_wrong", hasher=hasher) as client:
        replica = Replica(client, [hub.set])
        stop = threading.Event()
        following = threading.Thread(target=replica.run, args=[stop])
        following.start()

        with pytest.raises(ApiError):
            replica.step()

        assert following.is_alive()
        stop.set()
        following.join()


def test_replica_of_no_set_is_a_mistake(client):
    with pytest.raises(ValueError, match="name the sets"):
        Replica(client, [])
