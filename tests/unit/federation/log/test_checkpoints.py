# SPDX-License-Identifier: Apache-2.0
"""A checkpoint is three lines under the key of the log that was asked, cosigned at a time."""

import pytest
from hypothesis import given, strategies as st

from federation.errors import Alarm, MalformedError, RefusedError
from federation.log.checkpoints import Checkpoint, opened, origin_of
from federation.log.cosignatures import Cosigner, cosign, times
from federation.log.notes import Note, Signature, sign
from tests.support.signing import ORIGIN, checkpoint, cosigner, log_key, signer

HASH = b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
FIVE = checkpoint(5)
NOTE = FIVE.signed(signer(1))
WHO = cosigner(7)


def cosigned(note, who, number, time):
    return note.with_signatures([cosign(note.text, who.name, signer(number), time)])


def test_a_log_is_believed_what_it_signed():
    assert opened(NOTE, ORIGIN, [log_key()]) == FIVE
    assert NOTE.text.count(b"\n") == 3
    assert origin_of(NOTE) == ORIGIN


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_is_written(size, root):
    said = Checkpoint(ORIGIN, size, root)

    assert Checkpoint.parse(said.text) == said


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"a\n",
        b"a\n1\n",
        b"a\n1\n" + HASH,
        b"a\n1\n" + HASH + b"\n\n",
        b"a\n1\n" + HASH + b"\nextension\n",
        b"\n1\n" + HASH + b"\n",
        b"a b\n1\n" + HASH + b"\n",
        b"a+b\n1\n" + HASH + b"\n",
        b"a\xff\n1\n" + HASH + b"\n",
        b"a\r\n1\r\n" + HASH + b"\r\n",
        b"a\n\n" + HASH + b"\n",
        b"a\n01\n" + HASH + b"\n",
        b"a\n00\n" + HASH + b"\n",
        b"a\n-1\n" + HASH + b"\n",
        b"a\n+1\n" + HASH + b"\n",
        b"a\n1_0\n" + HASH + b"\n",
        b"a\n 1\n" + HASH + b"\n",
        b"a\n1 \n" + HASH + b"\n",
        b"a\n0x1\n" + HASH + b"\n",
        b"a\n1.0\n" + HASH + b"\n",
        "a\n\u0661\n".encode() + HASH + b"\n",
        b"a\n9223372036854775808\n" + HASH + b"\n",
        b"a\n" + b"9" * 5000 + b"\n" + HASH + b"\n",
        b"a\n1\n\n",
        b"a\n1\n" + HASH[:-1] + b"\n",
        b"a\n1\n" + HASH.replace(b"I=", b"J=") + b"\n",
        b"a\n1\n" + HASH.replace(b"/", b"_") + b"\n",
        b"a\n1\n" + HASH + b" \n",
        b"a\n1\nAAAA\n",
        b"a\n1\n" + HASH[:-1] + b"A\n",
    ],
)
def test_what_is_no_checkpoint_is_refused_however_well_signed(text):
    with pytest.raises(MalformedError):
        opened(Note(text, (sign(text, ORIGIN, signer(1)),)), ORIGIN, [log_key()])


def test_nothing_unsigned_is_parsed():
    nonsense = Note(b"nonsense\n", FIVE.signed(signer(2)).signatures)

    with pytest.raises(RefusedError) as refused:
        opened(nonsense, ORIGIN, [log_key()])

    assert refused.value.alarm == Alarm.UNKNOWN_KEY


def test_a_checkpoint_of_another_log_under_the_same_key_is_refused():
    other = checkpoint(5, "hub-a.example/fed/2")
    note = Note(other.text, (sign(other.text, ORIGIN, signer(1)),))

    with pytest.raises(RefusedError) as refused:
        opened(note, ORIGIN, [log_key()])

    assert refused.value.alarm == Alarm.WRONG_ORIGIN


def test_a_witness_cannot_speak_for_a_log():
    note = cosigned(Note(FIVE.text, ()), WHO, 7, 1000)

    with pytest.raises(RefusedError):
        opened(note, ORIGIN, [log_key(7, WHO.name)])


def test_a_cosignature_has_the_time_that_it_signs():
    note = cosigned(NOTE, WHO, 7, 1_795_000_000)

    assert times(note, [WHO, cosigner(8)]) == {WHO: 1_795_000_000}
    assert times(NOTE, [WHO]) == {}
    assert opened(note, ORIGIN, [log_key()]) == FIVE


def test_the_newest_of_several_times_counts():
    note = cosigned(cosigned(cosigned(NOTE, WHO, 7, 20), WHO, 7, 30), WHO, 7, 10)

    assert times(note, [WHO]) == {WHO: 30}


@given(st.integers(0, 71), st.integers(1, 255))
def test_no_byte_of_a_cosignature_can_be_changed(at, by):
    payload = cosign(NOTE.text, WHO.name, signer(7), 1000).payload
    changed = payload[:at] + bytes([payload[at] ^ by]) + payload[at + 1 :]

    with pytest.raises(RefusedError) as refused:
        times(NOTE.with_signatures([Signature(WHO.name, WHO.key_id, changed)]), [WHO])

    assert refused.value.alarm == Alarm.BAD_SIGNATURE


@pytest.mark.parametrize("length", [1, 7, 8, 64, 71])
def test_a_cosignature_that_was_cut_is_false(length):
    payload = cosign(NOTE.text, WHO.name, signer(7), 1000).payload[:length]

    with pytest.raises(RefusedError):
        times(NOTE.with_signatures([Signature(WHO.name, WHO.key_id, payload)]), [WHO])


@pytest.mark.parametrize("time", [0, 2**63, 2**64 - 1])
def test_a_time_that_cannot_be_is_refused_however_well_signed(time):
    said = b"cosignature/v1\ntime %d\n%b" % (time, NOTE.text)
    payload = time.to_bytes(8, "big") + signer(7).sign(said)

    with pytest.raises(RefusedError):
        times(NOTE.with_signatures([Signature(WHO.name, WHO.key_id, payload)]), [WHO])
    with pytest.raises(MalformedError):
        cosign(NOTE.text, WHO.name, signer(7), time)


def test_a_cosignature_is_of_one_checkpoint():
    line = cosign(NOTE.text, WHO.name, signer(7), 1000)

    with pytest.raises(RefusedError):
        times(checkpoint(6).signed(signer(1)).with_signatures([line]), [WHO])


def test_a_cosigners_key_is_no_logs_key():
    assert Cosigner.parse(WHO.vkey) == WHO
    with pytest.raises(MalformedError):
        Cosigner.parse(log_key().vkey)
