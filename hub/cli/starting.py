# SPDX-License-Identifier: Apache-2.0
"""``breakwater up``: from an empty folder to a hub that answers, and down again in order.

This process loads no web framework, no database library and no engine: it must be small, start at
once, and never be the one that fails.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from hub.adapters.embedded import (
    NoServerError,
    PrivateValkey,
    StillRunningError,
    UnsafeFolderError,
    UnusableServerError,
    make_way,
    private_valkey,
)
from hub.adapters.processes import before_exec
from hub.cli.asking import is_ready
from hub.cli.exits import CommandError, Exit, cannot_write
from hub.cli.places import child_environment, hold_data, require_address
from hub.cli.preparing import needs_nothing
from hub.cli.supervising import Program, Supervisor, Tell
from hub.settings import Settings

TICK = 0.05
"""Seconds between two looks at the children."""
COLD_START = 180.0
"""Seconds that a first start may take, kernels compiled and all."""
TRIES = 3
"""Deaths of children during a start after which there is no point in trying on."""
ITSELF = (sys.executable, "-m", "hub.cli")
LAST_STEPS = 10.0
"""Seconds that a preparation has to finish when it is asked to stop: it may be making keys."""


class Screen(Protocol):
    """What the operator sees of a start."""

    def made(self, made: Mapping[str, Any]) -> None:
        """Show what a first start made."""

    def ready(self) -> None:
        """Show that the hub answers."""


@dataclass(frozen=True)
class Commands:
    """What ``up`` runs."""

    prepare: tuple[str, ...] = (*ITSELF, "prepare", "--migrate", "--sandbox")
    serve: tuple[str, ...] = (*ITSELF, "serve", "--prepared")
    worker: tuple[str, ...] = (*ITSELF, "worker", "--prepared")

    @classmethod
    def without_sandbox(cls) -> "Commands":
        """The same, but a first start makes no members."""
        return cls(prepare=cls.prepare[:-1])


class Stop:
    """Asked to stop by a signal; the second signal means at once."""

    def __init__(self, at_once: Callable[[], None]) -> None:
        self._at_once = at_once
        self.asked = threading.Event()

    def listen(self) -> None:
        """Take the signals that ask a program to end."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, self._take)

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked.is_set():
            self._at_once()
        self.asked.set()


def run_hub(settings: Settings, commands: Commands, tell: Tell, screen: Screen) -> None:
    """Run a hub until a signal ends it; *screen* shows what it does.

    Raises:
        CommandError: It cannot be started; the sentence says why.
    """
    supervisor = Supervisor(tell)
    stop = Stop(supervisor.kill)
    stop.listen()
    with _held(settings.data):
        require_address(settings.listen)
        try:
            Start(settings, commands, supervisor, stop.asked).run(screen)
            while not stop.asked.wait(TICK):
                supervisor.tend()
        finally:
            supervisor.stop()


@dataclass(frozen=True)
class Start:
    """One start of a hub, step by step; each step ends early when *stop* is set."""

    settings: Settings
    commands: Commands
    supervisor: Supervisor
    stop: threading.Event

    def run(self, screen: Screen) -> None:
        """Start everything and wait until it answers.

        Raises:
            CommandError: Something needed is missing or does not start.
        """
        valkey = None if self.settings.redis_url else self._choose_valkey()
        environment = child_environment(self.settings, valkey)
        if valkey is not None:
            self._start_valkey(valkey, environment)
        if valkey is None or not needs_nothing(self.settings):
            made = self._prepare(environment, valkey)
            if made is not None:
                screen.made(made)
        if self.stop.is_set():
            return
        for name in ("serve", "worker"):
            command = getattr(self.commands, name)
            self.supervisor.start(Program(name, command, environment))
        self._await_answers(valkey)
        if not self.stop.is_set():
            screen.ready()

    def _choose_valkey(self) -> PrivateValkey:
        try:
            return private_valkey(self.settings.data, self.settings.redis_binary)
        except (NoServerError, UnusableServerError) as error:
            raise CommandError(str(error), Exit.UNAVAILABLE) from error
        except UnsafeFolderError as error:
            raise CommandError(str(error), Exit.CANNOT_CREATE) from error
        except OSError as error:
            raise cannot_write(self.settings.data, error) from error

    def _start_valkey(self, valkey: PrivateValkey, environment: Mapping[str, str]) -> None:
        try:
            self.supervisor.start(_valkey_program(valkey, environment))
        except StillRunningError as error:
            raise CommandError(str(error), Exit.BUSY) from error

    def _prepare(
        self, environment: Mapping[str, str], valkey: PrivateValkey | None
    ) -> Mapping[str, Any] | None:
        with _ran(self.commands.prepare, environment) as process:
            # What it prints is a line, which a pipe holds: nobody waits for the other.
            while process.poll() is None and not self.stop.wait(TICK):
                self._require_progress(valkey)
            try:
                status = process.wait(LAST_STEPS)
            except subprocess.TimeoutExpired:
                return None
            if status != 0:
                # It has said why by itself, in one sentence.
                raise SystemExit(status if status > 0 else Exit.INTERNAL)
            made: Mapping[str, Any] | None = json.load(process.stdout) if process.stdout else None
            return made

    def _await_answers(self, valkey: PrivateValkey | None) -> None:
        deadline = time.monotonic() + COLD_START
        while not self.stop.wait(TICK) and not is_ready(self.settings.listen):
            self._require_progress(valkey)
            if time.monotonic() > deadline:
                raise CommandError(
                    f"The hub did not answer within {COLD_START:.0f} s: see the lines above.",
                    Exit.UNAVAILABLE,
                )

    def _require_progress(self, valkey: PrivateValkey | None) -> None:
        self.supervisor.tend()
        if self.supervisor.deaths() < TRIES:
            return
        where = valkey.log if valkey else "the lines above"
        raise CommandError(f"A process of the hub does not start: see {where}.", Exit.UNAVAILABLE)


@contextmanager
def _held(data: Path) -> Iterator[None]:
    lock = hold_data(data)
    try:
        yield
    finally:
        lock.release()


def _valkey_program(valkey: PrivateValkey, environment: Mapping[str, str]) -> Program:
    return Program(
        "valkey",
        valkey.command,
        environment,
        # Politely: it has up to a second of writes to put on the disk.
        orphaned=signal.SIGTERM,
        hold=lambda: make_way(valkey),
    )


@contextmanager
def _ran(
    command: Sequence[str], environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(  # noqa: S603  # our own program, never a shell
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=before_exec(),  # noqa: PLW1509  # we have one thread
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
