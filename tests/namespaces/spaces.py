# SPDX-License-Identifier: Apache-2.0
"""Namespaces of the network, one for each hub, and what goes wrong between them.

All of it lies in namespaces of our own: what joins them stands in one too, so that nothing is ever
added to the machine's own network, and with the namespaces everything goes.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

PREFIX = "bwcut"
"""Of the names of all our namespaces; the id of the process that made one follows."""
OURS = re.compile(rf"{PREFIX}(\d+)-[a-z]+")
SWITCH = "switch"
NETWORK = "10.213.77.0/24"
PORT = 8443
"""Where hubs answer each other."""
TABLE = "inet cut"
ENDS_WITHIN = 20.0
"""Seconds for a process to end."""
_DROPPED = re.compile(r"counter packets (\d+)")


class NoNamespacesError(Exception):
    """This machine has none; the sentence says why."""


def look() -> None:
    """Make one and let it go.

    Raises:
        NoNamespacesError: It cannot be done here.
    """
    if os.geteuid() != 0:
        raise NoNamespacesError("namespaces of the network need root")
    missing = [word for word in ("ip", "nft", "tc") if shutil.which(word) is None]
    if missing:
        raise NoNamespacesError(f"{' and '.join(missing)} not found: Debian's iproute2, nftables")
    try:
        with switched():
            space = Space("look", 250)
            space.make()
            try:
                space.refuse(
                    "in numgen random mod 100 < 1 drop",
                    "out meta l4proto tcp reject with tcp reset",
                )
                space.slow("1mbit")
            finally:
                space.end()
    except subprocess.CalledProcessError as error:
        words = " ".join(error.cmd)
        raise NoNamespacesError(f"`{words}` fails here: {error.stderr.strip()}") from error


@contextmanager
def switched() -> Iterator[None]:
    """Join what is made meanwhile; what crashed runs left behind is taken away first."""
    sweep()
    name = _name(SWITCH)
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "-n", name, "link", "add", "between", "type", "bridge")
        _run("ip", "-n", name, "link", "set", "between", "up")
        yield
    finally:
        remove(name)


@dataclass
class Space:
    """A hub's namespace, with one way to the others.

    Attributes:
        letter: of the hub.
        number: last part of its address.
    """

    letter: str
    number: int
    _rules: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the system calls it."""
        return _name(self.letter)

    @property
    def address(self) -> str:
        """Where others reach it."""
        return f"{NETWORK.rpartition('.')[0]}.{self.number}"

    @property
    def within(self) -> tuple[str, ...]:
        """Words before a command that is to run in it."""
        return ("ip", "netns", "exec", self.name)

    def make(self) -> None:
        """Make it, and join it to the others."""
        switch, port = _name(SWITCH), f"to-{self.letter}"
        _run("ip", "netns", "add", self.name)
        _run(
            *("ip", "-n", self.name, "link", "add", "way", "type", "veth"),
            *("peer", "name", port, "netns", switch),
        )
        _run("ip", "-n", self.name, "address", "add", f"{self.address}/24", "dev", "way")
        for link in ("lo", "way"):
            _run("ip", "-n", self.name, "link", "set", link, "up")
        _run("ip", "-n", switch, "link", "set", port, "master", "between", "up")

    def end(self) -> None:
        """Take it away, with whatever still runs in it."""
        remove(self.name)

    # -- what goes wrong --------------------------------------------------------------------------

    def refuse(self, *rules: str) -> None:
        """Have packets refused, until all is opened again.

        Args:
            rules: each ``in`` or ``out``, which packets, and what becomes of them.
        """
        lines = [f"add table {TABLE}"]
        for chain, hook in (("in", "input"), ("out", "output")):
            lines.append(f"add chain {TABLE} {chain} {{ type filter hook {hook} priority 0; }}")
        for rule in rules:
            chain, _, what = rule.partition(" ")
            side = "iifname" if chain == "in" else "oifname"
            which, verdict = _parted(what)
            lines.append(f"add rule {TABLE} {chain} {side} way {which} counter {verdict}")
        _run(*self.within, "nft", "-f", "-", text="\n".join(lines) + "\n")
        self._rules.extend(rules)

    def cut_from(self, *others: "Space") -> None:
        """Let nothing through between this one and others, either way."""
        for other in others:
            self.refuse(f"in ip saddr {other.address} drop", f"out ip daddr {other.address} drop")

    def refused(self) -> int:
        """How many packets the rules have refused."""
        if not self._rules:
            return 0
        told = _run(*self.within, "nft", "list", "table", *TABLE.split())
        return sum(map(int, _DROPPED.findall(told)))

    def open(self) -> None:
        """Let everything through."""
        if self._rules:
            _run(*self.within, "nft", "delete", "table", *TABLE.split())
            self._rules.clear()

    def slow(self, rate: str) -> None:
        """Let it say no more than so much a second, as ``tc`` writes that."""
        _run(
            *("tc", "-n", self.name, "qdisc", "replace", "dev", "way", "root"),
            *("tbf", "rate", rate, "burst", "4kb", "latency", "2s"),
        )

    def fast(self) -> None:
        """Let it say as much as it can."""
        with suppress(subprocess.CalledProcessError):  # it is not slow
            _run("tc", "-n", self.name, "qdisc", "del", "dev", "way", "root")

    def link(self, *, is_up: bool) -> None:
        """Pull its cable, or put it back."""
        _run("ip", "-n", self.name, "link", "set", "way", "up" if is_up else "down")

    def lines_to(self, other: "Space") -> list[int]:
        """Ports from which connections to another are open."""
        told = _run(*self.within, "cat", "/proc/net/tcp")
        there = f"{_reversed(other.address)}:{PORT:04X}"
        rows = [line.split() for line in told.splitlines()[1:]]
        established = [row for row in rows if row[2] == there and row[3] == "01"]
        return [int(row[1].partition(":")[2], 16) for row in established]


def sweep() -> list[str]:
    """Take away what runs left behind that were killed; returns the names."""
    left = []
    for line in _run("ip", "netns", "list").splitlines():
        name = line.partition(" ")[0]
        made = OURS.fullmatch(name)
        if made and not psutil.pid_exists(int(made[1])):
            remove(name)
            left.append(name)
    return left


def remove(name: str) -> None:
    """Take a namespace of ours away, if it is there, and first what runs in it."""
    if not OURS.fullmatch(name) or not os.path.exists(f"/run/netns/{name}"):  # noqa: PTH110 - brief
        return
    deadline = time.monotonic() + ENDS_WITHIN
    while (inside := _run("ip", "netns", "pids", name).split()) and time.monotonic() < deadline:
        for pid in inside:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.05)
    _run("ip", "netns", "del", name)


def _name(letter: str) -> str:
    return f"{PREFIX}{os.getpid()}-{letter}"


def _parted(rule: str) -> tuple[str, str]:
    """Which packets, and what becomes of them."""
    verdict = "reject" if " reject" in f" {rule}" else "drop"
    which, _, more = f" {rule}".partition(f" {verdict}")
    return which, verdict + more


def _reversed(address: str) -> str:
    """An address as the system's table of connections has it."""
    return "".join(f"{int(part):02X}" for part in reversed(address.split(".")))


def _run(*words: str, text: str | None = None) -> str:
    return _done(words, text).stdout


def _done(words: Sequence[str], text: str | None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own words
        words, input=text, capture_output=True, text=True, check=True
    )
