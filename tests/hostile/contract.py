# SPDX-License-Identifier: Apache-2.0
"""What a hub of any kind must offer to be tested by the vectors of a hostile peer: three commands.

- ``init FOLDER PAIRING-STRING``: make a hub that is paired with a peer and shares a set with it.
- ``sync FOLDER URL``: try once to catch up with the peer, which listens at the URL now; print
  ``{"ok": …, "alarm": …, "applied": …}`` and what else is of use.
- ``dump-state FOLDER``: print all that a peer can have an influence on, as canonical JSON.

Run as ``python -m tests.hostile.contract``. Here they are thin: the hub is a real one, on SQLite,
with its real services and its real way to the peer. Only the clock is another, and a pairing's
address leads to the URL, as a line in a hosts file would let it.
"""

import argparse
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import sqlalchemy as sa
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

from federation.errors import FederationError, RefusedError, TransportError
from federation.forms.canonical import written
from federation.identity.pairing import Pairing
from federation.transport.addresses import Base
from hub.adapters.clock import new_id
from hub.adapters.identities import Identity, Introduction
from hub.ports.exchange import ACTIVE, COUNTS, Enrolled
from hub.services.exchange import partners, pulling
from hub.services.office import CONSOLE
from hub.settings import Settings
from hub.storage import schema, tables
from hub.storage.database import Database, connect
from hub.wiring import assemble

HERE = "hub-b.example"
"""The name of the hub under test."""
SET = "set_" + "b" * 26
OPERATORS = ("games.example", "forum.example")
NOW = 1_800_000_000
NOBODY = "redis://127.0.0.1:1"
"""Nothing that a peer says needs a Redis to be kept."""
MOST_TURNS = 50
UNREACHABLE = "unreachable"
"""The alarm of a peer that did not answer as HTTP asks: nothing is held against it."""


class Contract:
    """A hub under test, in its folder.

    Args:
        folder: its data.
        now: what its clock says, seconds since 1970.
        seconds: that an answer may take; None: as long as in earnest.
        redis_url: for requests of the peer's; without it there is none.
    """

    def __init__(
        self,
        folder: Path,
        now: int = NOW,
        seconds: float | None = None,
        redis_url: str = NOBODY,
        networks: str = "127.0.0.0/8",
    ) -> None:
        self.folder, self.now, self.seconds = folder, now, seconds
        self.address = "127.0.0.1"
        self.settings = Settings.read(
            {
                "BREAKWATER_DATA": str(folder),
                "BREAKWATER_PUBLIC_URL": f"https://{HERE}",
                "BREAKWATER_PARTNER_NETWORKS": networks,
                "REDIS_URL": redis_url,
            }
        )
        self._open()

    def _open(self) -> None:
        self.hub = assemble(self.settings, now=self.clock)
        # Nobody listens at the door.
        self.hub.begin.announce = lambda: None  # type: ignore[attr-defined]  # of its adapter
        self.database: Database = self.hub.begin._database  # type: ignore[attr-defined]  # noqa: SLF001 - the one it was assembled with

    @classmethod
    def init(cls, folder: Path, pairing: str, now: int = NOW) -> "Contract":
        """Make a hub that is paired with a peer and shares a set with it."""
        folder.mkdir(parents=True, exist_ok=True)
        database = connect(f"sqlite:///{folder / 'hub.db'}")
        schema.upgrade(database, new_id)
        database.close()
        made = cls(folder, now)
        seeds = iter(range(200, 256))
        Identity(folder).begin(
            Introduction(HERE, "police.example", "police", f"https://{HERE}", ()),
            lambda size: bytes([next(seeds)]) * size,
            now,
        )
        peer = Pairing.parse(pairing)
        partners.enrol(peer, operators=OPERATORS, level=COUNTS, by=CONSOLE, hub=made.hub)
        partners.share(peer.hub, SET, set_name="shared", tlp="TLP:AMBER", by=CONSOLE, hub=made.hub)
        return made

    def close(self) -> None:
        """Let go of the database."""
        self.hub.describer.close()  # type: ignore[attr-defined]  # of its adapter
        self.database.close()

    def restart(self) -> None:
        """Forget all that is not on the disk."""
        self.close()
        self._open()

    def clock(self) -> datetime:
        """The hub's time."""
        return datetime.fromtimestamp(self.now, UTC)

    def partner(self) -> Enrolled:
        """The peer, as it is kept."""
        with self.hub.begin.reading() as work:
            (found,) = work.partners.all()
        return found

    def resume(self) -> None:
        """Go on with a peer that somebody has looked at."""
        name = self.partner().hub
        partners.change(name, by=CONSOLE, hub=self.hub, state=ACTIVE, refused=0)

    def sync(self, url: str) -> dict[str, Any]:
        """Try once to catch up; returns what became of it."""
        before, applied = self._alarms(), self.partner().trust.applied
        told: FederationError | None = None
        try:
            with self._directed(url), today(self.now), hurried(self.seconds):
                self._catch_up()
        except FederationError as error:
            told = error
        alarms = [
            alarm
            for alarm, count in self._alarms().items()
            for _ in range(count - before.get(alarm, 0))
        ]
        # What is refused is kept in evidence: an alarm that is only raised is none.
        if isinstance(told, TransportError):
            alarms.append(UNREACHABLE)
        elif told is not None and not isinstance(told, RefusedError):
            raise told
        return {
            "ok": told is None,
            "alarm": alarms[0] if alarms else None,
            "alarms": alarms,
            "applied": self.partner().trust.applied - applied,
            "retry_after": told.retry_after if isinstance(told, TransportError) else 0.0,
        }

    def _directed(self, url: str) -> AbstractContextManager[None]:
        return directed(self.partner().base, url, self.address)

    def _catch_up(self) -> None:
        voice = self.hub.abroad.voice()
        assert voice is not None
        pulling.ask_identity(self.partner(), self.hub)
        for _ in range(MOST_TURNS):
            turn = pulling.pull(self.partner().hub, wait=0, hub=self.hub, voice=voice)
            if turn is None or turn.is_idle:
                return
        raise AssertionError("a peer kept its follower busy for ever")

    def _alarms(self) -> dict[str, int]:
        """How often each alarm was kept in evidence."""
        found: dict[str, int] = {}
        with self.hub.begin.reading() as work:
            for one in work.partners.evidence(self.partner().key):
                alarm, count = str(one["alarm"]), one["count"]
                assert isinstance(count, int)
                found[alarm] = found.get(alarm, 0) + count
        return found

    def dump(self) -> "State":
        """All that a peer can have an influence on."""
        partner, head = self.partner(), self.partner().trust.head
        with self.database.reader.connect() as connection, connection.begin():
            return State(
                registers=_registers(connection),
                indicators=_indicators(connection),
                opinions=_opinions(connection),
                position={
                    "applied": partner.trust.applied,
                    "frontier": partner.trust.frontier.root().hex(),
                    "size": head.size if head else 0,
                    "root": head.root.hex() if head else "",
                    "revoked_to": partner.revoked_to,
                },
                identity=(partner.identity or b"").decode(),
            )


@dataclass(frozen=True)
class State:
    """What a hub has from its peer; not in it: evidence, counters, times, and its own reaction."""

    registers: list[dict[str, Any]]
    indicators: list[dict[str, Any]]
    opinions: list[dict[str, Any]]
    position: dict[str, Any]
    identity: str

    def encoded(self) -> bytes:
        """The state as canonical JSON."""
        return written({**self.held, "position": self.position, "identity": self.identity})

    @property
    def held(self) -> dict[str, Any]:
        """What is believed of what was said; without how far the log was followed."""
        return {
            "registers": self.registers,
            "indicators": self.indicators,
            "opinions": self.opinions,
        }


def _registers(connection: sa.Connection) -> list[dict[str, Any]]:
    register, one = tables.register, tables.operation
    other = one.alias("other")
    rows = connection.execute(
        sa.select(register, one.c.id.label("first"), other.c.id.label("second"))
        .outerjoin(one, one.c.key == register.c.operation)
        .outerjoin(other, other.c.key == register.c.other)
    )
    found = [
        {
            "origin": row.origin,
            "author": row.author,
            "kind": row.kind,
            "target": row.target,
            "version": [row.epoch, row.n],
            "keep": row.keep,
            "ids": [each.hex() for each in (row.first, row.second) if each is not None],
        }
        for row in rows
    ]
    return sorted(
        found, key=lambda row: [row["origin"], row["author"], row["kind"], row["target"]]
    )


def _indicators(connection: sa.Connection) -> list[dict[str, Any]]:
    indicator, version = tables.indicator, tables.version
    party, code = tables.party, tables.code
    rows = connection.execute(
        sa.select(indicator, version.c.words, version.c.sets, party.c.hub, party.c.author)
        .join(version, sa.and_(
            version.c.indicator == indicator.c.key, version.c.n == indicator.c.n
        ))
        .join(party, party.c.key == indicator.c.party)
        .where(indicator.c.state == "live")
        .order_by(indicator.c.id)
    ).all()  # fmt: skip
    codes: dict[int, list[str]] = {}
    for row in connection.execute(sa.select(code).where(code.c.n_to.is_(None))):
        codes.setdefault(row.indicator, []).append(f"{row.signal}:{row.value.hex()}")
    return [
        {
            "id": row.id,
            "author": row.author,
            "codes": sorted(codes.get(row.key, ())),
            "words": row.words,
            "sets": row.sets,
            "expires": int(row.expires.timestamp()),
        }
        for row in rows
    ]


def _opinions(connection: sa.Connection) -> list[dict[str, Any]]:
    opinion, indicator, party = tables.opinion, tables.indicator, tables.party
    rows = connection.execute(
        sa.select(opinion.c.stance, opinion.c.reason, opinion.c.reach, indicator.c.id,
                  party.c.author)
        .join(indicator, indicator.c.key == opinion.c.indicator)
        .join(party, party.c.key == opinion.c.party)
        .where(opinion.c.live)
    )  # fmt: skip
    found = [
        {"about": row.id, "author": row.author, "stance": row.stance, "reason": row.reason,
         "reach": row.reach}
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda row: [row["about"], row["author"] or ""])


# -- the world around it -------------------------------------------------------------------------


@contextmanager
def directed(base: str, url: str, to: str) -> Iterator[None]:
    """Let a pairing's address lead to where the peer listens now, as a hosts file does.

    Args:
        base: the pairing's.
        url: where the peer listens.
        to: the address that the pairing's name stands for.
    """
    pinned, port = Base.parse(base), urlsplit(url).port
    connecting, resolving = socket.create_connection, socket.getaddrinfo

    def connect_there(address: Any, *args: Any, **options: Any) -> socket.socket:
        wanted = ("127.0.0.1", port) if address == (to, pinned.port) else address
        return connecting(wanted, *args, **options)

    def resolve_there(name: Any, *args: Any, **options: Any) -> Any:
        return resolving(to if name == pinned.host else name, *args, **options)

    with (
        mock.patch.object(socket, "create_connection", connect_there),
        mock.patch.object(socket, "getaddrinfo", resolve_there),
    ):
        yield


@contextmanager
def today(now: int) -> Iterator[None]:
    """Let TUF's client, which knows no clock but the machine's, take another day for today."""
    begin = TrustedMetadataSet.__init__

    def begun(self: TrustedMetadataSet, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        self.reference_time = datetime.fromtimestamp(now, UTC)

    with mock.patch.object(TrustedMetadataSet, "__init__", begun):
        yield


@contextmanager
def hurried(seconds: float | None) -> Iterator[None]:
    """Give a peer less time than in earnest."""
    if seconds is None:
        yield
        return
    with (
        mock.patch("federation.following.PAGE_SECONDS", seconds),
        mock.patch("hub.adapters.abroad.TUF_SECONDS", seconds),
    ):
        yield


# -- the commands --------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Run a command; returns its exit status: 0, or 1 if the peer was not caught up with."""
    asked = _parser().parse_args(arguments)
    if asked.command == "init":
        Contract.init(asked.folder, asked.pairing, asked.now).close()
        return 0
    contract = Contract(asked.folder, asked.now)
    try:
        if asked.command == "dump-state":
            sys.stdout.write(contract.dump().encoded().decode() + "\n")
            return 0
        contract.seconds = asked.seconds
        if asked.resume:
            contract.resume()
        told = contract.sync(asked.url)
        sys.stdout.write(json.dumps(told) + "\n")
        return 0 if told["ok"] else 1
    finally:
        contract.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.contract")
    commands = parser.add_subparsers(dest="command", required=True)
    init, sync, dump = (commands.add_parser(name) for name in ("init", "sync", "dump-state"))
    for one in (init, sync, dump):
        one.add_argument("folder", type=Path)
        one.add_argument("--now", type=int, default=NOW, help="what the hub's clock says")
    init.add_argument("pairing")
    sync.add_argument("url")
    sync.add_argument("--seconds", type=float, help="that an answer may take")
    sync.add_argument("--resume", action="store_true", help="somebody has looked at the peer")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
