# SPDX-License-Identifier: Apache-2.0
"""Everything that CI checks; `nox -l` lists it, `nox -s tests -- -k match` runs a part.

Run from the project's own environment (`make setup`, then `.venv/bin/nox`) the sessions use that
environment as it is, which takes no time at all. Run from anywhere else, each makes its own.
"""

import os
import sys
from pathlib import Path

import nox

HERE = Path(__file__).parent
IN_PROJECT_VENV = Path(sys.prefix).resolve() == (HERE / ".venv").resolve()

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "none" if IN_PROJECT_VENV else "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_external_run = not IN_PROJECT_VENV
nox.options.sessions = ["style", "types", "architecture", "docs", "tests", "planted_bugs"]

if IN_PROJECT_VENV:
    os.environ["PATH"] = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"


@nox.session
def style(session: nox.Session) -> None:
    """Look at format and style: ruff, with every rule on."""
    prepare(session)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: mypy, strict, tests included."""
    prepare(session)
    session.run("mypy")


@nox.session
def architecture(session: nox.Session) -> None:
    """Check who imports whom: the contracts of .importlinter."""
    prepare(session)
    session.run("lint-imports", "--no-cache", "--no-logo")


@nox.session
def docs(session: nox.Session) -> None:
    """Check that the committed API description is what the code says."""
    prepare(session)
    session.run("breakwater", "openapi", "--check")


@nox.session
def tests(session: nox.Session) -> None:
    """Test everything this machine can test, and measure what the tests reach.

    What follows `--` goes to pytest; a part of the tests has no coverage to answer for.
    """
    prepare(session)
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    session.run("coverage", "erase")
    # Many tests wait for what others do: half as many workers more than there are cores. Which
    # of them does what, tests/support/scheduling.py decides.
    cores = os.cpu_count() or 1
    workers = str(min(cores + cores // 2, 6) or 1)
    session.run("coverage", "run", "-m", "pytest", "-n", workers, "--dist", "loadfile")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--fail-under=95")


@nox.session
def planted_bugs(session: nox.Session) -> None:
    """Plant known bugs one by one: the tests must find each of them."""
    prepare(session)
    session.run("python", "-m", "tests.planted", *session.posargs)


def prepare(session: nox.Session) -> None:
    """Install what the sessions need, unless the project's own environment is in use."""
    if IN_PROJECT_VENV:
        return
    session.install("--require-hashes", "-r", "requirements/bootstrap.txt")
    session.install("--require-hashes", "-r", "requirements/dev.txt")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")
