# SPDX-License-Identifier: Apache-2.0
"""A hub of the demo's own: ``breakwater up`` on an empty folder and a free port."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

STARTS_WITHIN = 180.0
"""Seconds; a first start compiles kernels."""
STOPS_WITHIN = 20.0
_KEY = re.compile(r"bw_test_[a-z2-7]{26}_[a-z2-7]{52}")
_TITLE = "unixsocket:"
_SET = re.compile(r"set_[a-z2-7]{26}")


class DemoError(Exception):
    """The demo cannot go on; the sentence says why."""


@dataclass
class RunningHub:
    """One folder and the processes that serve it."""

    folder: Path
    port: int
    keys: tuple[str, ...] = ()
    set_id: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings, by their environment variables."""
    within: tuple[str, ...] = ()
    """Words before its command that say where it runs; none: here."""
    _process: "subprocess.Popen[bytes] | None" = None
    _is_frozen: bool = False

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers; a first start tells the sandbox's keys.

        Raises:
            DemoError: It does not start.
        """
        self.launch()
        self.await_answer()

    def launch(self) -> None:
        """Start it, and do not wait for it."""
        with self.screen.open("wb") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [*self.within, sys.executable, "-m", "hub.cli", "up"],
                env=self.environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_answer(self) -> None:
        """Wait until what was launched answers.

        Raises:
            DemoError: It does not start.
        """
        deadline = time.monotonic() + STARTS_WITHIN
        while "Ctrl-C" not in (text := self.said()):
            if not self.is_running() or time.monotonic() > deadline:
                raise DemoError(f"The hub does not start. It said:\n{text}")
            time.sleep(0.05)
        if not self.keys:
            self.keys = tuple(dict.fromkeys(_KEY.findall(text)))
            self.set_id = _SET.findall(text)[0]

    @property
    def pid(self) -> int:
        """Process id of its supervisor.

        Raises:
            DemoError: It does not run.
        """
        if self._process is None:
            raise DemoError("The hub does not run.")
        return self._process.pid

    @property
    def screen(self) -> Path:
        """Where what it writes lies."""
        return self.folder / "screen.txt"

    def said(self) -> str:
        """What it wrote since its last start."""
        return self.screen.read_text(encoding="utf-8", errors="replace")

    def is_running(self) -> bool:
        """Whether its supervisor lives."""
        return self._process is not None and self._process.poll() is None

    def command(self, *words: str) -> Any:
        """Run a command at the hub's console; returns what it prints as JSON.

        Raises:
            DemoError: It fails.
        """
        done = subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "hub.cli", *words, "--json"],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoError(f"breakwater {' '.join(words)} failed:\n{done.stderr}")
        return json.loads(done.stdout)

    def stop(self) -> None:
        """Stop it as Ctrl-C does; by force if that takes too long."""
        if self._process is None or self._process.poll() is not None:
            return
        self.thaw()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def freeze(self) -> None:
        """Hold all its processes where they are: to others it is as if the network were cut."""
        self._signal(signal.SIGSTOP)
        self._is_frozen = True

    def thaw(self) -> None:
        """Let a frozen hub go on."""
        if self._is_frozen:
            self._signal(signal.SIGCONT)
            self._is_frozen = False

    def kill(self) -> None:
        """Kill its supervisor as a crash would: nothing below it may go on answering."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(STOPS_WITHIN)
        deadline = time.monotonic() + STOPS_WITHIN
        while _answers(self.port):
            if time.monotonic() > deadline:
                raise DemoError("A process of the killed hub still answers.")
            time.sleep(0.05)

    def valkey(self) -> tuple[int, str]:
        """The process id of its private Valkey, and the socket it listens on.

        Raises:
            DemoError: It does not run.
        """
        supervisor = self.pid
        for pid, parent, arguments in _processes():
            # It writes its socket into its own title.
            titled = [word for word in arguments if word.startswith(_TITLE)]
            if parent == supervisor and titled:
                return pid, titled[0].removeprefix(_TITLE)
        raise DemoError("The hub's Valkey does not run.")

    def _signal(self, sign: signal.Signals) -> None:
        """Send a signal to the supervisor and all below it, whoever is above first."""
        if self._process is None:
            return
        below = [self._process.pid]
        known = _processes()
        for pid in below:
            below += [child for child, parent, _ in known if parent == pid]
        for pid in below:
            with suppress(ProcessLookupError):
                os.kill(pid, sign)

    def environment(self) -> dict[str, str]:
        """The environment of its processes and of its console."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BREAKWATER_", "REDIS_"))}
        data = self.folder / "data"
        return {
            **kept,
            "BREAKWATER_DATA": str(data),
            "BREAKWATER_LISTEN": f"127.0.0.1:{self.port}",
            **self.settings,
        }


def _processes() -> list[tuple[int, int, list[str]]]:
    """Of each process of this machine its id, its parent's, and its words."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,args="],  # noqa: S607 - where it lies differs
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = (line.split() for line in listed.splitlines())
    return [(int(pid), int(parent), words) for pid, parent, *words in lines]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0
