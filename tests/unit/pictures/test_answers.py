# SPDX-License-Identifier: Apache-2.0
"""What the fenced process says is checked like a stranger's word."""

import hashlib
import io
import json

import pytest

from matching.derivations import ASKED, CONTRIBUTED, NAMES, derivation_id, derivation_name
from matching.errors import UnknownDerivationError
from matching.pictures import Refusal, RefusedPictureError
from matching.pictures.frames import read_frame, write_frame
from matching.pictures.values import hashed_picture
from matching.pictures.worker import serve
from tests.unit.pictures.photographs import encoded, photograph

DATA = b"a file"
HONEST = {
    "sha256": hashlib.sha256(DATA).hexdigest(),
    "pdq": "0f" * 32,
    "quality": 97,
    "phash": "0f" * 8,
    "derived": [[8, "f0" * 32, 90]],
}


OF_VIDEOS = {Refusal.NO_VIDEO, Refusal.TOO_MANY_FRAMES, Refusal.NO_DECODER}


def answered(**changes):
    return json.dumps({**HONEST, **changes}).encode()


def test_honest_answer_is_taken():
    picture = hashed_picture(DATA, answered())

    assert (picture.pdq, picture.quality, picture.phash) == ("0f" * 32, 97, "0f" * 8)
    assert [(code.derivation, code.pdq, code.quality) for code in picture.derived] == [
        (8, "f0" * 32, 90)
    ]


@pytest.mark.parametrize(
    "lie",
    [
        answered(sha256=hashlib.sha256(b"another file").hexdigest()),
        answered(pdq="0F" * 32),
        answered(pdq="0f" * 31),
        answered(pdq="0f" * 32 + "\n"),
        answered(pdq=7),
        answered(phash="0f" * 9),
        answered(quality=101),
        answered(quality=-1),
        answered(quality=True),
        answered(quality="97"),
        answered(derived=[[0, "f0" * 32, 90]]),
        answered(derived=[[200, "f0" * 32, 90]]),
        answered(derived=[[8]]),
        answered(derived=[[8, "f0" * 32, 90]] * 81),
        answered(derived=7),
        answered(refused="because"),
        b"{}",
        b"[]",
        b"7",
        b"\xff",
        b"",
    ],
)
def test_answer_that_the_process_may_not_give_counts_as_a_crash(lie):
    with pytest.raises(RefusedPictureError) as refused:
        hashed_picture(DATA, lie)

    assert refused.value.reason == Refusal.CRASHED


@pytest.mark.parametrize("reason", sorted(set(Refusal) - OF_VIDEOS))
def test_refusal_says_what_is_wrong_in_a_sentence(reason):
    with pytest.raises(RefusedPictureError, match=r"^[A-Z].*\.$") as refused:
        hashed_picture(DATA, json.dumps({"refused": reason}).encode())

    assert refused.value.reason == reason


@pytest.mark.parametrize("reason", sorted(OF_VIDEOS))
def test_process_that_says_of_a_picture_what_is_said_of_videos_is_not_believed(reason):
    with pytest.raises(RefusedPictureError) as refused:
        hashed_picture(DATA, json.dumps({"refused": reason}).encode())

    assert refused.value.reason == Refusal.CRASHED


def test_process_greets_and_answers_picture_after_picture_until_there_is_no_more():
    pictures, answers = io.BytesIO(), io.BytesIO()
    cat = encoded(photograph("chelsea.png"))
    for data in (cat, b"no picture", cat):
        write_frame(pictures, data)
    pictures.seek(0)

    serve(pictures, answers, cpu_seconds=10_000)

    answers.seek(0)
    greeting, first, second, third, end = (read_frame(answers, max_bytes=99_999) for _ in range(5))
    assert (greeting, end) == (b"pdq/1", None)
    assert first is not None
    assert first == third
    assert second is not None
    assert hashed_picture(cat, first).quality == 100
    assert json.loads(second) == {"refused": "unknown-format"}


@pytest.mark.parametrize("cut", [0, 3, 4, 9])
def test_message_that_breaks_off_is_none(cut):
    pipe = io.BytesIO()
    write_frame(pipe, b"message")

    assert read_frame(io.BytesIO(pipe.getvalue()[:cut]), max_bytes=100) is None


def test_message_longer_than_allowed_is_none():
    pipe = io.BytesIO()
    write_frame(pipe, b"message")

    assert read_frame(io.BytesIO(pipe.getvalue()), max_bytes=6) is None
    assert read_frame(io.BytesIO(pipe.getvalue()), max_bytes=7) == b"message"


def test_each_derivation_has_one_name_and_one_byte():
    assert {derivation_id(name): name for name in NAMES.values()} == NAMES
    assert all(derivation_name(number) == name for number, name in NAMES.items())
    assert (derivation_id(None), derivation_name(0)) == (0, None)
    assert all(0 < number < 256 for number in NAMES)
    assert {*CONTRIBUTED, *ASKED} <= set(NAMES)
    assert len({*CONTRIBUTED}) == len(CONTRIBUTED)
    assert len({*ASKED}) == len(ASKED)


def test_what_an_older_version_named_keeps_its_byte():
    first = {
        1: "dihedral:rot90",
        2: "dihedral:rot180",
        3: "dihedral:rot270",
        4: "dihedral:flipx",
        5: "dihedral:flipy",
        6: "dihedral:transpose",
        7: "dihedral:transverse",
        8: "trim:border",
        9: "trim:border+flipx",
    }

    assert {number: NAMES[number] for number in first} == first


@pytest.mark.parametrize("name", ["", "plain", "crop:4,4", "DIHEDRAL:ROT90", "trim:border\n"])
def test_unknown_derivation_is_refused_without_repeating_it(name):
    with pytest.raises(UnknownDerivationError) as refused:
        derivation_id(name)

    assert not name or name not in str(refused.value)


@pytest.mark.parametrize("number", [-1, 200, 255, 256])
def test_unknown_derivation_byte_is_refused(number):
    with pytest.raises(UnknownDerivationError):
        derivation_name(number)
