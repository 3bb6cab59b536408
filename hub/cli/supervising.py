# SPDX-License-Identifier: Apache-2.0
"""Start processes, start them again when they die, end them in order.

Everything happens in the main thread: the kernel ends a child when the thread that forked it ends.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hub.adapters.embedded import StillRunningError
from hub.adapters.processes import FolderLock, before_exec

FIRST_DELAY = 0.1
"""Seconds before a dead process is started again; doubles each time."""
LONGEST_DELAY = 10.0
STEADY = 30.0
"""Seconds that a process must live for its earlier deaths to be forgotten."""

Tell = Callable[..., object]
"""Writes a level, an event and its fields."""


@dataclass(frozen=True)
class Program:
    """What to run, and how it ends."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    orphaned: signal.Signals = signal.SIGKILL
    """What the kernel sends it when we die."""
    grace: float = 10.0
    """Seconds between the request to end and the end by force."""
    hold: Callable[[], FolderLock] | None = None
    """Takes a lock that the process keeps for as long as it lives."""


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    born: float
    deaths: int = 0
    due: float | None = None
    """When it is to be started again; None while it lives."""


@dataclass
class Supervisor:
    """The processes of one hub, in the order of their start."""

    tell: Tell
    _children: dict[str, _Child] = field(default_factory=dict)

    def start(self, program: Program) -> None:
        """Start a process and watch it from now on.

        Raises:
            OSError: The program cannot be run.
        StillRunningError: Its place is still taken.
        """
        process = _spawn(program)
        self._children[program.name] = _Child(program, process, born=time.monotonic())
        self.tell("debug", "process_started", child=program.name, pid=process.pid)

    def tend(self) -> None:
        """Notice who died and start again whose time has come; to be called all the time."""
        for child in self._children.values():
            if child.due is None and child.process.poll() is not None:
                self._note_death(child)
            elif child.due is not None and time.monotonic() >= child.due:
                self._revive(child)

    def deaths(self) -> int:
        """How often a process died by itself, those that lived long forgotten."""
        return sum(child.deaths for child in self._children.values())

    def stop(self) -> None:
        """End all processes, the last started first, each by request and then by force."""
        for child in reversed(list(self._children.values())):
            _end(child)
        self._children.clear()

    def kill(self) -> None:
        """End all processes at once, by force."""
        for child in self._children.values():
            child.process.kill()

    def _note_death(self, child: _Child) -> None:
        if time.monotonic() - child.born > STEADY:
            child.deaths = 0
        delay = min(FIRST_DELAY * 2**child.deaths, LONGEST_DELAY)
        child.deaths += 1
        child.due = time.monotonic() + delay
        self.tell(
            "warning",
            "process_died",
            child=child.program.name,
            exit=child.process.returncode,
            retry_ms=round(delay * 1000),
        )

    def _revive(self, child: _Child) -> None:
        try:
            child.process = _spawn(child.program)
        except (OSError, StillRunningError):
            # No process to be had, or one of the old one's still works: later, then.
            self._note_death(child)
            return
        child.born = time.monotonic()
        child.due = None
        self.tell("info", "process_started", child=child.program.name, pid=child.process.pid)


def _spawn(program: Program) -> subprocess.Popen[bytes]:
    lock = program.hold() if program.hold else None
    try:
        return subprocess.Popen(  # noqa: S603  # our own programs, never a shell
            list(program.command),
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            pass_fds=[lock.fileno()] if lock else [],
            # Ctrl-C is for us alone: we end the others in order.
            start_new_session=True,
            preexec_fn=before_exec(program.orphaned),  # noqa: PLW1509  # we have one thread
        )
    finally:
        if lock:
            lock.release()


def _end(child: _Child) -> None:
    if child.due is not None:
        return
    with suppress(ProcessLookupError):
        child.process.terminate()
    try:
        child.process.wait(child.program.grace)
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()
