# SPDX-License-Identifier: Apache-2.0
"""A note is read in one way only, and believed only under a key that is known."""

import base64

import pytest
from hypothesis import given, strategies as st

from federation.errors import Alarm, MalformedError, RefusedError, WeakKeyError
from federation.log.cosignatures import Cosigner
from federation.log.notes import MAX_BYTES, MAX_SIGNATURES, Note, Signature, sign, verified
from federation.log.verifiers import Verifier
from tests.support.signing import log_key, signer

TEXT = b"said\n\nin two parts\n"
NAME = "a.example/n\u00e9"
KEY = log_key(1, NAME)
SIGNED = Note(TEXT, (sign(TEXT, NAME, signer(1)),))
DATA = SIGNED.encoded()
LINE = SIGNED.signatures[0].line

names = st.text(min_size=1, max_size=12).filter(
    lambda name: name.isprintable() and "+" not in name and not any(map(str.isspace, name))
)


def line(name=b"a.example", data=bytes(5), dash="— "):
    return dash.encode() + name + b" " + base64.b64encode(data) + b"\n"


def test_a_note_is_believed_under_its_key():
    note = Note.parse(DATA)

    assert note == SIGNED
    assert note.text == TEXT
    assert verified(note, [log_key(2, NAME), KEY]) == {KEY: note.signatures}


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_no_byte_of_a_note_can_be_changed(at, by):
    changed = DATA[:at] + bytes([DATA[at] ^ by]) + DATA[at + 1 :]

    with pytest.raises(RefusedError):
        verified(Note.parse(changed), [KEY])


@given(st.integers(0, len(DATA) - 1))
def test_no_note_can_be_cut(end):
    with pytest.raises(RefusedError):
        verified(Note.parse(DATA[:end]), [KEY])


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: DATA + text.encode()))
def test_what_is_parsed_is_written_back_as_it_was(data):
    try:
        note = Note.parse(data)
    except MalformedError:
        return
    assert note.encoded() == data


@pytest.mark.parametrize(
    ("data", "alarm"),
    [
        (b"", Alarm.UNSIGNED),
        (b"said\n", Alarm.UNSIGNED),
        (b"said\n\n", Alarm.UNSIGNED),
        (b"said\n" + LINE, Alarm.UNSIGNED),
        (b"said\n\n" + LINE[:-1], Alarm.MALFORMED),
        (b"said\n\n" + LINE + b"\n", Alarm.UNSIGNED),
        (b"said\n\n" + LINE + b"more\n", Alarm.MALFORMED),
        (b"said\r\n\r\n" + LINE, Alarm.MALFORMED),
        (b"sa\tid\n\n" + LINE, Alarm.MALFORMED),
        (b"sa\0id\n\n" + LINE, Alarm.MALFORMED),
        (b"sa\x1fid\n\n" + LINE, Alarm.MALFORMED),
        (b"sa\xffid\n\n" + LINE, Alarm.MALFORMED),
        (b"sa\xed\xa0\x80id\n\n" + LINE, Alarm.MALFORMED),
        (b"said\n\n" + LINE.replace(b"\n", b" \n"), Alarm.MALFORMED),
        (b"said\n\n " + LINE, Alarm.MALFORMED),
        (b"said\n\n" + line(dash="- "), Alarm.MALFORMED),
        (b"said\n\n" + line(dash="—"), Alarm.MALFORMED),
        (b"said\n\n" + line(dash="—  "), Alarm.MALFORMED),
        (b"said\n\n" + line(name=b""), Alarm.MALFORMED),
        (b"said\n\n" + line(name=b"a+b"), Alarm.MALFORMED),
        (b"said\n\n" + line(name="a\u00a0b".encode()), Alarm.MALFORMED),
        (b"said\n\n" + line(name="a\u2003b".encode()), Alarm.MALFORMED),
        (b"said\n\n" + line(data=bytes(4)), Alarm.MALFORMED),
        (b"said\n\n" + line(data=b""), Alarm.MALFORMED),
        ("said\n\n— a.example\n".encode(), Alarm.MALFORMED),
        ("said\n\n— a.example AAAAAA\n".encode(), Alarm.MALFORMED),
        ("said\n\n— a.example AAAAAAA\n".encode(), Alarm.MALFORMED),
        ("said\n\n— a.example AAAAAAB=\n".encode(), Alarm.NON_CANONICAL),
        ("said\n\n— a.example AAAAAAA=AAAAAAA=\n".encode(), Alarm.MALFORMED),
        ("said\n\n— a.example AAAAAAA_\n".encode(), Alarm.MALFORMED),
        (b"said\n\n" + line() * (MAX_SIGNATURES + 1), Alarm.TOO_LARGE),
        (b"x" * MAX_BYTES + b"\n\n" + line(), Alarm.TOO_LARGE),
    ],
)
def test_what_is_no_note_is_refused(data, alarm):
    with pytest.raises(MalformedError) as refused:
        Note.parse(data)

    assert refused.value.alarm == alarm


def test_a_note_may_be_as_large_as_is_said():
    full = b"\n\n" + line() * MAX_SIGNATURES
    data = b"x" * (MAX_BYTES - len(full)) + full

    assert len(Note.parse(data).signatures) == MAX_SIGNATURES


def test_who_is_unknown_says_nothing():
    for stranger in (
        sign(TEXT, "b.example", signer(1)),
        sign(TEXT, NAME, signer(2)),
        Signature("b.example", KEY.key_id, bytes(64)),
        Signature(NAME, bytes(4), bytes(64)),
    ):
        alone = Note(TEXT, (stranger,))
        beside = SIGNED.with_signatures([stranger])

        with pytest.raises(RefusedError) as refused:
            verified(alone, [KEY])
        assert refused.value.alarm == Alarm.UNKNOWN_KEY
        assert verified(beside, [KEY]) == {KEY: SIGNED.signatures}


@pytest.mark.parametrize("payload", [bytes(64), SIGNED.signatures[0].payload[:-1], b"x"])
def test_one_false_line_of_somebody_known_spoils_a_note(payload):
    false = Signature(NAME, KEY.key_id, payload)

    for signatures in [(false,), (*SIGNED.signatures, false), (false, *SIGNED.signatures)]:
        with pytest.raises(RefusedError) as refused:
            verified(Note(TEXT, signatures), [KEY])
        assert refused.value.alarm == Alarm.BAD_SIGNATURE


def test_a_key_signs_for_its_name_and_its_kind_only():
    other_kind = Cosigner(NAME, KEY.public)

    for key in (other_kind, log_key(1, "b.example")):
        assert key.key_id != KEY.key_id
        with pytest.raises(RefusedError):
            verified(SIGNED, [key])


def test_two_keys_that_cannot_be_told_apart_are_refused_in_any_order():
    class SameId(Verifier):
        key_id = KEY.key_id

    other = SameId(NAME, signer(2).public)

    for keys in ([KEY, other], [other, KEY]):
        with pytest.raises(MalformedError):
            verified(SIGNED, keys)
    assert verified(SIGNED, [KEY, KEY])


def test_a_line_is_added_once():
    more = sign(TEXT, "b.example", signer(2))

    note = SIGNED.with_signatures([more, more, *SIGNED.signatures])

    assert note.signatures == (*SIGNED.signatures, more)


@given(names, st.integers(1, 9))
def test_a_key_is_read_as_it_is_written(name, number):
    key = log_key(number, name)

    assert Verifier.parse(key.vkey) == key


VKEY = KEY.vkey
WEAK = bytes(32)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "+",
        "++",
        VKEY[:-1],
        VKEY + "\n",
        VKEY + "=",
        " " + VKEY,
        VKEY.replace("+", "-", 1),
        VKEY.removeprefix(NAME),
        VKEY.replace(KEY.key_id.hex(), KEY.key_id.hex().upper()),
        VKEY.replace(KEY.key_id.hex(), "0" * 8),
        VKEY.replace(KEY.key_id.hex(), "0" + KEY.key_id.hex()),
        VKEY.replace("example", "example\n"),
        VKEY.replace("example", "exam\udc80ple"),
        Cosigner(NAME, KEY.public).vkey,
        f"{NAME}+{KEY.key_id.hex()}+",
        f"{NAME}+{KEY.key_id.hex()}+{base64.b64encode(KEY.public.raw).decode()}",
    ],
)
def test_what_is_no_key_is_refused(vkey):
    with pytest.raises(MalformedError):
        Verifier.parse(vkey)


def test_a_key_of_another_length_is_refused():
    encoded = base64.b64encode(b"\1" + bytes(31)).decode()

    with pytest.raises(MalformedError):
        Verifier.parse(f"{NAME}+00000000+{encoded}")


def test_a_key_under_which_anybody_could_sign_is_refused():
    encoded = base64.b64encode(b"\1" + WEAK).decode()

    with pytest.raises(WeakKeyError):
        Verifier.parse(f"{NAME}+00000000+{encoded}")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\0b", "a\u3000b", "a\ud800b"])
def test_a_name_that_could_not_stand_in_a_line_is_refused(name):
    with pytest.raises(MalformedError):
        log_key(1, name)
