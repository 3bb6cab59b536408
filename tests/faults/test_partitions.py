# SPDX-License-Identifier: Apache-2.0
"""Real hubs, each in a network namespace, that are cut off from each other and back again.

Three scenarios of twelve; the others are played by ``python -m tests.namespaces``, as root:
``docs/drills``. That what is checked there can fail is shown here.
"""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.namespaces.checks import Watch, settled
from tests.namespaces.running import play
from tests.namespaces.scenarios import IN_CI
from tests.namespaces.spaces import PREFIX, NoNamespacesError, look, remove, sweep
from tests.namespaces.town import BrokenError, random_code, town
from tests.support.processes import gone
from tests.support.waiting import eventually

pytestmark = pytest.mark.services
SOON = 5.0
"""Seconds within which what cannot happen is waited for."""


@pytest.fixture(scope="module")
def machine():
    try:
        look()
    except NoNamespacesError as error:
        pytest.skip(f"hubs are not cut off from each other here: {error}")


@pytest.fixture(scope="module")
def hubs(machine, tmp_path_factory):
    with town(tmp_path_factory.mktemp("town")) as made:
        settled(made)
        yield made


@pytest.mark.parametrize("name", IN_CI)
def test_hubs_that_were_cut_off_hold_the_same_again_and_accuse_nobody(hubs, name):
    assert play(hubs, name).flaw == ""


# -- the checks can fail --------------------------------------------------------------------------


def test_a_way_that_is_not_healed_is_noticed(hubs, monkeypatch):
    hubs.space("b").cut_from(hubs.space("a"), hubs.space("c"))
    hubs.contribute("a")
    with monkeypatch.context() as impatient:
        impatient.setattr(hubs, "patience", SOON)
        with pytest.raises(BrokenError, match="do not come to hold the same"):
            settled(hubs)

    hubs.open()
    settled(hubs)


def test_what_should_have_been_taken_back_and_was_not_is_noticed(hubs, monkeypatch):
    known = hubs.contribute("a")
    hubs.reach("abc", known)
    with monkeypatch.context() as wrong:
        wrong.setattr(hubs, "patience", SOON)
        wrong.setattr(hubs, "planted", "not-withdrawn")
        hubs.withdraw(*known)
        with pytest.raises(BrokenError, match="says hit of what a said; none"):
            settled(hubs)

    hubs.withdraw(*known)
    settled(hubs)


def test_what_is_known_again_after_it_was_taken_back_is_noticed(hubs):
    code = random_code()
    with Watch(hubs) as watch:
        first = hubs.say("a", [code])
        eventually(lambda: all(code in watch.seen[letter] for letter in "abc"))
        hubs.withdraw(*first)
        eventually(lambda: all(code in watch.gone[letter] for letter in "abc"))
        assert watch.flaws == []

        again = hubs.say("a", [code])
        eventually(lambda: any("hub b knows again" in flaw for flaw in watch.flaws))

    hubs.withdraw(*again)
    hubs.book[:] = [one for one in hubs.book if one.code != code]
    settled(hubs)


def test_a_cut_that_cuts_nothing_is_noticed(hubs):
    assert hubs.count() == 0

    hubs.space("b").refuse("in ip saddr 192.0.2.1 drop")
    hubs.contribute("a")
    settled(hubs)

    assert hubs.count() == 0
    hubs.open()


# -- cleaning up ----------------------------------------------------------------------------------


def named():
    listed = subprocess.run(
        ["ip", "netns", "list"],  # noqa: S607 - where it lies differs
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split()[0] for line in listed.stdout.splitlines()}


def made_by(pid):
    return {name for name in named() if name.startswith(f"{PREFIX}{pid}-")}


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_leaves_nothing(machine, sign):
    words = [sys.executable, "-m", "tests.namespaces", "--only", "cable"]
    with subprocess.Popen(  # noqa: S603 - our own program
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        parent = psutil.Process(run.pid)
        eventually(lambda: len(made_by(run.pid)) == 4 and len(parent.children(recursive=True)) > 4)
        below = parent.children(recursive=True)

        run.send_signal(sign)
        run.wait(60)

    assert run.returncode != 0
    assert made_by(run.pid) == set()
    assert all(gone(process) for process in below)


def test_what_a_killed_run_left_is_taken_away_and_nothing_else(machine):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, theirs = f"{PREFIX}{gone.pid}-a", f"{PREFIX}{os.getpid()}-theirs"
    for name in (left, theirs):
        subprocess.run(["ip", "netns", "add", name], check=True)  # noqa: S603, S607 - our own words
    inside = ["ip", "netns", "exec", left, "sleep", "600"]
    with subprocess.Popen(inside) as asleep:  # noqa: S603 - as above
        eventually(lambda: psutil.Process(asleep.pid).name() == "sleep")
        try:
            assert left in sweep()
            assert left not in named()
            assert theirs in named()
            assert asleep.wait(60) == -signal.SIGKILL
        finally:
            remove(theirs)
            asleep.kill()
