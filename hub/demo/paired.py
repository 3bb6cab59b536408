# SPDX-License-Identifier: Apache-2.0
"""Three hubs of the demo's own, run by three organisations, paired at their consoles.

Each is ``breakwater up`` on an empty folder; what people would type is typed.
"""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from hub.client import ApiError, Client
from hub.demo.console import Console
from hub.demo.running import RunningHub, free_port

T = TypeVar("T")
LOOPBACK = "127.0.0.0/8"
HEARD = 1.5
"""Seconds within which a running hub has heard of what was typed at its console."""
KEY_TRIES, BETWEEN_TRIES = 300, 0.1
SET_NAME, TLP = "lures", "TLP:GREEN"


@dataclass(frozen=True)
class Cast:
    """Who runs a hub.

    Attributes:
        hub: name of the hub, for good.
        operator: who runs it.
        kind: what that is.
    """

    hub: str
    operator: str
    kind: str


THREE = (
    Cast("hub-a.example", "alpha.example.com", "platform"),
    Cast("hub-b.example", "beta.example.com", "platform"),
    Cast("hub-c.example", "gamma.example.com", "hotline"),
)


@dataclass
class Paired:
    """A running hub, and the people at it.

    Attributes:
        cast: who runs it.
        running: its processes.
        key: of its operator's member.
        line: by which others pair with it.
        typed: how many commands were typed at its console.
    """

    cast: Cast
    running: RunningHub
    key: str = ""
    line: str = ""
    typed: int = 0

    def __post_init__(self) -> None:
        self._console = Console(self.running.environment(), self.running.within)

    @property
    def name(self) -> str:
        """The name it has among hubs."""
        return self.cast.hub

    @property
    def exchange(self) -> Path:
        """Where its keys lie, and what it shows of itself."""
        return self.running.folder / "data" / "exchange"

    def type(self, *words: str) -> Any:
        """Type a command at its console; returns what it prints."""
        self.typed += 1
        return self._console.type(*words)

    def close(self) -> None:
        """End its processes, and whoever sits at its console."""
        self._console.close()
        self.running.stop()

    def partners(self) -> dict[str, dict[str, Any]]:
        """How its partners are, by their names; of none while the member's key is not known."""
        request = urllib.request.Request(  # noqa: S310 - this machine
            f"{self.running.url}/v1/status",
            headers={"Authorization": f"Bearer {self.key}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                found = json.load(answer)["partners"]
        except urllib.error.HTTPError as error:
            with error:
                return {}
        return {one["hub"]: one for one in found}


def _nothing_more(_port: int) -> Mapping[str, str]:
    """What a hub is told beside what all are told."""
    return {}


@contextmanager
def running_hubs(
    folder: Path,
    casts: Sequence[Cast] = THREE,
    *,
    more: Callable[[int], Mapping[str, str]] = _nothing_more,
) -> Iterator[list[Paired]]:
    """Start hubs that know nobody yet; whatever happens, nothing of them is left running.

    Args:
        folder: for their data.
        casts: who runs each.
        more: further settings of a hub, by the port that it listens on.
    """
    settings = {
        "BREAKWATER_PARTNER_NETWORKS": LOOPBACK,
        "BREAKWATER_WORKERS": "1",
        # What one has compiled the others need not.
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR") or str(folder / "numba"),
    }
    hubs = []
    for cast in casts:
        place = folder / cast.hub
        place.mkdir()
        port = free_port()
        hubs.append(Paired(cast, RunningHub(place, port, settings={**settings, **more(port)})))
    with ExitStack() as running:
        running.callback(at_once, Paired.close, hubs)
        first, *others = hubs
        first.running.start()
        for hub in others:
            hub.running.launch()
        for hub in others:
            hub.running.await_answer()
        yield hubs


def pair(hubs: Sequence[Paired]) -> None:
    """Pair each with each; every line goes a way that nobody else can write to."""
    first, *others = hubs
    first.line = first.type("partners", "invite", *introduced(first))["line"]

    def take(hub: Paired) -> None:
        hub.line = hub.type("partners", "pair", first.line, *introduced(hub))["line"]

    at_once(take, others)

    def enrol(hub: Paired) -> None:
        for other in others:
            if other is not hub:
                hub.type("partners", "pair", other.line)

    at_once(enrol, hubs)


def share(hubs: Sequence[Paired]) -> str:
    """Make a set at the first, share it among all, and let members use it; returns its id."""
    made: str = hubs[0].type("sets", "add", SET_NAME, "--tlp", TLP)["id"]

    def settle(hub: Paired) -> None:
        named = () if hub is hubs[0] else ("--name", SET_NAME, "--tlp", TLP)
        for other in hubs:
            if other is not hub:
                hub.type("partners", "share", other.name, made, *named)
        admit(hub, made)

    at_once(settle, hubs)
    time.sleep(HEARD)
    return made


def at_once(do: Callable[[Paired], T], hubs: Iterable[Paired]) -> list[T]:
    """Have something done at all hubs at the same time, as by people who need not wait."""
    people = ThreadPoolExecutor()
    try:
        return list(people.map(do, hubs))
    finally:
        # Nobody waits for them who is interrupted: what they wait for ends with the hubs.
        people.shutdown(wait=False, cancel_futures=True)


def introduced(hub: Paired) -> tuple[str, ...]:
    """The words by which somebody says at its console who a hub is."""
    return ("--as", hub.name, "--run-by", hub.cast.operator, "--kind", hub.cast.kind)


def admit(hub: Paired, shared: str) -> str:
    """Admit the operator of a hub with a member that uses a set; returns the member's id."""
    operator = hub.cast.operator
    contact = ("--contact", f"legal=legal@{operator}")
    made = hub.type("operators", "add", operator, "--kind", hub.cast.kind, *contact)["id"]
    member: str = hub.type("members", "add", made, "main")["id"]
    hub.key = hub.type("keys", "add", member, "--role", "contributor", "--name", "demo")["secret"]
    hub.type("sets", "grant", shared, member, "contribute", "lookup")
    _await_key(hub)
    return member


def _await_key(hub: Paired) -> None:
    """Wait until a running hub has heard of its member's key."""
    with Client(hub.running.url, hub.key) as client:
        for left in reversed(range(KEY_TRIES)):
            try:
                client.status()
            except ApiError as error:
                if not left or error.status != HTTPStatus.UNAUTHORIZED:
                    raise
                time.sleep(BETWEEN_TRIES)
            else:
                return
