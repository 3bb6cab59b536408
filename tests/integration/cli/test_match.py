# SPDX-License-Identifier: Apache-2.0
"""``breakwater match``: what a script may conclude from what it says, and from how it ends."""

import hashlib
import time

import pytest

from matching.freshness import FRESH_SECONDS
from tests.support.clips import film, recoded
from tests.support.codes import code, pdq
from tests.unit.pictures.photographs import encoded, photograph, resized

PLENTY = FRESH_SECONDS + 0.5


@pytest.fixture
def known(run, words, tmp_path):
    """A photograph that the contributor knows."""
    file = tmp_path / "known.png"
    file.write_bytes(encoded(photograph("astronaut.png")))
    assert run("contribute", file, *words).status == 0
    return file


@pytest.fixture
def altered(known):
    file = known.with_name("altered.jpg")
    file.write_bytes(encoded(resized(photograph("astronaut.png")), "JPEG", quality=40))
    return file


@pytest.fixture
def unknown(tmp_path):
    file = tmp_path / "unknown.png"
    file.write_bytes(encoded(photograph("coffee.png")))
    return file


@pytest.fixture
def broken(tmp_path):
    file = tmp_path / "broken.png"
    file.write_bytes(encoded(photograph("rocket.jpg"))[:2000])
    return file


def test_an_altered_copy_hits_and_ends_with_1(run, reading, altered, unknown):
    ran = run("match", altered, unknown, "--json", **reading)

    hit, none = ran.told["answers"]
    assert (hit["name"], hit["answer"]) == (str(altered), "hit")
    assert hit["hits"][0]["signal"] == "pdq"
    assert hit["hits"][0]["harm"] == ["grooming"]
    assert none["answer"] == "none"
    assert ran.told["complete"] is True
    assert ran.status == 1


def test_a_video_is_a_file_like_a_picture(run, reading, words, tmp_path):
    copy = recoded(tmp_path / "copy.mp4", film(), crf=35)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(film().read_bytes()[:2000])
    contributed = run("contribute", film(), *words, "--json")

    ran = run("match", copy, broken, "--json", **reading)

    hit, refused = ran.told["answers"]
    assert contributed.status == 0
    assert [one["id"] for one in hit["hits"]] == [one["id"] for one in contributed.told]
    assert hit["hits"][0]["signal"] == "vpdq"
    assert refused["answer"] == "refused"
    assert ran.status == 1


def test_nothing_known_of_anything_ends_with_0(run, reading, known, unknown):
    ran = run("match", unknown, f"pdq:{pdq(1)}", **reading)

    assert known.exists()
    assert ran.status == 0


def test_the_table_tells_standing_and_harm(run, reading, altered):
    ran = run("match", altered, **reading)

    (row,) = [line for line in ran.out.splitlines() if str(altered) in line]
    assert {"hit", "review", "pdq", "grooming"} <= set(row.split())


def test_a_picture_that_cannot_be_read_is_told_and_stops_nothing(
    run, reading, altered, broken, tmp_path
):
    ran = run("match", broken, altered, tmp_path / "missing.jpg", "--json", **reading)

    assert [one["answer"] for one in ran.told["answers"]] == ["refused", "hit", "refused"]
    assert f"{broken}: The file is damaged or truncated." in ran.err
    assert "missing.jpg: There is no regular file" in ran.err
    assert ran.status == 1


def test_what_was_not_searched_is_not_said_to_be_unknown(run, reading, broken, unknown):
    # Of the other file nothing is known, but of this one nothing can be said.
    assert run("match", broken, unknown, **reading).status == 65
    # A phash alone is no evidence.
    assert run("match", f"phash:{code('phash', 1)}", **reading).status == 65


def test_a_hub_that_is_behind_ends_with_75(run, reading, hub, unknown):
    hub.house.settle()
    hub.door.in_step = False
    time.sleep(PLENTY)

    ran = run("match", unknown, "--json", **reading)

    assert ran.told["complete"] is False
    assert ran.told["answers"][0]["why"] == "index"
    assert ran.status == 75


@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_a_digest_is_known_by_its_length(run, reading, known, digest):
    text = hashlib.new(digest, known.read_bytes()).hexdigest()

    assert run("match", text, **reading).status == 1
    assert run("match", f"{digest}:{text}", **reading).status == 1


def test_64_digits_need_to_be_told_apart(run, reading, known):
    text = hashlib.sha256(known.read_bytes()).hexdigest()

    ran = run("match", text, **reading)

    assert "write pdq: or sha256: before them" in ran.err
    assert ran.status == 65
    assert run("match", f"sha256:{text}", **reading).status == 1


def test_a_file_that_is_called_after_its_digest_is_a_file(
    run, reading, altered, tmp_path, monkeypatch
):
    content = altered.read_bytes()
    name = hashlib.md5(content).hexdigest()  # noqa: S324 - a name
    (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)

    ran = run("match", name, "--json", **reading)

    assert ran.told["answers"][0]["hits"][0]["signal"] == "pdq"


@pytest.mark.parametrize(
    "text", ["md5:abc", f"md5:{code('md5', 1).upper()}", f"pdq:{code('md5', 1)}", "sha1:\n"]
)
def test_a_malformed_code_is_told_and_stops_nothing(run, reading, text):
    ran = run("match", text, f"md5:{code('md5', 1)}", "--json", **reading)

    assert [one["answer"] for one in ran.told["answers"]] == ["refused", "none"]
    assert "lower-case hex digits" in ran.err
    assert ran.status == 65


def test_an_impossible_code_is_told_by_the_hub(run, reading):
    ran = run("match", f"pdq:{'f' * 64}", f"md5:{code('md5', 1)}", "--json", **reading)

    assert [one["answer"] for one in ran.told["answers"]] == ["error", "none"]
    assert "No picture has this PDQ code" in ran.err
    assert ran.status == 65


def test_a_dash_reads_codes_and_names_from_standard_input(run, reading, altered, unknown):
    lines = f"{altered}\r\n\nmd5:{code('md5', 1)}\n{unknown}".encode()

    ran = run("match", "-", "--json", stdin=lines, **reading)

    assert [one["answer"] for one in ran.told["answers"]] == ["hit", "none", "none"]


def test_many_things_are_asked_in_parts_and_told_in_order(run, reading, known):
    digest = hashlib.md5(known.read_bytes()).hexdigest()  # noqa: S324 - a code
    codes = [code("md5", number) for number in range(450)]
    codes[317] = digest

    ran = run("match", "-", "--json", stdin="\n".join(codes).encode(), **reading)

    assert [one["answer"] == "hit" for one in ran.told["answers"]] == [
        number == 317 for number in range(450)
    ]


def test_a_code_is_not_shown_whole(run, reading):
    text = code("md5", 1)

    ran = run("match", text, f"md5:{text}", **reading)

    assert text not in ran.out + ran.err
    assert text[:8] in ran.out


def test_a_name_moves_no_cursor(run, reading, tmp_path):
    file = tmp_path / "\x1b[2Jcleared\n.png"
    file.write_bytes(b"no picture")

    ran = run("match", file, **reading)

    assert "\x1b" not in ran.out + ran.err
    assert "cleared" in ran.err


def test_explain_says_what_was_searched_and_how_far_ones_own_is(run, altered):
    ran = run("match", altered, "--explain", "--json")

    explained = ran.told["answers"][0]["explain"]
    assert explained["searched"]["pdq"]["radius"] == 31
    assert explained["own"][0]["signal"] == "pdq"
    assert "within 31 bits" in run("match", altered, "--explain").out
