# SPDX-License-Identifier: Apache-2.0
"""A whole hub behind a real socket, and ``breakwater`` as somebody types it."""

import io
import json
import socket
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.serving import WSGIRequestHandler, make_server

from hub.cli import main
from hub.client import Client, Indicator
from tests.support.house import House


class Quiet(WSGIRequestHandler):
    def log(self, *_args, **_kwargs):
        """Say nothing."""


class Door:
    """The way into the hub: who asks finds it in step, unless a test says otherwise.

    ``before`` and ``after`` are called with the number of each batch of contributions, before it
    is handled and between its commit and its answer. The one with the number ``hung_up`` is not
    handled: the connection is lost.
    """

    def __init__(self, house):
        self.in_step = True
        self.batches = self.hung_up = 0
        self.before = self.after = lambda _number: None
        self._house = house
        self._lock = threading.Lock()

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/v1/match" and self.in_step:
            with self._lock:
                self._house.settle()
        if environ["REQUEST_METHOD"] != "POST" or path != "/v1/indicators":
            return self._house.app(environ, start_response)
        self.batches += 1
        number = self.batches
        if number == self.hung_up:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionError
        self.before(number)
        answer = [b"".join(self._house.app(environ, start_response))]
        self.after(number)
        return answer


@dataclass
class Hub:
    """A hub with one set, a contributor and another operator that looks up and follows."""

    house: House
    door: Door
    url: str
    set: str
    contributor: str
    reader: str

    def own(self):
        """All that the contributor's operator contributed."""
        with Client(self.url, self.contributor) as client:
            found: list[Indicator] = []
            cursor = None
            while True:
                page = client.list_own(cursor=cursor, limit=1000)
                found += page.items
                cursor = page.next_cursor
                if cursor is None:
                    return found


@pytest.fixture
def databases(sqlite_databases):
    """What is asked here does not depend on the kind of database."""
    return sqlite_databases


@pytest.fixture
def quiet():
    """The hub logs in this process, where standard output is the command's."""
    with capture_logs():
        yield


@pytest.fixture
def hub(house, quiet):
    door = Door(house)
    server = make_server("127.0.0.1", 0, door, threaded=True, request_handler=Quiet)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    shared = house.set("shared")
    yield Hub(
        house,
        door,
        f"http://127.0.0.1:{server.server_port}",
        shared,
        house.admit("first.example.com", sets=[shared]).secret,
        house.admit("second.example.com", sets=[shared]).secret,
    )
    server.shutdown()
    serving.join()
    server.server_close()


@dataclass
class Ran:
    """How a command went."""

    status: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def environment(hub):
    """Where the hub is, and the contributor's key."""
    return {"BREAKWATER_URL": hub.url, "BREAKWATER_KEY": hub.contributor}


@pytest.fixture
def run(environment, capfd, monkeypatch):
    """Run ``breakwater``; *changed* are variables of its environment, None for none."""

    def ran(*arguments, stdin=b"", **changed):
        for name, value in {**environment, **changed}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        # The key is in no output, whatever went wrong.
        assert str(environment["BREAKWATER_KEY"]) not in out + err
        return Ran(int(ended.value.code or 0), out, err)

    return ran


@pytest.fixture
def reading(hub):
    """The environment of the other operator."""
    return {"BREAKWATER_KEY": hub.reader}


@pytest.fixture
def words(hub):
    """The options that each contribution needs."""
    said = f"--set {hub.set} --harm grooming --use first-contact --depicts no-person"
    return [*said.split(), "--basis", "own-service-human", "--assessed-by", "1"]
