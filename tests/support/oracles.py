# SPDX-License-Identifier: Apache-2.0
"""Programs of other people that must agree with ours, where they are installed.

``make oracles`` installs some of them in a folder beside the code. ``BREAKWATER_ORACLES`` names
further folders, as ``PATH`` does; they are searched in this order.
None of them is a dependency, so a test that lacks one is skipped and says which.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PATIENCE = 120.0  # seconds
MADE = Path(__file__).parents[2] / ".oracles" / "bin"
GOCODE = "/usr/share/gocode"  # where Debian puts Go's libraries


def oracle(name):
    """Find a program, or skip the test."""
    places = (str(MADE), os.environ.get("BREAKWATER_ORACLES"), os.environ.get("PATH"))
    found = shutil.which(name, path=os.pathsep.join(filter(None, places)))
    if found is None:
        pytest.skip(f"{name} is not installed: make oracles, or BREAKWATER_ORACLES=its folder")
    return found


def told(name, *words, environment=None):
    """Run a program to its end; whoever asks looks at what came of it."""
    command = [oracle(name), *map(str, words)]
    return subprocess.run(  # noqa: S603 - a program that this machine's owner named
        command,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def go_built(source, out):
    """Compile a Go program that needs golang.org/x/mod, or skip the test."""
    gocode = Path(os.environ.get("BREAKWATER_GOCODE") or GOCODE)
    if not (gocode / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("golang.org/x/mod is not there: Debian's golang-golang-x-mod-dev has it")
    settings = {
        "GO111MODULE": "off",
        "GOPATH": str(gocode),
        "GOCACHE": str(out.parent / "go-cache"),
        "GOFLAGS": "",
    }
    done = told("go", "build", "-o", out, source, environment=settings)
    assert done.returncode == 0, done.stderr
    return out
