# SPDX-License-Identifier: Apache-2.0
"""A whole hub in this process, assembled as in earnest: its database, its Valkey, its engine.

What the loops of a running hub do by themselves is done here when ``settle`` is called, so a test
never waits and never guesses.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from flask.testing import FlaskClient

from hub.app import create_app
from hub.domain.access import scopes_of
from hub.domain.sharing import CONTRIBUTE, LOOKUP, REPLICA
from hub.services import neighbours, upkeep
from hub.services.access import add_member, add_operator
from hub.services.keys import add_key
from hub.services.ledger import Budgets
from hub.services.office import CONSOLE
from hub.services.relay import Relay
from hub.services.sets import add_set, grant
from hub.settings import Settings
from hub.storage.database import Database
from hub.wiring import assemble
from matching.following import Follower

ALL_RIGHTS = frozenset({CONTRIBUTE, LOOKUP, REPLICA})
PATIENCE = 30.0
"""Seconds after which an engine that did not come to the head is taken to never come there."""


class House:
    """One hub and its application.

    Args:
        folder: its data.
        database_url: a database with the newest schema.
        redis_url: a Redis, which it may share with others.
        clock: tells the time of day.
        budgets: of a day, for each operator.
        settle: whether to load the index at once.
        environment: further settings.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        redis_url: str,
        clock: Callable[[], datetime],
        budgets: Budgets | None = None,
        settle: bool = True,
        **environment: str,
    ) -> None:
        self.settings = Settings.read(
            {
                "BREAKWATER_DATA": str(folder),
                "BREAKWATER_DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "BREAKWATER_REQUESTS_PER_SECOND": "50000",
                **environment,
            }
        )
        self.clock = clock
        self.hub = assemble(self.settings, now=clock, budgets=budgets)
        # Nobody listens at the door: the relay is called by hand.
        self.hub.begin.announce = lambda: None  # type: ignore[attr-defined]  # of its adapter
        self.database: Database = self.hub.begin._database  # type: ignore[attr-defined]  # noqa: SLF001 - the one it was assembled with
        self.relay = Relay(self.hub.feed, self.hub.store)
        self.app = create_app(self.settings, self.hub)
        self._names: Counter[str] = Counter()
        if settle:
            self.settle()

    def settle(self) -> None:
        """Do what the loops would: flush, carry every change over, apply it, link neighbours."""
        self.hub.ledger.flush()
        self.link()

    def link(self) -> None:
        """Carry every change over, apply it, link neighbours; flush nothing."""
        for _ in range(100):
            self.follow()
            if not neighbours.link_neighbours(self.hub):
                return
        raise AssertionError("the neighbours job never came to rest")

    def follow(self) -> None:
        """Carry every change over and apply it; nothing else."""
        self.relay.step(time.monotonic())
        head = self.hub.feed.head().position
        follower = cast("Follower", self.hub.follower)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            follower.step(1)
            fresh = follower.freshness()
            if fresh.complete and fresh.position >= head:
                return
            if not fresh.complete:
                time.sleep(0.001)  # it waits a moment before it loads once more
        raise AssertionError(f"the engine did not come to {head}: {follower.freshness()}")

    def sweep(self) -> None:
        """Do what the worker does each minute."""
        while upkeep.expire_due(self.hub):
            pass
        self.settle()

    def close(self) -> None:
        """Let go of the database and of Valkey."""
        self.hub.describer.close()  # type: ignore[attr-defined]  # of its adapter
        self.database.close()

    # -- who there is -------------------------------------------------------------------------

    def operator(self, name: str, *, kind: str = "platform", sandbox: bool = False) -> str:
        """Admit an operator, at the console; returns its id. A name that is taken is varied."""
        values = {"name": self._vary(name), "kind": kind, "contacts": (), "sandbox": sandbox}
        return str(add_operator(values, by=CONSOLE, hub=self.hub).body["id"])

    def member(self, operator_id: str, name: str = "main") -> str:
        """Add a member, at the console; returns its id."""
        return str(add_member(operator_id, name, by=CONSOLE, hub=self.hub).body["id"])

    def key(self, member_id: str, role: str = "contributor", **wanted: Any) -> str:
        """Make a key, at the console; returns its text."""
        wanted = {"name": role, "scopes": scopes_of(role), **wanted}
        made = add_key(member_id, wanted, by=CONSOLE, hub=self.hub)
        self.hub.directory.reload()
        return str(made.body["secret"])

    def set(self, name: str, *, tlp: str = "TLP:GREEN", sandbox: bool = False) -> str:
        """Make a set, at the console; returns its id. A name that is taken is varied."""
        values = {"name": self._vary(name), "tlp": tlp, "onward": "none", "sandbox": sandbox}
        return str(add_set(values, by=CONSOLE, hub=self.hub).body["id"])

    def grant(self, set_id: str, member_id: str, rights: frozenset[str] = ALL_RIGHTS) -> None:
        """Give a member exactly these rights in a set, at the console."""
        grant(set_id, member_id, frozenset(rights), by=CONSOLE, hub=self.hub)
        self.hub.directory.reload()

    def admit(
        self,
        name: str,
        *,
        role: str = "contributor",
        sets: tuple[str, ...] | list[str] = (),
        rights: frozenset[str] = ALL_RIGHTS,
        kind: str = "platform",
        sandbox: bool = False,
    ) -> "Caller":
        """Admit an operator with one member and one key into sets."""
        operator_id = self.operator(name, kind=kind, sandbox=sandbox)
        return self.join(operator_id, role=role, sets=sets, rights=rights)

    def join(
        self,
        operator_id: str,
        *,
        name: str = "main",
        role: str = "contributor",
        sets: tuple[str, ...] | list[str] = (),
        rights: frozenset[str] = ALL_RIGHTS,
    ) -> "Caller":
        """Give an operator a member with one key into sets."""
        member_id = self.member(operator_id, name)
        for set_id in sets:
            self.grant(set_id, member_id, rights)
        caller = self.caller(self.key(member_id, role))
        caller.operator, caller.member = operator_id, member_id
        return caller

    def caller(self, key: str | None = None) -> "Caller":
        """A client that sends this key, and a new Idempotency-Key with whatever writes."""
        return Caller(self, key)

    def _vary(self, name: str) -> str:
        self._names[name] += 1
        first, dot, rest = name.partition(".")
        return f"{first}-{self._names[name]}{dot}{rest}" if self._names[name] > 1 else name


class Caller:
    """Somebody with a key."""

    operator = ""
    member = ""

    def __init__(self, house: House, key: str | None) -> None:
        self.house = house
        self.secret = key
        self.client: FlaskClient = house.app.test_client()
        self._names = itertools.count()

    def get(self, path: str, **options: Any) -> Any:
        """Ask."""
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """Write, under a new Idempotency-Key unless one is given as *once*."""
        return self.send("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        """Write, as post does."""
        return self.send("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        """Write, as post does."""
        return self.send("DELETE", path, **options)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        once: str | None = None,
        headers: dict[str, str] | None = None,
        settle: bool = True,
        **options: Any,
    ) -> Any:
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
