# SPDX-License-Identifier: Apache-2.0
"""A whole hub behind a real socket, and clients that talk to it."""

import asyncio
import inspect
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from hub.client import AsyncClient, Client, Words
from matching.pictures import Hasher
from tests.support.house import House


class Quiet(WSGIRequestHandler):
    def log(self, *_args, **_kwargs):
        """Say nothing."""


@dataclass
class Hub:
    """A hub with one set, a contributor and another operator that looks up and follows."""

    house: House
    url: str
    set: str
    contributor: str
    reader: str
    admin: str
    reading_member: str
    giving_member: str

    def words(self, **changed):
        said = {
            "sets": (self.set,),
            "harm": ("grooming",),
            "use": "first-contact",
            "depicts": "no-person",
            "basis": "own-service-human",
            "assessed_by": 1,
        }
        return Words(**{**said, **changed})


@pytest.fixture(scope="session")
def hasher():
    with Hasher() as shared:
        yield shared


@pytest.fixture
def databases(sqlite_databases):
    """What is asked here does not depend on the kind of database."""
    return sqlite_databases


@pytest.fixture
def hub(house):
    server = make_server("127.0.0.1", 0, house.app, threaded=True, request_handler=Quiet)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    shared = house.set("shared")
    contributor = house.admit("first.example.com", sets=[shared])
    reader = house.admit("second.example.com", sets=[shared])
    yield Hub(
        house,
        f"http://127.0.0.1:{server.server_port}",
        shared,
        contributor.secret,
        reader.secret,
        house.admit("hub.example.com", role="admin").secret,
        reader.member,
        contributor.member,
    )
    server.shutdown()
    serving.join()
    server.server_close()


class Waited:
    """An asynchronous client, driven like the synchronous one."""

    def __init__(self, client, loop):
        self._client = client
        self._loop = loop

    def __getattr__(self, name):
        method = getattr(self._client, name)
        assert inspect.iscoroutinefunction(method)
        return lambda *args, **named: self._loop.run_until_complete(method(*args, **named))


@pytest.fixture(params=["sync", "async"])
def connect(request, hub, hasher):
    """Make clients of either kind; all that follows must hold for both."""
    made: list[Any] = []
    loop = asyncio.new_event_loop()

    def client(key, **options):
        if request.param == "sync":
            made.append(Client(hub.url, key, hasher=hasher, **options))
        else:
            made.append(Waited(AsyncClient(hub.url, key, hasher=hasher, **options), loop))
        return made[-1]

    yield client
    for one in made:
        one.close()
    loop.close()


@pytest.fixture
def contributor(connect, hub):
    return connect(hub.contributor)


@pytest.fixture
def reader(connect, hub):
    return connect(hub.reader)
