# SPDX-License-Identifier: Apache-2.0
"""Hubs of real processes, and what can be asked of them from outside."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from hub.demo.running import free_port
from tests.support.processes import gone
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[3]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Running:
    """One ``up`` of the small hub."""

    data: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    module: str = "tests.integration.processes.small"
    ready: str = "READY\n"
    screen: str = ""
    """What it showed until it was ready."""
    process: Any = None

    def start(self):
        self.launch()
        self.screen = ""
        for line in self.process.stdout:
            self.screen += line
            if line == self.ready:
                return self
        pytest.fail(f"did not start: {self.process.communicate()[1]}")

    def launch(self):
        self.process = subprocess.Popen(  # noqa: S603 - the tests' own program
            [sys.executable, "-m", self.module, "up"],
            cwd=ROOT,
            env=self.settings(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def settings(self):
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("BREAKWATER", "REDIS"))}
        own = {
            "BREAKWATER_DATA": str(self.data),
            "BREAKWATER_LISTEN": f"127.0.0.1:{self.port}",
            "BREAKWATER_WORKERS": "2",
            "PYTHONPATH": str(ROOT),
            # Compiled once for all: a first start of each test's own takes its time.
            "NUMBA_CACHE_DIR": str(Path(tempfile.gettempdir()) / "breakwater-tests-numba"),
        }
        return {**plain, **own, **self.environment}

    def refusal(self):
        """The sentence and the exit status of an ``up`` that cannot start."""
        _, errors = self.launch().process.communicate(timeout=PATIENCE)
        return errors, self.process.returncode

    def below(self):
        """Every process below the supervisor."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def named(self, role):
        """The processes that play a role: valkey, serve, worker, or granian's own."""
        found = []
        for process in self.below():
            with contextlib.suppress(psutil.NoSuchProcess):
                words = process.cmdline()
                top = process.ppid() == self.process.pid
                if role == "valkey":
                    matches = top and "valkey" in process.name()
                elif role == "granian":
                    matches = not top and "serve" in words[3:]
                else:
                    matches = top and role in words[3:]
                if matches:
                    found.append(process)
        return found

    def answer(self):
        """What the hub answers, or None when nobody does."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", "/readyz")
            return json.loads(line.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            line.close()

    def refuses(self):
        """Whether nobody listens at the hub's address."""
        return not listens(self.port)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def end(self, sign=signal.SIGINT):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sign)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        return self.process.returncode

    def command(self, *words, **more):
        """Run a command of the real command line on the same data."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "hub.cli", *words],
            cwd=ROOT,
            env={**self.settings(), **more},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def close(self):
        """End it, whatever state it is in; nothing of it may be left."""
        if self.process is None:
            return
        below = [] if self.process.poll() is not None else self.below()
        self.end()
        self.process.stdout.close()
        self.process.stderr.close()
        assert all(gone(process) for process in below)


@pytest.fixture
def hub(tmp_path):
    running = Running(tmp_path / "data", free_port())
    yield running
    running.close()
