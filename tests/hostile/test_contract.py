# SPDX-License-Identifier: Apache-2.0
"""The three commands, as whoever tests another hub would type them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.contract import main
from tests.hostile.peer import honest
from tests.hostile.vectors import OUT, FilePeer

ROOT = Path(__file__).parents[2]


def typed(*arguments):
    """Run a command in a process of its own; returns its exit status and what it printed."""
    command = [sys.executable, "-m", "tests.hostile.contract", *arguments]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
    assert ran.stderr == ""
    return ran.returncode, ran.stdout


@pytest.fixture(params=[pytest.param("typed", marks=pytest.mark.slow), "called"])
def run(request, capsys):
    """A command by its name and arguments; in another process, or, which is quicker, in this."""
    if request.param == "typed":
        return typed

    def called(*arguments):
        status = main(list(arguments))
        return status, capsys.readouterr().out

    return called


@pytest.mark.parametrize(
    ("vector", "alarm", "status"), [("c/C11", "fork", 1), ("a/A3", "bad-signature", 0)]
)
def test_a_hub_is_tested_by_three_commands(run, tmp_path, vector, alarm, status):
    hub, peer = str(tmp_path / "hub"), FilePeer(OUT, vector)
    pairing = json.loads((OUT / "manifest.json").read_bytes())["pairing"]
    with peer.behind() as served:
        assert run("init", hub, pairing) == (0, "")
        peer.step = "first"
        told = run("sync", hub, served.url)
        assert (told[0], json.loads(told[1])["applied"]) == (0, 4)
        _, before = run("dump-state", hub)

        peer.step = "attack"
        code, printed = run("sync", hub, served.url)

        said = json.loads(printed)
        assert (code, said["ok"], said["alarm"]) == (status, status == 0, alarm)
        _, after = run("dump-state", hub)
        if status:
            assert after == before
        else:
            assert json.loads(after)["registers"] == json.loads(before)["registers"]
        peer.step = "after"
        code, printed = run("sync", hub, served.url, "--resume", "--seconds", "9")
        assert (code, json.loads(printed)["alarm"]) == (0, None)
        assert run("dump-state", hub)[1] != before


def test_the_state_is_canonical(tmp_path, capsys):
    hub = str(tmp_path / "hub")
    main(["init", hub, str(honest().pairing)])

    main(["dump-state", hub])

    printed = capsys.readouterr().out.rstrip("\n")
    said = json.loads(printed)
    assert set(said) == {
        "registers", "indicators", "opinions", "manifests", "others", "position", "identity",
    }  # fmt: skip
    assert json.dumps(said, sort_keys=True, separators=(",", ":")) == printed
