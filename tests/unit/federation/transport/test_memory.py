# SPDX-License-Identifier: Apache-2.0
"""A simulated way to a partner keeps what the real one promises."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from federation.errors import Alarm, RefusedError, TransportError
from federation.ports import Answer, Wire
from federation.transport.memory import MemoryNonces, MemoryWire


def echo(method, path, body, media_type):
    return Answer(200, f"{method} {path} {body!r} {media_type}".encode(), "text/plain")


@pytest.fixture
def wire() -> Wire:
    return MemoryWire(echo)


def test_what_is_asked_is_answered(wire):
    asked = wire.get("/x?a=b", max_bytes=100, seconds=1)
    sent = wire.post("/x", b"{}", media_type="application/json", max_bytes=100, seconds=1)

    assert asked.body == b"GET /x?a=b None "
    assert sent.body == b"POST /x b'{}' application/json"


def test_an_answer_may_be_as_large_as_was_asked_for(wire):
    size = len(wire.get("/", max_bytes=100, seconds=1).body)

    assert wire.get("/", max_bytes=size, seconds=1)
    with pytest.raises(RefusedError) as refused:
        wire.get("/", max_bytes=size - 1, seconds=1)

    assert refused.value.alarm is Alarm.TOO_LARGE


@pytest.mark.parametrize(("status", "error"), [(500, TransportError), (302, RefusedError)])
def test_a_status_that_is_no_answer_is_none_here_either(status, error):
    wire = MemoryWire(lambda *_: Answer(status, b""))

    with pytest.raises(error):
        wire.get("/", max_bytes=100, seconds=1)
    with pytest.raises(error):
        wire.post("/", b"", media_type="x/y", max_bytes=100, seconds=1)


class Slow(str):
    """A nonce that lets another thread run whenever it is looked up."""

    __slots__ = ()

    def __hash__(self):
        time.sleep(0.01)
        return super().__hash__()

    def __eq__(self, other):
        return super().__eq__(other)


def test_between_looking_and_remembering_nobody_else_looks():
    memory = MemoryNonces(lambda: 100.0)

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda _: memory.is_new("a", Slow("x"), 100), range(4)))

    assert sum(told) == 1
