# SPDX-License-Identifier: Apache-2.0
"""A quorum is what two hubs wrote down, and a log is never in its own."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from federation.errors import Alarm, MalformedError, RefusedError
from federation.log.cosignatures import cosign
from federation.log.notes import Signature
from federation.log.policy_texts import MAX_TEXT, read_policy
from tests.support.signing import ORIGIN, checkpoint, cosigner, log_key, signer

NOTE = checkpoint(5).signed(signer(1))
WITNESSES = b"".join(
    b"witness %b %b\n" % (name, cosigner(number).vkey.encode())
    for name, number in [(b"X1", 11), (b"X2", 12), (b"X3", 13), (b"Y1", 21), (b"Y2", 22)]
)
NESTED = WITNESSES + b"group X 2 X1 X2 X3\ngroup Y any Y1 Y2\ngroup both all X Y\nquorum both\n"


def policy(ending, beginning=WITNESSES):
    return read_policy(beginning + ending)


def cosigned(*numbers_and_times):
    return NOTE.with_signatures(
        cosign(NOTE.text, cosigner(number).name, signer(number), time)
        for number, time in numbers_and_times
    )


@pytest.mark.parametrize(
    ("names", "enough"),
    [
        ("", False),
        ("X1 X2", False),
        ("X1 Y1", False),
        ("Y1 Y2", False),
        ("X1 X3 Y2", True),
        ("X1 X2 X3 Y1 Y2", True),
        ("X Y", False),
        ("both", False),
        ("X1 X2 nobody", False),
    ],
)
def test_groups_of_groups_must_all_be_reached_by_witnesses(names, enough):
    assert read_policy(NESTED).satisfied_by(names.split()) == enough


@given(st.integers(1, 5), st.sets(st.sampled_from(["X1", "X2", "X3", "Y1", "Y2"])))
def test_a_threshold_is_how_many_there_must_be(threshold, names):
    agreed = policy(b"group all-of-us %d X1 X2 X3 Y1 Y2\nquorum all-of-us\n" % threshold)

    assert agreed.satisfied_by(names) == (len(names) >= threshold)


def test_one_witness_is_a_quorum_and_nobody_may_be_one_too():
    assert policy(b"quorum X1\n").satisfied_by(["X1"])
    assert not policy(b"quorum X1\n").satisfied_by(["X2", "X3"])
    assert read_policy(b"quorum none\n").satisfied_by([])


def test_a_policy_says_where_logs_and_witnesses_are():
    key, who = log_key(), cosigner(11)

    agreed = read_policy(
        b"# agreed on paper\n\n \t# and signed\n"
        b"\tlog  %b \thttps://hub-a.example/fed/v1/log\n"
        b"witness W %b https://witness.example/ \nquorum W\n"
        % (key.vkey.encode(), who.vkey.encode())
    )

    assert agreed.logs == (key,)
    assert agreed.witnesses == {"W": who}
    assert agreed.urls == {
        key: "https://hub-a.example/fed/v1/log",
        who: "https://witness.example/",
    }


def test_names_are_what_their_bytes_are():
    kelvin = "\N{KELVIN SIGN}".encode()

    with pytest.raises(MalformedError):
        policy(b"quorum " + kelvin + b"\n", WITNESSES.replace(b"X1", b"K"))


LOG, SAME = log_key().vkey.encode(), cosigner(11, "again.example").vkey.encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        WITNESSES,
        b"quorum none",
        b"quorum none\r\n",
        b"quorum\x0bnone\n",
        b"quorum none\0\n",
        b"quorum none\x7f\n",
        b"quorum \xff\n",
        b"quorum none\nquorum none\n",
        b"quorum X1\n" + WITNESSES,
        WITNESSES + b"quorum X9\n",
        WITNESSES + b"quorum X1 X2\n",
        WITNESSES + b"quorum\n",
        WITNESSES + b"QUORUM X1\n",
        WITNESSES + b"quorum x1\n",
        WITNESSES + b"else X1\nquorum X1\n",
        WITNESSES + b"group G any\nquorum X1\n",
        WITNESSES + b"group G\nquorum X1\n",
        WITNESSES + b"group G 0 X1\nquorum G\n",
        WITNESSES + b"group G 2 X1\nquorum G\n",
        WITNESSES + b"group G 01 X1\nquorum G\n",
        WITNESSES + b"group G -1 X1\nquorum G\n",
        WITNESSES + b"group G +1 X1\nquorum G\n",
        WITNESSES + b"group G half X1\nquorum G\n",
        WITNESSES + b"group G 1 X1 X1\nquorum G\n",
        WITNESSES + b"group G 2 X1 X1\nquorum G\n",
        WITNESSES + b"group G any X1\ngroup H any X1\nquorum G\n",
        WITNESSES + b"group G any G\nquorum G\n",
        WITNESSES + b"group G any H\ngroup H any X1\nquorum G\n",
        WITNESSES + b"group G any none\nquorum G\n",
        WITNESSES + b"group none any X1\nquorum X1\n",
        WITNESSES + b"group X1 any X2\nquorum X1\n",
        WITNESSES + b"group G any X1\ngroup G any X2\nquorum G\n",
        WITNESSES + b"witness X1 " + cosigner(30).vkey.encode() + b"\nquorum X1\n",
        WITNESSES + b"witness none " + cosigner(30).vkey.encode() + b"\nquorum X1\n",
        WITNESSES + b"witness again " + SAME + b"\nquorum X1\n",
        WITNESSES + b"witness log " + LOG + b"\nquorum X1\n",
        WITNESSES + b"witness W\nquorum X1\n",
        b"log\nquorum none\n",
        b"log " + LOG + b" url more\nquorum none\n",
        b"log " + LOG + b"\nlog " + log_key(1, "other.example").vkey.encode() + b"\nquorum none\n",
        b"log " + cosigner(11).vkey.encode() + b"\nquorum none\n",
        b"#" * MAX_TEXT + b"\nquorum none\n",
    ],
)
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(MalformedError):
        read_policy(text)


@pytest.mark.parametrize(("number", "name"), [(1, "elsewhere.example"), (30, ORIGIN)])
def test_a_log_that_is_to_be_its_own_witness_is_refused(number, name):
    line = b"witness W " + cosigner(number, name).vkey.encode() + b"\n"

    with pytest.raises(MalformedError):
        read_policy(line + b"log " + LOG + b"\nquorum W\n")


@pytest.mark.parametrize(("number", "name"), [(1, "elsewhere.example"), (30, ORIGIN)])
def test_a_cosignature_of_the_log_itself_never_counts(number, name):
    itself = cosigner(number, name)
    line = b"witness W " + itself.vkey.encode() + b"\n"
    agreed = read_policy(WITNESSES + line + b"group G 2 X1 W\nquorum G\n")
    note = cosigned((11, 100)).with_signatures(
        [cosign(NOTE.text, itself.name, signer(number), 200)]
    )

    witnessed = agreed.witnessed(note, [log_key()])

    assert witnessed == {"X1": 100}
    assert not agreed.satisfied_by(witnessed)
    # The same line of somebody else would have.
    assert agreed.satisfied_by(agreed.witnessed(note, [log_key(40, "hub-b.example")]))


def test_who_cosigned_is_known_by_the_names_of_the_policy():
    note = cosigned((11, 100), (22, 300), (11, 200), (40, 400))

    assert read_policy(NESTED).witnessed(note, [log_key()]) == {"X1": 200, "Y2": 300}


def test_a_false_cosignature_spoils_a_checkpoint():
    who = cosigner(11)
    note = NOTE.with_signatures([Signature(who.name, who.key_id, bytes(72))])

    with pytest.raises(RefusedError) as refused:
        read_policy(NESTED).witnessed(note, [log_key()])

    assert refused.value.alarm == Alarm.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("witnessed", "time"),
    [
        ({}, None),
        ({"X1": 10, "X2": 20}, None),
        ({"X1": 10, "X2": 20, "Y1": 30}, 10),
        ({"X1": 10, "X2": 20, "X3": 40, "Y1": 30}, 20),
        ({"X1": 10, "X2": 20, "X3": 40, "Y1": 5, "Y2": 6}, 6),
        ({"X1": 9, "X2": 9, "Y1": 9}, 9),
    ],
)
def test_a_checkpoint_is_as_fresh_as_the_last_time_a_quorum_stood_by_it(witnessed, time):
    assert read_policy(NESTED).freshness(witnessed) == time


def test_nobody_asked_is_no_time_at_all():
    agreed = replace(read_policy(NESTED), quorum="none")

    assert agreed.freshness({"X1": 10}) is None
