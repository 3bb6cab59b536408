# SPDX-License-Identifier: Apache-2.0
"""One budget counts for all of an exchange, and a head is looked at as it comes."""

import json
import socket
import time
from pathlib import Path

import pytest

from federation.errors import Alarm, RefusedError, TransportError
from federation.transport.addresses import Allowance, Base
from federation.transport.http import HttpWire, public_tls
from federation.transport.sockets import MAX_HEAD, Budget, GuardedBackend, Incoming

VECTORS = json.loads((Path(__file__).parents[3] / "vectors/federation/addresses.json").read_text())
TLS = public_tls()
HEAD = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n"


def added(sent, size):
    incoming = Incoming()
    for start in range(0, len(sent), size):
        incoming.add(sent[start : start + size])
    return incoming


def test_a_budget_is_spent_whatever_it_is_spent_on():
    now = [100.0]
    budget = Budget(5, lambda: now[0])
    assert budget.left() == 5
    now[0] += 3
    assert budget.left() == 2
    now[0] += 2

    with pytest.raises(TransportError, match="too long"):
        budget.left()


def test_a_budget_of_nothing_is_spent():
    with pytest.raises(TransportError):
        Budget(0, lambda: 1.0).left()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1"])
def test_nobody_but_the_partner_is_connected_to(host):
    asked = []

    def resolve(*place):
        asked.append(place)
        return ["127.0.0.1"]

    base = Base("https", "hub.example", 443)
    backend = GuardedBackend(base, Allowance(loopback=True), resolve, Budget(5))

    for place in ((host, 443), ("hub.example", 444)):
        with pytest.raises(RefusedError):
            backend.connect_tcp(*place)

    assert not asked


@pytest.fixture
def connected(monkeypatch):
    """Every address that any socket was to connect to."""
    places = []

    def connect(_socket, place):
        places.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return places


def ask(resolved):
    wire = HttpWire(Base("https", "hub.example", 443), tls=TLS, resolve=lambda *_: resolved)
    wire.get("/", max_bytes=1, seconds=60)


@pytest.mark.parametrize("address", VECTORS["refused_addresses"])
def test_no_packet_leaves_for_a_forbidden_address(connected, address):
    for resolved in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        with pytest.raises(RefusedError):
            ask(resolved)

    assert not connected


@pytest.mark.parametrize("address", VECTORS["admitted_addresses"])
def test_packets_leave_for_any_other(connected, address):
    with pytest.raises(TransportError):
        ask([address])

    assert connected == [address]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_body_is_counted_from_the_end_of_its_head(size):
    sent = HEAD + b"body\r\n\r\nand more"

    assert added(sent, size).of_body == len(sent) - len(HEAD)


def test_a_head_may_be_as_large_as_is_allowed():
    start, end = b"HTTP/1.1 200 OK\r\nX: ", b"\r\n\r\n"
    filling = b"y" * (MAX_HEAD - len(start) - len(end))

    Incoming().add(start + filling + end)
    with pytest.raises(RefusedError) as refused:
        Incoming().add(start + filling + b"y" + end)

    assert refused.value.alarm is Alarm.TOO_LARGE


@pytest.mark.parametrize("size", [1, 5, 100])
def test_an_answer_before_the_answer_is_refused_however_it_comes(size):
    sent = b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD

    with pytest.raises(RefusedError) as refused:
        added(sent, size)

    assert refused.value.alarm is Alarm.TRANSPORT


def test_a_budget_does_not_ask_what_time_of_day_it_is(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1e12)

    assert 0 < Budget(60.0).left() <= 60.0
    assert Budget.__init__.__defaults__ == (time.monotonic,)
