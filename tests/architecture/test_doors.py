# SPDX-License-Identifier: Apache-2.0
"""The doors of this house open: what make, nox and CI call is there to be called."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

MODULES = {*re.findall(r"python -m ([\w.]+)", MAKEFILE), *re.findall(r'"-m", "([\w.]+)"', NOXFILE)}
COMMANDS = {
    *re.findall(r"\(BIN\)/breakwater (\w+)", MAKEFILE),
    *re.findall(r'"breakwater", "(\w+)"', NOXFILE),
}
SESSIONS = {
    session
    for text in (MAKEFILE, CI)
    for line in re.findall(r"nox -s ([a-z_ ]+)", text)
    for session in line.split()
}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_that_is_run_exists_and_can_be_run(module):
    found = importlib.util.find_spec(module)

    assert found is not None
    if found.submodule_search_locations is not None:
        assert importlib.util.find_spec(f"{module}.__main__") is not None


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_that_is_called_is_one_of_ours(command):
    call = [sys.executable, "-m", "hub.cli", command, "--help"]
    run = subprocess.run(call, cwd=ROOT, capture_output=True, check=False)  # noqa: S603 (ours)

    assert run.returncode == 0


@pytest.mark.parametrize("session", sorted(SESSIONS))
def test_a_session_that_is_called_is_one_of_the_noxfile(session):
    assert re.search(rf"^@nox\.session\ndef {session}\(", NOXFILE, re.MULTILINE)


@pytest.mark.parametrize("script", [".ci/run", "requirements/install", "docker/entrypoint"])
def test_a_script_is_sound_and_may_be_run(script):
    path = ROOT / script
    shell = path.read_text(encoding="utf-8").splitlines()[0].rpartition("/")[2].split()[-1]

    parsed = subprocess.run([shell, "-n", str(path)], capture_output=True, check=False)  # noqa: S603 (ours)

    assert parsed.returncode == 0, parsed.stderr
    assert os.access(path, os.X_OK)


def test_make_help_tells_every_target():
    targets = set(re.findall(r"^([a-z%-]+):", MAKEFILE, re.MULTILINE))

    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 (the make that runs us)

    assert {line.split()[1] for line in told.stdout.splitlines() if "  make " in line} == targets
