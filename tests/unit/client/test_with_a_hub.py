# SPDX-License-Identifier: Apache-2.0
"""The clients against a real hub: what is contributed is found, what is said comes back."""

import io

import pytest
from PIL import Image

from hub.client import (
    Account,
    ApiError,
    Code,
    Contribution,
    Item,
    Opinion,
    Outcome,
    contributed_codes,
)
from matching.derivations import CONTRIBUTED, NAMES
from matching.pictures import Refusal
from tests.support.clips import clip, film, recoded, scenes
from tests.support.codes import pdq
from tests.unit.pictures.photographs import encoded, letterboxed, photograph

CAT = photograph("chelsea.png")
MIRROR = Image.Transpose.FLIP_LEFT_RIGHT
MD5 = "0123456789abcdef" * 2


@pytest.fixture
def file(tmp_path):
    """Write a picture into a file."""

    def write(name, picture, **options):
        path = tmp_path / name
        path.write_bytes(encoded(picture, "JPEG", quality=75, **options))
        return path

    return write


def test_altered_copies_of_a_contributed_picture_are_found_and_others_are_clear(
    hub, contributor, reader, file
):
    kept = contributor.contribute_file(file("lure.jpg", CAT), hub.words())
    hub.house.settle()
    broken = file("broken.jpg", CAT)
    broken.write_bytes(broken.read_bytes()[:999])

    matches = reader.match_files(
        [
            file("again.jpg", CAT.resize((300, 200))),
            file("mirrored.jpg", CAT.transpose(MIRROR)),
            file("boxed.jpg", letterboxed(CAT)),
            file("other.jpg", photograph("coffee.png")),
            broken,
        ]
    )

    assert [match.is_hit for match in matches] == [True, True, True, False, False]
    assert [match.is_clear for match in matches] == [False, False, False, True, False]
    assert {hit.id for match in matches[:3] for hit in match.answer.hits} == {kept.id}
    assert [match.answer.hits[0].band for match in matches[1:3]] == ["derived", "derived"]
    assert matches[4].refusal.reason == Refusal.DAMAGED
    assert matches[0].answer.hits[0].harm == ("grooming",)


def test_flat_picture_is_neither_contributed_by_its_looks_nor_harms_the_question(
    hub, contributor, reader, file
):
    flat = file("flat.jpg", Image.new("RGB", (300, 300), "grey"))

    with pytest.raises(ApiError) as refused:
        contributor.contribute_file(flat, hub.words())

    assert refused.value.status == 422
    assert reader.match_files([flat])[0].is_clear
    contributor.contribute_file(flat, hub.words(), digests_only=True)
    hub.house.settle()
    assert reader.match_files([flat])[0].is_hit


def test_batch_tells_of_each_row_and_keeps_the_good_ones(hub, contributor, reader):
    good = Contribution.of_codes((Code("md5", MD5),), hub.words(), external_id="a-1")
    bad = Contribution.of_codes((Code("md5", "no code"),), hub.words())

    rows = contributor.contribute_many([good, bad])

    hub.house.settle()
    assert [row.index for row in rows] == [0, 1]
    assert rows[0].id
    assert rows[1].error.slug == "malformed-code"
    assert reader.match_codes({"md5": [MD5]}).answers[0].hits[0].id == rows[0].id
    assert contributor.list_own().items[0].external_id == "a-1"


@pytest.mark.slow
def test_batch_longer_than_a_request_is_kept_in_parts_and_only_once(hub, contributor):
    batch = [
        Contribution.of_codes((Code("md5", f"{number:032x}"),), hub.words())
        for number in range(1, 1003)
    ]

    rows = contributor.contribute_many(batch, once="import-7")
    again = contributor.contribute_many(batch, once="import-7")

    assert [row.index for row in rows] == list(range(1002))
    assert len({row.id for row in rows}) == 1002
    assert again == rows


def test_indicator_is_revised_read_and_withdrawn(hub, contributor, reader):
    kept = contributor.contribute(Contribution.of_codes((Code("md5", MD5),), hub.words()))

    revised = contributor.revise(kept.id, hub.words(harm=("grooming", "trafficking")))
    told = contributor.get(kept.id)
    withdrawn = contributor.withdraw(kept.id, reason="wrong-harm")
    hub.house.settle()

    assert (revised.n, withdrawn.n) == (2, 3)
    assert told.words["harm"] == ["grooming", "trafficking"]
    assert (told.codes, told.sets) == ((Code("md5", MD5),), (hub.set,))
    assert reader.match_codes({"md5": [MD5]}).is_clear


def test_opinions_appeals_and_outcomes_arrive(hub, contributor, reader, connect):
    kept = contributor.contribute(Contribution.of_codes((Code("md5", MD5),), hub.words()))
    hub.house.settle()

    def hit():
        hub.house.settle()
        return reader.match_codes({"md5": [MD5]}).answers[0].hits[0]

    rows = reader.report_outcomes([Outcome(hit().receipt, "content-removed")])
    reader.give_opinion(kept.id, Opinion(hub.set, "agree", basis="own-service-human"))
    admin = connect(hub.admin)
    before = hit().standing
    appeal = admin.open_appeal(kept.id, "benign")
    during = hit().standing
    admin.close_appeal(appeal.id, upheld=False)

    assert rows[0].error is None
    assert (before, during, hit().standing) == (before, "disputed", before)


def test_account_is_contributed_and_matched_and_shown_in_no_repr(hub, contributor, reader):
    account = Account("email", "someone@example.com")
    words = hub.words(case="T-1", depicts="unknown")

    kept = contributor.contribute(Contribution.of_account(account, "actor", words))
    hub.house.settle()
    matches = reader.match_accounts(
        [account, Account("email", "other@example.com")], purpose="report", case="T-2"
    )

    assert matches.answers[0].hits[0].id == kept.id
    assert matches.answers[1].is_clear
    assert "someone" not in repr(account) + repr(Contribution.of_account(account, "actor", words))


def test_long_question_is_asked_in_parts_and_answered_as_one(reader):
    items = [
        Item(tuple(Code("md5", f"{number:028x}{code:04x}") for code in range(1)), ref=f"r{number}")
        for number in range(10_002)
    ]

    matches = reader.match_items(items)

    assert [answer.ref for answer in matches.answers] == [item.ref for item in items]
    assert matches.is_clear


def test_item_that_is_wrong_is_told_and_is_not_clear(reader):
    items = [Item((Code("md5", "no code"),)), Item((Code("md5", MD5),))]

    wrong, right = reader.match_items(items).answers

    assert (wrong.answer, wrong.error.slug, wrong.is_clear) == ("error", "malformed-code", False)
    assert right.is_clear


def test_weak_code_alone_is_not_clear(reader):
    answer = reader.match_codes({"phash": ["0123456789abcdef"]}).answers[0]

    assert (answer.answer, answer.why, answer.is_clear) == ("unknown", "unsearchable", False)


def test_refusal_names_what_is_wrong_without_repeating_it(hub, contributor):
    secret = "feedface" * 3

    with pytest.raises(ApiError) as refused:
        contributor.contribute(Contribution.of_codes((Code("md5", secret),), hub.words()))

    assert refused.value.status == 422
    assert refused.value.errors[0].slug == "malformed-code"
    assert refused.value.request_id
    assert secret not in str(refused.value) + repr(refused.value.errors)


def test_wrong_key_is_told_as_such(connect):
    with pytest.raises(ApiError) as refused:
        connect("bw_live_wrong").status()

    assert (refused.value.status, refused.value.slug) == (401, "unauthorized")


def test_id_cannot_lead_to_another_path(contributor):
    with pytest.raises(ApiError) as refused:
        contributor.get("../status")

    assert refused.value.status == 404


def test_set_is_followed_by_hand(hub, contributor, reader):
    start = reader.snapshot(hub.set)
    kept = contributor.contribute(Contribution.of_codes((Code("md5", MD5),), hub.words()))
    hub.house.settle()

    changes = reader.changes(start.follow)

    assert [(record.id, record.codes) for record in changes.records] == [
        (kept.id, (Code("md5", MD5),))
    ]
    assert changes.withheld_to == changes.head
    assert not reader.changes(changes.cursor).records
    assert reader.snapshot(hub.set).records[0].id == kept.id


def test_status_tells_how_fresh_the_hub_is(reader):
    status = reader.status()

    assert status.complete
    assert status.whole["pdq"]
    assert status.index.position == status.index.head


def test_contributed_codes_are_the_plain_ones_and_those_of_what_is_inside_a_border(hasher):
    picture = hasher.hash_bytes(encoded(letterboxed(CAT)))

    codes = contributed_codes(picture)

    names = {code.derived or "plain" for code in codes}
    assert {"plain", "trim:border", "dihedral:rot90"} < names
    assert names - {"plain"} <= {NAMES[number] for number in CONTRIBUTED}
    # A border was drawn around it, so crops and tilts are of what is inside.
    assert not any(name.startswith(("crop:", "tilt:")) for name in names)
    assert {code.signal for code in codes} == {"pdq", "phash", "md5", "sha1", "sha256"}
    assert not any(code.code in repr(codes) for code in codes)
    assert all(code not in repr(picture) for code in (picture.pdq, picture.md5, picture.phash))


def test_picture_asks_with_no_more_codes_than_an_item_may_have(hasher):
    for name in ("camera.png", "cell.png", "moon.png"):
        file = io.BytesIO(encoded(letterboxed(photograph(name)))).getvalue()

        item = Item.of(hasher.hash_bytes(file))

        assert len(item.codes) <= 40
        assert sum(code.signal == "pdq" for code in item.codes) <= 32


def test_videos_are_files_like_pictures(hub, contributor, reader, tmp_path):
    kept = contributor.contribute_file(film(), hub.words(), external_id="film-1")
    again = contributor.contribute_file(film(), hub.words(use="offer"), external_id="film-1")
    hub.house.settle()
    copy = recoded(tmp_path / "copy.mp4", film(), crf=35)
    half = recoded(tmp_path / "half.mp4", film(), chosen=slice(50, None))
    other = clip(tmp_path / "other.mp4", scenes(1, 2, 3))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(film().read_bytes()[:2000])

    whole, *found, unknown, refused = reader.match_files([film(), copy, half, other, broken])

    assert (again.id, again.n) == (kept.id, 2)
    assert [hit.band for hit in whole.answer.hits] == ["exact"]
    assert [match.answer.hits[0].id for match in found] == [kept.id] * 2
    assert {match.answer.hits[0].signal for match in found} == {"vpdq"}
    assert not unknown.is_hit
    assert refused.refusal is not None
    assert not refused.is_clear


def test_many_videos_go_in_parts_and_never_all_or_none(hub, contributor):
    frames = [Code("pdq", pdq(("many", n)), at_ms=n) for n in range(4000)]
    batch = [
        Contribution.of_codes((Code("md5", f"{number:032x}"), *frames), hub.words(), kind="video")
        for number in range(1, 12)
    ]

    rows = contributor.contribute_many(batch, once="films")

    assert [row.index for row in rows] == list(range(11))
    assert len({row.id for row in rows}) == 11
    with pytest.raises(ValueError, match="all or none"):
        contributor.contribute_many(batch, atomic=True)
