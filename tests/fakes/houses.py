# SPDX-License-Identifier: Apache-2.0
"""A whole hub in this process: SQLite in a folder, the real engine, a shared copy in memory.

What the loops of a running hub do by themselves is done here when ``settle`` is called, so a test
never waits and never guesses.
"""

import itertools
import time
from pathlib import Path

from flask.testing import FlaskClient

from hub.adapters import clock
from hub.adapters.erasures import ErasureFile
from hub.adapters.metrics import Metrics
from hub.adapters.secrets import load_keys
from hub.app import create_app
from hub.domain.access import scopes_of
from hub.domain.sharing import CONTRIBUTE, LOOKUP, REPLICA
from hub.ports import Hub
from hub.services import neighbours, upkeep
from hub.services.access import CONSOLE, add_member, add_operator
from hub.services.directory import Directory
from hub.services.following import Waiting
from hub.services.keys import add_key
from hub.services.ledger import Budgets, Ledger
from hub.services.receipts import Receipts
from hub.services.relay import Relay
from hub.services.sets import add_set, grant
from hub.settings import Settings
from hub.storage import schema
from hub.storage.controls import slot_delta
from hub.storage.database import connect
from hub.storage.described import SqlDescriber
from hub.storage.feed import SqlFeed
from hub.storage.work import SqlBegin
from matching.engine import Engine
from matching.following import Follower
from matching.stores.memory import MemoryStore

ALL_RIGHTS = frozenset({CONTRIBUTE, LOOKUP, REPLICA})


class FakeDoorbell:
    """Nobody is at the door: tests call the relay themselves."""

    def ring(self):
        """Do nothing."""

    def wait(self, seconds):
        """Say that nobody rang."""
        del seconds
        return False


class House:
    """One hub and its application."""

    def __init__(self, folder: Path, *, now=clock.now, threads=8, **environment):
        self.settings = Settings.read(
            {
                "BREAKWATER_DATA": str(folder),
                "BREAKWATER_THREADS": str(threads),
                "BREAKWATER_REQUESTS_PER_SECOND": "50000",
                **environment,
            }
        )
        self.database = connect(self.settings.database_url)
        schema.upgrade(self.database, clock.new_id)
        self.hub = self._assembled(folder, now)
        self.relay = Relay(self.hub.feed, self.hub.store)
        self.app = create_app(self.settings, self.hub)
        self.settle()

    def settle(self):
        """Do what the loops would: carry every change over, apply it, link neighbours, flush."""
        self.hub.ledger.flush()
        for _ in range(100):
            self.relay.step(time.monotonic())
            self._follow()
            if not neighbours.link_neighbours(self.hub):
                return
        raise AssertionError("the neighbours job never came to rest")

    def sweep(self):
        """Do what the worker does each minute."""
        while upkeep.expire_due(self.hub):
            pass
        self.settle()

    def close(self):
        """Let go of the database."""
        self.database.close()

    # -- who there is -------------------------------------------------------------------------

    def operator(self, name, *, kind="platform", sandbox=False):
        """Admit an operator, at the console; returns its id."""
        values = {"name": name, "kind": kind, "contacts": (), "sandbox": sandbox}
        return add_operator(values, by=CONSOLE, hub=self.hub).body["id"]

    def member(self, operator_id, name="main"):
        """Add a member, at the console; returns its id."""
        return add_member(operator_id, name, by=CONSOLE, hub=self.hub).body["id"]

    def key(self, member_id, role="contributor", **wanted):
        """Make a key, at the console; returns its text."""
        wanted = {"name": role, "scopes": scopes_of(role), **wanted}
        made = add_key(member_id, wanted, by=CONSOLE, hub=self.hub)
        self.hub.directory.reload()
        return made.body["secret"]

    def set(self, name, *, tlp="TLP:GREEN", sandbox=False):
        """Make a set, at the console; returns its id."""
        values = {"name": name, "tlp": tlp, "onward": "none", "sandbox": sandbox}
        return add_set(values, by=CONSOLE, hub=self.hub).body["id"]

    def grant(self, set_id, member_id, rights=ALL_RIGHTS):
        """Give a member rights in a set, at the console."""
        grant(set_id, member_id, frozenset(rights), by=CONSOLE, hub=self.hub)
        self.hub.directory.reload()

    def admit(self, name, *, role="contributor", sets=(), kind="platform", sandbox=False):
        """Admit an operator with one member and one key into sets."""
        operator_id = self.operator(name, kind=kind, sandbox=sandbox)
        member_id = self.member(operator_id)
        for set_id in sets:
            self.grant(set_id, member_id)
        caller = self.caller(self.key(member_id, role))
        caller.operator, caller.member = operator_id, member_id
        self.settle()
        return caller

    def caller(self, key=None):
        """A client that sends this key, and a new Idempotency-Key with whatever writes."""
        return Caller(self, key)

    # -- the inside ---------------------------------------------------------------------------

    def _assembled(self, folder, now):
        secrets = load_keys(folder)
        begin = SqlBegin(self.database, clock=now, sealer=secrets.sealer)
        directory = Directory(begin=begin, pepper=secrets.pepper, clock=now)
        directory.reload()
        engine, store, feed = Engine(), MemoryStore(), SqlFeed(self.database)
        follower = Follower(
            engine,
            store,
            feed,
            clock=time.monotonic,
            on_changes=directory.learn,
            on_reload=directory.reload,
        )
        return Hub(
            clock=now,
            new_id=clock.new_id,
            secrets=secrets,
            begin=begin,
            describer=SqlDescriber(self.database.reader),
            feed=feed,
            store=store,
            doorbell=FakeDoorbell(),
            erasures=ErasureFile(folder / "erasures.log"),
            engine=engine,
            follower=follower,
            directory=directory,
            ledger=Ledger(begin=begin, clock=now, budgets=Budgets()),
            receipts=Receipts(secrets.receipts),
            waiting=Waiting(follower, self.settings.threads),
            metrics=Metrics(),
            control_delta=slot_delta,
        )

    def _follow(self):
        head = self.hub.feed.head().position
        for _ in range(10_000):
            self.hub.follower.step(0)
            fresh = self.hub.follower.freshness()
            if fresh.complete and fresh.position >= head:
                return
        raise AssertionError(f"the engine did not come to {head}")


class Caller:
    """Somebody with a key."""

    def __init__(self, house, key):
        self.house = house
        self.secret = key
        self.client: FlaskClient = house.app.test_client()
        self.operator = self.member = ""
        self._names = itertools.count()

    def get(self, path, **options):
        """Ask."""
        return self.send("GET", path, **options)

    def post(self, path, body=None, **options):
        """Write, under a new Idempotency-Key unless one is given as *once*."""
        return self.send("POST", path, body, **options)

    def put(self, path, body=None, **options):
        """Write, as post does."""
        return self.send("PUT", path, body, **options)

    def delete(self, path, **options):
        """Write, as post does."""
        return self.send("DELETE", path, **options)

    def send(self, method, path, body=None, *, once=None, headers=None, settle=True, **options):
        """Send a request; what it changed is known everywhere when this returns."""
        sent = {"Idempotency-Key": once or f"{id(self)}-{next(self._names)}"}
        if self.secret is not None:
            sent["Authorization"] = f"Bearer {self.secret}"
        sent.update(headers or {})
        if body is not None:
            options["json"] = body
        answer = self.client.open(path, method=method, headers=sent, **options)
        if settle and method != "GET":
            self.house.settle()
        return answer
