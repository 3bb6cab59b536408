# SPDX-License-Identifier: Apache-2.0
"""An operation has one writing; whatever else says the same, or more, is refused."""

import json
from dataclasses import replace

import orjson
import pytest
import rfc8785
from hypothesis import given, strategies as st

from federation.errors import Alarm, MalformedError
from federation.forms.canonical import MAX_BYTES, read, written
from federation.operations.payloads import read_operation, write
from federation.operations.values import Op, Policy
from tests.simulators.statements import DAY, NOW, VIDEO, operation

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=4)
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
PLAIN = st.none() | st.booleans() | WHOLE | TEXTS
VALUES = st.dictionaries(
    NAMES,
    st.recursive(
        PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=10,
    ),
    max_size=6,
)


@given(VALUES)
def test_canonical_bytes_are_those_of_the_plain_scheme(value):
    assert written(value) == rfc8785.dumps(value)
    assert read(written(value)) == value


@pytest.mark.parametrize("op", list(Op))
def test_what_is_written_is_read_as_what_it_was(op):
    said = operation(op)

    assert read_operation(write(said).payload).operation == said


def test_a_video_is_read_as_what_it_was():
    said = operation(body=VIDEO)

    assert read_operation(write(said).payload).operation == said


@pytest.mark.parametrize(
    ("payload", "alarm"),
    [
        (b"", Alarm.MALFORMED),
        (b"null", Alarm.MALFORMED),
        (b"[1]", Alarm.MALFORMED),
        (b"{}", Alarm.MALFORMED),
        (b'{"v":1}', Alarm.MALFORMED),
        (b'{"a":NaN}', Alarm.MALFORMED),
        (b'{"a":"\xff"}', Alarm.MALFORMED),
        (b'{"a":"\\ud800"}', Alarm.MALFORMED),
        (b'\xef\xbb\xbf{"a":1}', Alarm.MALFORMED),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", Alarm.MALFORMED),
        (b'{"a":1,"a":2}', Alarm.NON_CANONICAL),
        (b'{"b":1,"a":2}', Alarm.NON_CANONICAL),
        (b'{"a":1} ', Alarm.NON_CANONICAL),
        (b'{"a": 1}', Alarm.NON_CANONICAL),
        (b'{"a":1e2}', Alarm.NON_CANONICAL),
        (b'{"a":' + b"9" * 5000 + b"}", Alarm.MALFORMED),
        (b'{"a":' + b"9" * 30 + b"}", Alarm.NON_CANONICAL),
        (b'{"a":"\\u0061"}', Alarm.NON_CANONICAL),
        (b'{"a":"' + b"x" * MAX_BYTES + b'"}', Alarm.TOO_LARGE),
    ],
)
def test_other_bytes_are_refused(payload, alarm):
    with pytest.raises(MalformedError) as refused:
        read_operation(payload)

    assert refused.value.alarm == alarm


def changed(op, path, value):
    said = json.loads(write(operation(op)).payload)
    place = said
    *way, last = path.split(".")
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize(
    ("op", "path", "value"),
    [
        (Op.ASSERT, "v", 2),
        (Op.ASSERT, "v", True),
        (Op.ASSERT, "op", "approve"),
        (Op.ASSERT, "op", ["assert"]),
        (Op.ASSERT, "origin", "Hub-A.example"),
        (Op.ASSERT, "origin", "hub-a.example\n"),
        (Op.ASSERT, "origin", "hub-a"),
        (Op.ASSERT, "origin", "hub-b.example"),
        (Op.ASSERT, "author", "hub-a.example/m/kkkk"),
        (Op.ASSERT, "n", 0),
        (Op.ASSERT, "n", -1),
        (Op.ASSERT, "n", 2),
        (Op.ASSERT, "n", 2**53),
        (Op.ASSERT, "n", "1"),
        (Op.ASSERT, "n", 1.5),
        (Op.ASSERT, "ep", 2**63),
        (Op.ASSERT, "prev", "0" * 64),
        (Op.ASSERT, "created", NOW + 40 * DAY),
        (Op.ASSERT, "expires", 1),
        (Op.ASSERT, "expires", NOW + 31 * DAY),
        (Op.ASSERT, "keep", NOW + 3 * 366 * DAY),
        (Op.ASSERT, "salt", "AAAA"),
        (Op.ASSERT, "salt", "A" * 21 + "B"),
        (Op.ASSERT, "salt", "A" * 20 + "=="),
        (Op.ASSERT, "salt", None),
        (Op.ASSERT, "confirmed", True),
        (Op.ASSERT, "policy.sets", []),
        (Op.ASSERT, "policy.sets", ["set_" + "b" * 26] * 2),
        (Op.ASSERT, "policy.tlp", "AMBER"),
        (Op.ASSERT, "policy.votes", 3),
        (Op.ASSERT, "body.standing", "corroborated"),
        (Op.ASSERT, "body.signals", []),
        (Op.ASSERT, "body.signals.0.v", "AB"),
        (Op.ASSERT, "body.signals.0.v", "ab\n"),
        (Op.ASSERT, "body.signals.0.v", " ab"),
        (Op.ASSERT, "body.signals.0.v", "abc"),
        (Op.ASSERT, "body.signals.0.q", 101),
        (Op.ASSERT, "body.words.harm", ["a"] * 17),
        (Op.ASSERT, "body.words.harm", ["a", "a"]),
        (Op.ASSERT, "body.words.harm", {"a": "b"}),
        (Op.ASSERT, "body.words.use", "line\nbreak"),
        (Op.ASSERT, "body.words.use", "e\u0301"),
        (Op.ASSERT, "body.frames", {"v": "", "at": "", "q": ""}),
        (Op.ASSERT, "body.frames", {"v": "AAAA", "at": "AAAA", "q": "AA"}),
        (Op.ASSERT, "target", "ind_" + "A" * 26),
        (Op.ASSERT, "target", "set_" + "a" * 26),
        (Op.OPINION, "target", "ind_" + "a" * 26),
        (Op.OPINION, "policy.sets", ["set_" + "b" * 26, "set_" + "c" * 26]),
        (Op.OPINION, "body.assessed_by", 4),
        (Op.EXCLUDE, "body.radius", 32),
        (Op.SET, "policy.sets", ["set_" + "c" * 26]),
        (Op.SET, "body.hubs.0.root", "0" * 63),
        (Op.SET, "body.hubs", [{"hub": "hub-a.example", "root": one * 64} for one in "01"]),
    ],
)
def test_what_breaks_a_rule_is_refused(op, path, value):
    payload = changed(op, path, value)

    with pytest.raises(MalformedError):
        read_operation(payload)


@pytest.mark.parametrize("previous", [None, "0" * 64])
def test_in_a_later_epoch_a_register_may_begin_or_go_on(previous):
    """After a key was stolen its hub must still be able to say what it never said before."""
    said = operation(epoch=2, previous=previous)

    assert read_operation(write(said).payload).operation == said


def test_nothing_that_would_be_refused_is_written():
    with pytest.raises(MalformedError):
        write(operation(policy=Policy("amber", ())))
    with pytest.raises(MalformedError):
        write(replace(operation(), keep=NOW))


def test_the_id_is_of_the_bytes_and_the_salt_changes_it():
    first, second = write(operation()), write(operation(salt=b"x" * 16))

    assert first.id == write(operation()).id != second.id


def test_an_error_shows_nothing_of_what_was_refused():
    payload = changed(Op.ASSERT, "body.signals.0.v", "SECRET-CODE")

    with pytest.raises(MalformedError) as refused:
        read_operation(payload)

    assert "SECRET" not in repr(refused.value)
    assert bytes(range(32)).hex() not in repr(operation())
