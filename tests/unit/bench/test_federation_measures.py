# SPDX-License-Identifier: Apache-2.0
"""What the benchmark between hubs believes in: its gate, its watch, its long log."""

import socket
import threading
from contextlib import closing, suppress

import pytest

from bench.federation import long_log
from bench.federation.gates import Gate
from bench.federation.taxii import _data
from bench.federation.watching import Watch

PATIENCE = 10


@pytest.fixture
def echo():
    """A port that says again whatever is said to it, to one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        while said := connection.recv(1024):
                            connection.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def said_again(connection, words=b"hello"):
    """What comes back; nothing where the connection is cut."""
    with suppress(OSError):
        connection.sendall(words)
        return connection.recv(1024)
    return b""


def connected(gate):
    return closing(socket.create_connection(("127.0.0.1", gate.port), timeout=PATIENCE))


def test_an_open_gate_carries_both_ways(echo):
    with Gate(echo) as gate, connected(gate) as connection:
        assert said_again(connection) == b"hello"


def test_a_gate_that_closes_cuts_what_it_carried_and_takes_nothing_new(echo):
    with Gate(echo) as gate, connected(gate) as before:
        said_again(before)

        gate.close()

        assert said_again(before) == b""
        with connected(gate) as after:
            assert said_again(after) == b""


def test_a_gate_that_was_opened_again_carries_again(echo):
    with Gate(echo) as gate:
        gate.close()

        gate.open()

        with connected(gate) as connection:
            assert said_again(connection) == b"hello"


class Known:
    """A line to a hub that finds some codes."""

    def __init__(self, *codes):
        self.codes = set(codes)

    def ask(self, body):
        asked = [one for one in ("aa", "bb") if one.encode() in body]
        return {"answers": [{"answer": "hit" if c in self.codes else "none"} for c in asked]}


def test_a_watch_goes_on_looking_for_what_is_not_found():
    known = Known("aa")
    watch = Watch(known)
    watch.expect([("aa", 0.0), ("bb", 0.0)])

    watch.look()
    waiting = (watch.lost, watch.is_done)
    known.codes.add("bb")
    watch.look()

    assert waiting == (1, False)
    assert watch.is_done
    assert len(watch.lags) == 2


def test_a_long_log_grows_to_its_size_and_every_proof_of_it_holds(tmp_path):
    with long_log.empty_log(tmp_path / "log") as log:
        log.lay(700)
        log.append(long_log.APPENDED)

        for number in range(3):
            log.checkpoint(number)
            log.consistency(number)
            log.inclusion(number)

        assert log.opened().size == log.opened().noted == 700 + long_log.APPENDED


def test_the_rival_holds_each_indicator_once_and_its_manifest():
    held = _data("http://127.0.0.1:1", "c", 5)["bench"]["collections"][0]

    ids = [one["id"] for one in held["objects"]]
    assert len(set(ids)) == 5
    assert ids == [one["id"] for one in held["manifest"]]
