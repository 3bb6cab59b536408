# SPDX-License-Identifier: Apache-2.0
"""A real hub in a namespace of its own: ``breakwater up`` behind the doors that it needs."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from hub.demo.paired import Cast, Paired
from hub.demo.running import STOPS_WITHIN, DemoError, RunningHub
from tests.namespaces.spaces import NETWORK, PORT, Space
from tests.support.certificates import Authority


@dataclass
class SpacedHub(RunningHub):
    """One that answers in its namespace only; its door answers for it outside."""

    def kill(self) -> None:
        """Kill its supervisor as a crash would, and wait until nothing below it is left."""
        with suppress(psutil.NoSuchProcess, DemoError):
            supervisor = psutil.Process(self.pid)
            below = supervisor.children(recursive=True)
            supervisor.kill()
            if self._process is not None:
                self._process.wait(STOPS_WITHIN)
            _, alive = psutil.wait_procs(below, STOPS_WITHIN)
            if alive:
                raise DemoError(f"Processes of the killed hub still run: {alive}")


@dataclass
class House:
    """A hub, its namespace, and its doors.

    Attributes:
        letter: by which scenarios call it.
        space: where it stands.
        hub: its processes and console.
        is_up: whether it is meant to answer.
    """

    letter: str
    space: Space
    hub: Paired
    is_up: bool = True
    _doors: "list[subprocess.Popen[str]]" = field(default_factory=list)

    @property
    def name(self) -> str:
        """The hub's name."""
        return self.hub.name

    def open_doors(self, listener: socket.socket, certificate: Path) -> None:
        """Let its partners in by TLS, and us by a socket that listens outside, on loopback."""
        words = (
            *(*self.space.within, sys.executable, "-m", "tests.namespaces.door"),
            *(str(listener.fileno()), str(self.hub.running.port)),
            *(self.space.address, str(PORT), str(certificate)),
        )
        door = subprocess.Popen(  # noqa: S603 - our own program
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
        self._doors.append(door)
        if door.stdout is None or not door.stdout.readline():
            raise DemoError(f"The doors of hub {self.letter} do not open.")

    def close(self) -> None:
        """End its processes, then its namespace; whatever fails, the next is done."""
        try:
            self.hub.close()
        finally:
            for door in self._doors:
                door.kill()
                door.communicate()
            self.space.end()


@dataclass
class Builder:
    """Builds houses.

    Attributes:
        folder: for what the hubs keep.
    """

    folder: Path
    _authority: Authority = field(default_factory=Authority)

    def build(self, letter: str, number: int, cast: Cast) -> House:
        """Build one with its namespace and doors; its hub is not started."""
        place = self.folder / cast.hub
        place.mkdir()
        trusted = self.folder / "authority.pem"
        trusted.write_bytes(self._authority.pem)
        space = Space(letter, number)
        self._authority.serving(place, space.address)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # In its namespace the hub has the same port on a loopback of its own.
            port: int = listener.getsockname()[1]
            settings = {
                "BREAKWATER_PUBLIC_URL": f"https://{space.address}:{PORT}",
                "BREAKWATER_PARTNER_NETWORKS": NETWORK,
                "BREAKWATER_WORKERS": "1",
                "SSL_CERT_FILE": str(trusted),
                "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR") or str(self.folder / "numba"),
            }
            hub = Paired(cast, SpacedHub(place, port, settings=settings, within=space.within))
            house = House(letter, space, hub)
            try:
                space.make()
                house.open_doors(listener, place / "server.pem")
            except BaseException:
                house.close()
                raise
        return house


def close(houses: Mapping[str, House]) -> None:
    """Close them at the same time: each takes a while."""
    with ThreadPoolExecutor() as people:
        closing = [people.submit(house.close) for house in houses.values()]
    for one in closing:
        one.result()


def start(houses: Sequence[House]) -> None:
    """Start their hubs at the same time, once the first has compiled what all need."""
    first, *others = houses
    first.hub.running.start()
    for house in others:
        house.hub.running.launch()
    for house in others:
        house.hub.running.await_answer()
