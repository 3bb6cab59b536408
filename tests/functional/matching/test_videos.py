# SPDX-License-Identifier: Apache-2.0
"""Videos: contributed by their frames, found by the share of them, told as one indicator."""

import json

import pytest
import sqlalchemy as sa

from hub.domain.changes import SYSTEM
from hub.domain.errors import URN
from hub.services import pages, upkeep
from hub.storage import tables
from tests.support.codes import code, flipped, pdq
from tests.support.saying import contributed, matched, picture, said, standings, version, withdrawn
from tests.support.truth import check_rebuilt, check_totals

FRAMES = 10


@pytest.fixture(scope="module")
def house(lasting_house):
    return lasting_house


@pytest.fixture
def clock(house):
    return house.clock


@pytest.fixture
def frames():
    return [pdq() for _ in range(FRAMES)]


def frame(text, at_ms, **facts):
    return {"signal": "pdq", "code": text, "at_ms": at_ms, **facts}


def video(frames, **digests):
    """A video by the PDQ of its frames, one a second, and by digests."""
    shown = [frame(text, 1000 * number) for number, text in enumerate(frames)]
    whole = [{"signal": name, "code": text} for name, text in digests.items()]
    return {"kind": "video", "codes": [*shown, *whole]}


def answer_to(caller, item, explain=0):
    answer = caller.post(f"/v1/match?explain={explain}", {"items": [item]})
    assert answer.status_code == 200, answer.text
    return answer.json["answers"][0]


@pytest.mark.parametrize(
    ("bits", "band"), [(0, "exact"), (16, "near"), (17, "edge"), (31, "edge"), (32, None)]
)
def test_a_video_is_told_as_one_indicator_with_a_band(shared, alpha, beta, frames, bits, band):
    indicator = contributed(alpha, video(frames), shared)

    answer = answer_to(beta, video([flipped(one, bits) for one in frames]))

    if band is None:
        assert answer == {"answer": "none"}
        return
    (hit,) = answer["hits"]
    assert (hit["id"], hit["band"], hit["signal"]) == (indicator, band, "vpdq")
    assert (answer["answer"], answer["standing"]) == ("hit", "review")


@pytest.mark.parametrize(("kept", "found"), [(10, True), (8, True), (7, False)])
def test_eight_of_ten_frames_are_enough_either_way(shared, alpha, beta, frames, kept, found):
    mixed = frames[:kept] + [pdq() for _ in range(FRAMES - kept)]
    contributed(alpha, video(frames), shared)

    assert answer_to(beta, video(mixed))["answer"] == ("hit" if found else "none")


def test_a_part_is_found_by_the_whole_and_the_whole_by_a_part(shared, alpha, beta, frames):
    longer = frames + [pdq() for _ in range(40)]
    first = contributed(alpha, video(frames), shared)
    second = contributed(alpha, video(longer), shared)

    for item in (video(frames), video(longer)):
        assert {hit["id"] for hit in answer_to(beta, item)["hits"]} == {first, second}


def test_frames_and_pictures_are_not_looked_up_among_each_other(shared, alpha, beta, frames):
    contributed(alpha, video(frames), shared)
    contributed(alpha, picture(pdq=frames[0]), shared)
    still = picture(pdq=pdq())["codes"]

    assert matched(beta, pdq=frames[1]) == {"answer": "none"}
    assert answer_to(beta, {"codes": still}) == {"answer": "none"}
    assert [hit["signal"] for hit in matched(beta, pdq=frames[0])["hits"]] == ["pdq"]


def test_frames_below_the_floor_count_on_neither_side(shared, alpha, beta, frames):
    dark = [frame(f"{n:064x}", 60_000 + n, quality=10) for n in range(90)]
    given = video(frames[:5])
    given["codes"] += dark
    indicator = contributed(alpha, given, shared)
    asked = video(frames[:5])
    asked["codes"] += [{**one, "at_ms": one["at_ms"] + 7} for one in dark]

    assert [hit["id"] for hit in answer_to(beta, asked)["hits"]] == [indicator]
    # They are not kept at all: five frames are what there is.
    assert len(alpha.get(f"/v1/indicators/{indicator}").json["item"]["codes"]) == 5
    assert answer_to(beta, {"kind": "video", "codes": dark}) == {
        "answer": "unknown",
        "why": "unsearchable",
    }


def test_what_was_given_is_read_back_as_it_was_given(shared, alpha, frames):
    given = video(frames, md5=code("md5"))
    given["codes"][0]["quality"] = 77
    indicator = contributed(alpha, given, shared)

    told = alpha.get(f"/v1/indicators/{indicator}").json

    assert told["item"]["kind"] == "video"
    key = json.dumps
    assert sorted(told["item"]["codes"], key=key) == sorted(given["codes"], key=key)


def test_neither_shares_nor_distances_are_told_but_to_the_contributor(shared, alpha, beta, frames):
    indicator = contributed(alpha, video(frames), shared)
    asked = video([flipped(one, 9) for one in frames[:8]] + [pdq(), pdq()])

    theirs, own = answer_to(beta, asked, explain=1), answer_to(alpha, asked, explain=1)

    assert theirs["explain"] == {"searched": {"vpdq": {"codes": 10, "radius": 31}}, "own": []}
    assert own["explain"]["own"] == [{"id": indicator, "signal": "vpdq", "distance": 9}]
    assert "0.8" not in json.dumps(theirs)


def test_5000_frames_are_one_item_and_5001_are_none(shared, alpha, beta):
    frames = [pdq(("long", number)) for number in range(5001)]
    indicator = contributed(alpha, video(frames[:5000], sha256=code("sha256")), shared)

    hits = answer_to(beta, video([flipped(one, 4) for one in frames[:5000]]))["hits"]
    refused = alpha.post("/v1/indicators", said(video(frames), shared))
    asked = answer_to(beta, video(frames))

    assert [(hit["id"], hit["band"]) for hit in hits] == [(indicator, "near")]
    assert refused.status_code == 422
    assert {one["type"] for one in refused.json["errors"]} == {URN + "too-many-codes"}
    assert asked["error"]["type"] == URN + "too-many-codes"


@pytest.mark.parametrize(
    ("item", "slug"),
    [
        ({"kind": "video", "codes": [{"signal": "pdq", "code": pdq(1)}]}, "frame-without-time"),
        ({"kind": "video", "codes": [frame(pdq(1), -1)]}, "malformed-frame"),
        ({"kind": "video", "codes": [frame(pdq(1), "0")]}, "malformed-frame"),
        ({"kind": "video", "codes": [frame(pdq(1), 0, derived="trim:border")]}, "malformed-frame"),
        (
            {"kind": "video", "codes": [{**frame(code("md5", 1), 0), "signal": "md5"}]},
            "malformed-frame",
        ),
        ({"kind": "picture", "codes": [frame(pdq(1), 0)]}, "frame-of-picture"),
        ({"codes": [frame(pdq(1), 0)]}, "frame-of-picture"),
        ({"kind": "film", "codes": [frame(pdq(1), 0)]}, "unknown-item-kind"),
        ({"kind": "video", "codes": [frame("f" * 64, 0)]}, "impossible-pdq"),
        ({"codes": [{"signal": "vpdq", "code": pdq(1)}]}, "unknown-signal"),
    ],
)
def test_an_item_that_is_no_video_is_its_own_error(shared, alpha, item, slug):
    answers = alpha.post("/v1/match", {"items": [item, video([pdq()])]}).json["answers"]

    assert answers[0]["error"]["type"] == URN + slug
    assert answers[1] == {"answer": "none"}


def test_frames_are_counted_as_codes(house, shared, alpha, frames):
    def spent():
        house.hub.ledger.flush()
        used = sa.select(sa.func.sum(tables.budget.c.used)).where(tables.budget.c.name == "codes")
        with house.database.reader.connect() as connection:
            return connection.scalar(used) or 0

    before = spent()

    answer_to(alpha, video(frames))

    assert spent() - before == FRAMES


def test_copies_of_a_video_corroborate_and_its_half_does_not(
    shared, alpha, beta, gamma, clock, frames
):
    first = contributed(alpha, video(frames), shared)
    contributed(beta, video([flipped(one, 16) for one in frames]), shared)
    half = contributed(gamma, video(frames[:5]), shared)
    clock.forward(seconds=3)

    assert standings(gamma, first) == {shared: ("corroborated", 2)}
    assert standings(gamma, half) == {shared: ("review", 1)}


def test_who_was_told_of_a_video_before_adds_no_voice(house, shared, alpha, beta, clock, frames):
    first = contributed(alpha, video(frames), shared)
    assert answer_to(beta, video(frames))["answer"] == "hit"
    house.hub.ledger.flush()
    clock.forward(seconds=1)
    contributed(beta, video(frames), shared)
    clock.forward(seconds=3)

    assert standings(alpha, first) == {shared: ("review", 1)}


def test_what_is_withdrawn_revised_or_erased_is_so_everywhere(house, shared, alpha, beta, frames):
    kept, gone = [pdq() for _ in range(3)], frames
    first = contributed(alpha, video(gone, md5=code("md5")), shared)
    second = contributed(alpha, video(kept), shared)
    withdrawn(alpha, first)
    revised = alpha.post(f"/v1/indicators/{second}/versions", version(shared, use="offer"))

    assert (revised.status_code, revised.json["n"]) == (201, 2)
    assert answer_to(beta, video(gone)) == {"answer": "none"}
    assert [hit["use"] for hit in answer_to(beta, video(kept))["hits"]] == ["offer"]
    check_totals(house)
    check_rebuilt(house)

    for indicator in (first, second):
        upkeep.erase(indicator, actor=SYSTEM, hub=house.hub)
    house.settle()

    assert answer_to(beta, video(kept)) == {"answer": "none"}
    with house.database.reader.connect() as connection:
        left = connection.scalars(sa.select(tables.frames.c.codes)).all()
    assert not any(bytes.fromhex(one) in codes for one in (*kept, *gone) for codes in left)
    check_totals(house)


def test_pages_end_before_their_frames_are_too_many(monkeypatch, shared, alpha, beta):
    monkeypatch.setattr(pages, "MOST_FRAMES", 25)
    videos = [[pdq() for _ in range(FRAMES)] for _ in range(5)]
    ids = [contributed(alpha, video(one), shared) for one in videos]

    def told(caller, path, key):
        found, cursor, sizes = [], None, []
        while True:
            page = caller.get(path, query_string={"cursor": cursor} if cursor else None).json
            found += [one["id"] for one in page[key] if one["id"] in ids]
            sizes.append(len(page[key]))
            cursor = page.get("next_cursor", page.get("cursor"))
            if not cursor:
                return found, sizes

    own, own_sizes = told(alpha, "/v1/indicators", "items")
    live, _ = told(beta, f"/v1/sets/{shared}/snapshot", "records")

    assert own == ids
    assert live == ids
    assert max(own_sizes) == 2


def test_a_video_follows_with_its_frames(shared, alpha, beta, frames):
    start = beta.get("/v1/changes").json["cursor"]
    indicator = contributed(alpha, video(frames), shared)

    (record,) = [
        one
        for one in beta.get("/v1/changes", query_string={"cursor": start}).json["records"]
        if one["id"] == indicator
    ][:1]

    assert [(one["code"], one["at_ms"]) for one in record["codes"]] == [
        (text, 1000 * number) for number, text in enumerate(frames)
    ]
