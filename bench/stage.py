# SPDX-License-Identifier: Apache-2.0
"""What several benchmarks share: one hub that holds 100,000 codes, made when first asked for.

More codes than that are laid into its database before it starts, since through the API a million
take the better part of ten minutes.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench.calls import Line, contributions
from bench.codes import Bits, as_hex, random_codes
from bench.filling import fill
from bench.hubs import Running, folder, free_port, running_flask, running_hub
from bench.members import Members, admit
from hub.adapters.clock import new_id
from hub.settings import Settings
from hub.storage import schema
from hub.wiring import open_database

CODES, AT_ONCE = 100_000, 1_000
WORKERS = "2"
"""Processes that answer requests, the hub's and the yardstick's alike."""
SEED = 20_240_229
PATIENCE = 240.0
"""Seconds that engines and links may take to come to the head."""
SIZES = (1_000_000, 10_000_000)
ASKED = 20_000
OPERATIONS, CUT, LEAVES = 100_000, 20_000, (10_000, 1_000_000)


@dataclass(frozen=True)
class Loaded:
    """A hub and what it was given."""

    hub: Running
    members: Members
    codes: Bits
    rate: float | None = None
    """Codes a second that it took through the API; None where they were laid into SQL."""
    settled: float | None = None
    """Seconds after the last until it had linked them all; None likewise."""


@dataclass
class Stage:
    """Servers and folders of one run; nothing of them is left when it is closed."""

    codes: int = CODES
    sizes: tuple[int, ...] = SIZES
    """How many codes the engine is measured with."""
    asked: int = ASKED
    """Questions that are compared with brute force."""
    operations: int = OPERATIONS
    """How many a hub says to another that joins."""
    cut: int = CUT
    """How many each of two hubs says while they are cut off from each other."""
    leaves: tuple[int, ...] = LEAVES
    """How long a log is, the shortest first."""
    tell: Callable[[str], None] = print
    """Takes what is being done now."""
    ends: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def folder(self) -> Path:
        """For what is written down on the way."""
        return self.ends.enter_context(folder())

    @cached_property
    def flask(self) -> Running:
        """The yardstick."""
        server = running_flask(self.folder / "flask", BREAKWATER_WORKERS=WORKERS)
        return self.ends.enter_context(server)

    @cached_property
    def loaded(self) -> Loaded:
        """The hub with its codes."""
        codes = random_codes(self.codes, SEED)
        return self._contributed(codes) if self.codes <= CODES else self._filled(codes)

    def _contributed(self, codes: Bits) -> Loaded:
        """Give the codes through the API in batches."""
        hub = self._hub()
        members = admit(hub.settings)
        _await_keys(hub, members)
        began = time.perf_counter()
        last = _load(hub, members, as_hex(codes))
        rate = len(codes) / (time.perf_counter() - began)
        ended = time.perf_counter()
        await_settled(hub, last)
        return Loaded(hub, members, codes, rate, time.perf_counter() - ended)

    def _filled(self, codes: Bits) -> Loaded:
        """Lay the codes into the hub's database, then start it."""
        data = self.folder / "hub"
        data.mkdir(mode=0o700)
        settings = Settings.read({"BREAKWATER_DATA": str(data)})
        with closing(open_database(settings)) as opened:
            schema.upgrade(opened, new_id)
        members = admit(settings)
        fill(settings, codes)
        hub = self._hub()
        _await_keys(hub, members)
        return Loaded(hub, members, codes)

    def _hub(self) -> Running:
        metrics = f"127.0.0.1:{free_port()}"
        hub = running_hub(
            self.folder / "hub", BREAKWATER_METRICS_LISTEN=metrics, BREAKWATER_WORKERS=WORKERS
        )
        return self.ends.enter_context(hub)


def await_settled(hub: Running, position: int) -> None:
    """Wait until links and engines have come so far.

    Raises:
        TimeoutError: They have not for minutes.
    """
    deadline = time.monotonic() + PATIENCE
    while _linked(hub) < position:
        if time.monotonic() > deadline:
            raise TimeoutError(f"links are at {_linked(hub)} of {position}")
        time.sleep(0.1)


def _linked(hub: Running) -> int:
    with closing(sqlite3.connect(f"file:{hub.settings.database_file}?mode=ro", uri=True)) as sql:
        row = sql.execute("SELECT position FROM cursor WHERE name = 'neighbours'").fetchone()
    return int(row[0]) if row else 0


def _await_keys(hub: Running, members: Members) -> None:
    """Wait until every process knows the last member: each may answer any connection."""
    deadline = time.monotonic() + PATIENCE
    known = 0
    while known < 8:  # noqa: PLR2004 - connections, spread over two processes
        with Line(hub.port, members.asker) as line:
            known = known + 1 if _is_known(line) else 0
        if time.monotonic() > deadline:
            raise TimeoutError("the hub does not learn its members")


def _is_known(line: Line) -> bool:
    try:
        line.call("GET", "/v1/sets")
    except Exception:  # noqa: BLE001 - whatever it was, it is asked again
        time.sleep(0.05)
        return False
    return True


def _load(hub: Running, members: Members, texts: list[str]) -> int:
    last = 0
    for number, start in enumerate(range(0, len(texts), AT_ONCE)):
        giver = members.givers[number % len(members.givers)]
        into = members.sets[number % len(members.sets)]
        with Line(hub.port, giver) as line:
            kept = line.give(contributions(texts[start : start + AT_ONCE], into))
        last = kept["results"][-1]["position"]
    return last
