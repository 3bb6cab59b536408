# SPDX-License-Identifier: Apache-2.0
"""A witness cosigns what continues what it cosigned last, and keeps what contradicts it."""

import base64

import pytest
from hypothesis import given, strategies as st

from federation.errors import Alarm, FederationError, MalformedError, SizeConflictError
from federation.log.checkpoints import Checkpoint, opened
from federation.log.cosignatures import Cosigner, times
from federation.log.merkle import EMPTY_ROOT
from federation.log.notes import Note, Signature, sign
from federation.log.proofs import consistency_proof
from federation.witnessing import MAX_PROOF, MAX_REQUEST, Request, Seen, Witness, http_status
from tests.support import rfc6962
from tests.support.signing import ORIGIN, checkpoint, log_key, signer

NOW = 1_795_000_000
NAME = "hub-b.example/witness"
WITNESS = Witness(NAME, signer(7), {ORIGIN: [log_key()]})
OURS = Cosigner(NAME, signer(7).public)
READ = rfc6962.reading([b"entry %d" % number for number in range(40)])
NOTHING = Seen(ORIGIN)


def request(old, new, **other):
    """Ask for a checkpoint as an honest log does, except for what is said otherwise."""
    said = other.get("said", checkpoint(new))
    proof = other["proof"] if "proof" in other else consistency_proof(old, new, READ)
    note = said.signed(signer(other.get("key", 1)))
    return Request.parse(Request(old, tuple(proof), note).encoded())


def seen(size):
    return WITNESS.cosigned(request(0, size), NOTHING, NOW - 60).seen


def refusal(asked, state):
    with pytest.raises(FederationError) as refused:
        WITNESS.cosigned(asked, state, NOW)
    return refused.value


@given(st.integers(0, 20), st.integers(0, 20))
def test_what_continues_what_was_cosigned_is_cosigned(old, more):
    state = seen(old)
    asked = request(old, old + more)

    answer = WITNESS.cosigned(asked, state, NOW)

    cosigned = asked.note.with_signatures([Signature.parse(answer.body.removesuffix(b"\n"))])
    assert times(cosigned, [OURS]) == {OURS: NOW}
    assert answer.expected == state
    assert (answer.seen.size, answer.seen.root) == (old + more, checkpoint(old + more).root)


def test_what_is_kept_is_the_logs_note_and_our_line_and_no_strangers():
    asked = request(0, 5)
    strange = [sign(asked.note.text, f"{at}.example", signer(3)) for at in range(31)]
    crowded = Request(0, (), asked.note.with_signatures(strange))

    kept = Note.parse(WITNESS.cosigned(crowded, NOTHING, NOW).seen.note)

    assert opened(kept, ORIGIN, [log_key()]) == checkpoint(5)
    assert times(kept, [OURS]) == {OURS: NOW}
    assert len(kept.signatures) == 2


def test_what_is_no_news_is_cosigned_again_with_a_newer_time():
    first = WITNESS.cosigned(request(0, 5), NOTHING, NOW)

    again = WITNESS.cosigned(request(5, 5), first.seen, NOW + 600)

    assert times(Note.parse(again.seen.note), [OURS]) == {OURS: NOW + 600}


def test_a_log_that_is_not_known_is_not_found():
    other = checkpoint(5, "hub-x.example/fed/1")

    error = refusal(request(0, 5, said=other), Seen("hub-x.example/fed/1"))

    assert error.alarm == Alarm.WRONG_ORIGIN
    assert http_status(error) == 404


def test_another_key_is_not_the_logs():
    error = refusal(request(0, 5, key=2), NOTHING)

    assert error.alarm == Alarm.UNKNOWN_KEY
    assert http_status(error) == 403


def test_a_false_signature_is_refused_also_beside_a_true_one():
    true = request(0, 5).note
    false = Signature(ORIGIN, log_key().key_id, bytes(64))

    for note in (Note(true.text, (false,)), true.with_signatures([false])):
        error = refusal(Request(0, (), note), NOTHING)
        assert error.alarm == Alarm.BAD_SIGNATURE
        assert http_status(error) == 403


def test_signatures_come_first_and_tell_strangers_nothing():
    error = refusal(request(0, 5, key=2), seen(9))

    assert http_status(error) == 403


@pytest.mark.parametrize(("old", "new"), [(0, 12), (5, 12), (0, 5), (5, 9), (10, 12), (5, 5)])
def test_who_asks_from_another_size_is_told_ours(old, new):
    error = refusal(request(old, new), seen(9))

    assert isinstance(error, SizeConflictError)
    assert error.size == 9
    assert http_status(error) == 409


def test_a_log_is_not_asked_to_shrink():
    error = refusal(request(9, 5, proof=[]), seen(9))

    assert isinstance(error, MalformedError)
    assert http_status(error) == 400


def test_two_roots_at_one_size_are_proof_of_a_fork():
    state, forked = seen(9), request(9, 9, said=checkpoint(9, entry=b"other %d"))

    error = refusal(forked, state)

    assert error.alarm == Alarm.FORK
    assert http_status(error) == 422
    # A third party that believes nobody can see it.
    ours, theirs = (opened(Note.parse(it), ORIGIN, [log_key()]) for it in error.evidence)
    assert ours.size == theirs.size
    assert ours.root != theirs.root


def test_a_larger_fork_has_no_proof():
    error = refusal(request(9, 12, said=checkpoint(12, entry=b"other %d")), seen(9))

    assert error.alarm == Alarm.GAP
    assert http_status(error) == 422
    assert error.evidence == (
        seen(9).note,
        checkpoint(12, entry=b"other %d").signed(signer(1)).encoded(),
    )


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (9, 12, []),
        (9, 12, [bytes(32)] * 4),
        (9, 9, [bytes(32)]),
        (0, 12, [bytes(32)]),
    ],
)
def test_a_wrong_proof_is_refused_and_accuses_nobody(old, new, proof):
    error = refusal(request(old, new, proof=proof), seen(old))

    # Anybody can send a good log's checkpoint with a bad proof.
    assert error.alarm == Alarm.GAP
    assert http_status(error) == 422


def test_an_empty_log_has_the_one_root_of_nothing():
    WITNESS.cosigned(request(0, 0), NOTHING, NOW)

    error = refusal(request(0, 0, said=Checkpoint(ORIGIN, 0, bytes(32))), NOTHING)

    assert error.alarm == Alarm.FORK
    assert http_status(error) == 422
    assert NOTHING.root == EMPTY_ROOT


def test_a_log_may_change_its_key():
    both = Witness(NAME, signer(7), {ORIGIN: [log_key(1), log_key(2)]})

    assert both.cosigned(request(9, 12, key=2), seen(9), NOW).seen.size == 12


@given(st.integers(0, 30), st.integers(0, 9))
def test_a_request_is_read_as_it_is_written(old, more):
    asked = request(old, old + more)

    assert Request.parse(asked.encoded()) == asked
    assert asked.origin == ORIGIN


BODY = request(5, 9).encoded()
NOTE = request(5, 9).note.encoded()
HASH = base64.b64encode(bytes(32))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        NOTE,
        b"old 5\n" + NOTE,
        b"old\n\n" + NOTE,
        b"old \n\n" + NOTE,
        b"old 05\n\n" + NOTE,
        b"old -5\n\n" + NOTE,
        b"old  5\n\n" + NOTE,
        b"old 5 \n\n" + NOTE,
        b"Old 5\n\n" + NOTE,
        b"old 5\r\n\r\n" + NOTE,
        b"old 9223372036854775808\n\n" + NOTE,
        b"\nold 5\n\n" + NOTE,
        b"old 5\n\n\n" + NOTE,
        b"old 5\n" + HASH[:-1] + b"\n\n" + NOTE,
        b"old 5\n" + HASH[:-2] + b"B=\n\n" + NOTE,
        b"old 5\n" + base64.b64encode(bytes(31)) + b"\n\n" + NOTE,
        b"old 5\n" + HASH + b" \n\n" + NOTE,
        b"old 5\n" + (HASH + b"\n") * (MAX_PROOF + 1) + b"\n" + NOTE,
        BODY[:-1],
        BODY + b"\n",
        BODY + bytes(MAX_REQUEST),
        b"old 5\n\nsaid\n\n",
    ],
)
def test_what_is_no_request_is_refused(body):
    with pytest.raises(MalformedError) as refused:
        Witness(NAME, signer(7), {ORIGIN: [log_key()]}).cosigned(Request.parse(body), seen(5), NOW)

    assert http_status(refused.value) == 400


def test_a_request_may_be_as_large_as_a_proof_and_a_note_can_be():
    assert len(Request.parse(b"old 5\n" + (HASH + b"\n") * MAX_PROOF + b"\n" + NOTE).proof) == 63


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_byte_of_a_request_can_be_changed(at, by):
    changed = BODY[:at] + bytes([BODY[at] ^ by]) + BODY[at + 1 :]

    with pytest.raises(FederationError):
        WITNESS.cosigned(Request.parse(changed), seen(5), NOW)
