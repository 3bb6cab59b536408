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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

from federation.errors import FederationError, RefusedError, TransportError
from federation.identity.pairing import Pairing
from federation.transport.addresses import Base
from hub.adapters.clock import new_id
from hub.adapters.identities import Identity, Introduction
from hub.ports.exchange import ACTIVE, COUNTS, Enrolled, Voice
from hub.services.exchange import manifests, meeting, naming, partners, pulling
from hub.services.exchange.partners import identity_of
from hub.services.office import CONSOLE
from hub.settings import Settings
from hub.storage import schema
from hub.storage.database import Database, connect
from hub.wiring import assemble
from tests.hostile.state import State, state_of

HERE = "hub-b.example"
"""The name of the hub under test."""
SET = "set_" + "b" * 26
"""Of the peer's, which tells who shares it."""
OURS = "set_" + "c" * 26
"""Of the hub under test, which shares it with the peer too."""
OPERATORS = ("games.example", "forum.example")
NOW = 1_800_000_000
NOBODY = "redis://127.0.0.1:1"
"""Nothing that a peer says needs a Redis to be kept."""
MOST_TURNS, MOST_ROUNDS = 50, 6
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
        for one, name in ((SET, "shared"), (OURS, "ours")):
            partners.share(peer.hub, one, set_name=name, tlp="TLP:AMBER", by=CONSOLE, hub=made.hub)
        naming.set_home(OURS, None, None, by=CONSOLE, hub=made.hub)
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
        """As a hub's threads do: who it is, whom it tells of, and all that it says."""
        voice = self.hub.abroad.voice()
        assert voice is not None
        pulling.ask_identity(self.partner(), self.hub)
        asked: set[str] = set()
        self._meet(voice, asked)
        for _ in range(MOST_ROUNDS):
            is_followed = self._pull(voice)
            manifests.adopt(self.hub, voice)
            met = self._meet(voice, asked)
            # Who is met now may have been passed over, and a log is read once more after a rest.
            if not is_followed or (not met and self.partner().trust.is_level):
                return
        # Who has all of it read once more, again and again, is left for another time.

    def _pull(self, voice: Voice) -> bool:
        """Take what comes until there is nothing new; False: nobody follows it any more."""
        for _ in range(MOST_TURNS):
            turn = pulling.pull(self.partner().hub, wait=0, hub=self.hub, voice=voice)
            if turn is None or turn.is_idle:
                return turn is not None
        raise AssertionError("a peer kept its follower busy for ever")

    def _meet(self, voice: Voice, asked: set[str]) -> int:
        """Ask who the hubs are whose word the peer passes on, if it was not asked for them yet."""
        partner = self.partner()
        named = {one.hub for one in meeting.unmet(partner, self.hub, voice)}
        if named <= asked:
            return 0
        asked |= named
        known = identity_of(partner)
        assert known is not None
        wire = self.hub.abroad.wire(partner, known)
        return meeting.meet_all(partner, wire, self.hub, voice, only_new=False)

    def _alarms(self) -> dict[str, int]:
        """How often each alarm was kept in evidence, against the peer or whoever it tells of."""
        found: dict[str, int] = {}
        with self.hub.begin.reading() as work:
            kept = [work.partners.evidence(one.key) for one in work.partners.known()]
            for one in (one for each in kept for one in each):
                alarm, count = str(one["alarm"]), one["count"]
                assert isinstance(count, int)
                found[alarm] = found.get(alarm, 0) + count
        return found

    def dump(self) -> State:
        """All that a peer can have an influence on."""
        with self.hub.begin.reading() as work, self.database.reader.connect() as connection:
            return state_of(self.partner(), self.now, work, connection)


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
