# SPDX-License-Identifier: Apache-2.0
"""What a partner holds of our own operations: believed for our signature, and nothing else."""

import pytest

from federation import returned
from federation.errors import Alarm, MalformedError, RefusedError, TransportError
from federation.forms.canonical import written
from federation.operations.envelopes import sealed
from federation.operations.payloads import write
from federation.ports import Answer
from federation.returned import Returned, all_own, fetch, own
from tests.simulators.identities import HUB, hub_file, op_key
from tests.simulators.statements import operation
from tests.support.signing import signer

KNOWN = hub_file(op_keys=(op_key(60, epoch=2),))
KEY = f"{HUB}#op-60"


def said(key=60, key_id=KEY, **changed):
    payload = write(operation(**{"origin": HUB, "author": f"{HUB}/m/{'k' * 16}", **changed}))
    return sealed(payload.payload, signer(key), key_id).told


def test_what_we_signed_is_ours():
    found = own(Returned([(4, said())], None), KNOWN)

    assert [(one.index, one.said.operation.origin) for one in found] == [(4, HUB)]


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(said(key=61), id="signed by another key"),
        pytest.param(said(key=61, key_id=f"{HUB}#op-61"), id="signed by a key we never had"),
        pytest.param({**said(), "signatures": []}, id="signed by nobody"),
        pytest.param({"payload": "e30="}, id="no envelope"),
        pytest.param(
            {**said(), "payload": said(salt=bytes(15) + b"1")["payload"]}, id="another payload"
        ),
    ],
)
def test_nobody_makes_up_what_we_said(envelope):
    assert own(Returned([(0, envelope), (1, said())], None), KNOWN)[0].index == 1


def test_it_is_written_in_one_way():
    came = Returned([(4, said()), (9, said(salt=bytes(15) + b"1"))], 17, b"hub-a.example/fed/1\n")

    assert Returned.parse(came.encoded()) == came
    assert Returned.parse(Returned([], None).encoded()) == Returned([], None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        written({"ops": [], "next": None}),
        written({"ops": [], "next": -1, "checkpoint": None}),
        written({"ops": [{"i": 0}], "next": None, "checkpoint": None}),
        written({"ops": [], "next": None, "checkpoint": None, "more": 1}),
    ],
)
def test_what_is_none_is_refused(body):
    with pytest.raises(MalformedError):
        Returned.parse(body)


class Following:
    """Answers each question by what it says of its number; 1,000 are too many."""

    def __init__(self, held):
        self.held, self.asked = held, 0

    def get(self, path, **_):
        self.asked += 1
        assert self.asked < 1_000
        after = int(path.rpartition("=")[2])
        answer = Returned(self.held(after), after + 1)
        return Answer(200, answer.encoded(), "application/json")

    def post(self, *_args, **_kwargs):
        raise AssertionError("nothing is handed over")


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(lambda _: [], id="nothing"),
        pytest.param(lambda _: [(4, said())], id="the same again"),
        pytest.param(lambda after: [(4, said(key=61))] if after else [(4, said())], id="forged"),
    ],
)
def test_nobody_is_asked_on_for_nothing_new(held):
    wire = Following(held)

    assert len(list(all_own(wire, KNOWN, start=0))) <= 1
    assert wire.asked <= 2


def test_whoever_gives_back_a_little_at_a_time_is_not_asked_for_ever(monkeypatch):
    monkeypatch.setattr(returned, "MOST_QUESTIONS", 3)
    wire = Following(lambda after: [(after, said(salt=bytes(15) + bytes([after])))])

    with pytest.raises(RefusedError) as refused:
        list(all_own(wire, KNOWN, start=0))
    assert (refused.value.alarm, wire.asked) == (Alarm.FLOOD, 3)


class Wire:
    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def get(self, path, **_):
        self.asked.append(path)
        return self.answer

    def post(self, *_args, **_kwargs):
        raise AssertionError("nothing is handed over")


def test_it_is_asked_for_from_an_entry_on():
    wire = Wire(Answer(200, Returned([], None).encoded(), "application/json"))

    assert fetch(wire, start=7, after=3) == Returned([], None)
    assert wire.asked == ["/yours?from=7&after=3"]


def test_an_answer_of_another_kind_is_none():
    with pytest.raises(TransportError):
        fetch(Wire(Answer(401, b"")), start=0)
    with pytest.raises(RefusedError) as refused:
        fetch(Wire(Answer(200, b"{}", "text/html")), start=0)
    assert refused.value.alarm is Alarm.TRANSPORT
