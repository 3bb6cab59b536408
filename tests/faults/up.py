# SPDX-License-Identifier: Apache-2.0
"""A whole ``breakwater up`` in its own processes, which a test may kill one by one."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from hub.demo.running import free_port
from tests.support.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[2]
NUMBA = Path(tempfile.gettempdir()) / f"breakwater-tests-numba-{os.getuid()}"
"""Compiled kernels, shared by every hub that a test starts."""


class Up:
    """One hub: its folder, its address, and what its first start made."""

    def __init__(self, folder, **environment):
        self.data = folder / "data"
        self.port = free_port()
        # Short, since a socket lives in it.
        self._temp = Path(tempfile.mkdtemp(prefix="bw"))
        self._lines = folder / "up.log"
        self.own = environment
        self.process: Any = None
        self.keys, self.set = [], ""

    @property
    def database(self):
        return self.data / "hub.db"

    def launch(self):
        """Start it, waiting for nothing."""
        with self._lines.open("ab") as lines:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub.cli", "up"],
                cwd=ROOT,
                env=self._environment(),
                stdout=lines,
                stderr=lines,
            )

    def start(self):
        """Start it and wait until it answers."""
        self.launch()
        self.until_ready()
        if not self.keys:
            # The screen of a first start comes a moment after its first answer.
            self.set = eventually(lambda: self._shown(r"(set_[a-z2-7]{26})"), self.last_words)[0]
            self.keys = self._shown(r"^ +\S+ +(bw_test_\S+)$")
        return self

    def until_ready(self):
        """Wait until it answers."""
        eventually(self.is_ready, lambda: f"the hub does not answer: {self.last_words()}")

    def is_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.call("GET", "/readyz")[0] == http.HTTPStatus.OK
        return False

    def call(self, method, path, body=None, *, key=None, once=None, timeout=10):
        """Send one request on a connection of its own; the status and the bytes."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            return sent(line, method, path, body, key=key, once=once)
        finally:
            line.close()

    def named(self, role):
        """The processes that play a role: supervisor, serve, worker, valkey, answering."""
        if role == "supervisor":
            return [psutil.Process(self.process.pid)]
        with contextlib.suppress(psutil.NoSuchProcess):
            below = psutil.Process(self.process.pid).children(recursive=True)
            return [process for process in below if self._role(process) == role]
        return []

    def kill(self, process):
        """``kill -9``; a killed supervisor is buried."""
        process.kill()
        if process.pid == self.process.pid:
            self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def tend(self):
        """Start it again if it is not there, as whatever runs a service does."""
        if self.process.poll() is not None:
            self.launch()

    def end(self):
        """Stop it in order, and leave nothing behind."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
        shutil.rmtree(self._temp, ignore_errors=True)

    def last_words(self):
        """The last lines that its processes wrote."""
        return self._lines.read_text()[-1500:]

    def _shown(self, pattern):
        return re.findall(pattern, self._lines.read_text(), re.MULTILINE)

    def _role(self, process):
        with contextlib.suppress(psutil.NoSuchProcess):
            is_child = process.ppid() == self.process.pid
            words = process.cmdline()
            if "serve" in words:
                return "serve" if is_child else "answering"
            if is_child:
                return "worker" if "worker" in words else "valkey" if words else None
        return None

    def _environment(self):
        # Without coverage: it is what is killed here, and would only be slower.
        foreign = ("BREAKWATER", "REDIS", "COV_", "COVERAGE")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            "BREAKWATER_DATA": str(self.data),
            "BREAKWATER_LISTEN": f"127.0.0.1:{self.port}",
            "BREAKWATER_WORKERS": "2",
            "BREAKWATER_LOG_LEVEL": "warning",
            "NUMBA_CACHE_DIR": str(NUMBA),
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self._temp),
            **self.own,
        }


def sent(line, method, path, body=None, *, key=None, once=None):
    """Send one request on an open connection; the status and the bytes."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    if once is not None:
        headers["Idempotency-Key"] = once
    line.request(method, path, None if body is None else json.dumps(body), headers)
    answer = line.getresponse()
    return answer.status, answer.read()
