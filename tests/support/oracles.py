# SPDX-License-Identifier: Apache-2.0
"""Programs of other people that must agree with ours, where they are installed.

``make oracles`` installs some of them in a folder beside the code. ``BREAKWATER_ORACLES`` names
further folders, as ``PATH`` does; they are searched in this order.
None of them is a dependency, so a test that lacks one is skipped and says which.
"""

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from federation.log.cosignatures import Cosigner
from hub.demo.running import free_port
from tests.support.waiting import eventually

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


@contextmanager
def foreign_witness_of(origin, vkey, folder):
    """Run aics-witness, which knows a log; gives its address and key."""
    port, config = free_port(), ("-c", folder / "witness.json")
    listen = ("--listen", f"127.0.0.1:{port}")
    named = told("aics-witness", "init", *config, "--name", "witness.example/w", *listen)
    assert named.returncode == 0, named.stderr
    added = told("aics-witness", "add-log", *config, "--origin", origin, "--vkey", vkey)
    assert added.returncode == 0, added.stderr
    own = next(word for word in named.stdout.split() if word.startswith("witness.example/w+"))
    serve = [oracle("aics-witness"), "serve", *map(str, config)]
    with (folder / "witness.log").open("wb") as said:
        process = subprocess.Popen(serve, stdout=said, stderr=said)  # noqa: S603 - as in told()
        address = f"http://127.0.0.1:{port}"
        try:
            eventually(lambda: process.poll() is not None or asked_of(address + "/")[0])
            yield address, Cosigner.parse(own)
        finally:
            process.terminate()
            process.wait()


def asked_of(url, body=None):
    """Status and body of an answer of this machine; 0 if there is none."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:  # noqa: S310 - as above
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except urllib.error.URLError:
        return 0, b""
