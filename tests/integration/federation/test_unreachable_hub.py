# SPDX-License-Identifier: Apache-2.0
"""Two real hubs, one of which nobody can reach: it brings what it says, and follows the other."""

import contextlib
import signal
import subprocess
import sys
from functools import partial

import pytest

from hub.client import Client
from hub.demo.paired import SET_NAME, THREE, TLP, admit, introduced, running_hubs
from hub.demo.running import DemoError
from tests.support.codes import pdq
from tests.support.real_hubs import answer, contributed
from tests.support.waiting import eventually

NOWHERE = "https://hub-a.example"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A hub that nobody reaches, its partner, their set, and how it is before it is heard."""
    places = iter([{"BREAKWATER_PUBLIC_URL": NOWHERE}, {}])
    folder = tmp_path_factory.mktemp("pair")
    with running_hubs(folder, THREE[:2], more=lambda _port: next(places)) as (hidden, met):
        met.line = met.type("partners", "invite", *introduced(met))["line"]
        hidden.line = hidden.type("partners", "pair", met.line, *introduced(hidden))["line"]
        operator = hidden.cast.operator
        met.type("partners", "pair", hidden.line, "--unreachable", "--vouches-for", operator)
        made = hidden.type("sets", "add", SET_NAME, "--tlp", TLP)["id"]
        hidden.type("partners", "share", met.name, made)
        met.type("partners", "share", hidden.name, made, "--name", SET_NAME, "--tlp", TLP)
        for hub in (hidden, met):
            admit(hub, made)
        yield hidden, met, made, met.partners()[hidden.name]


def is_hit(hub, known):
    return answer(hub, known) == "hit"


def withdrawn(hub, indicator):
    with Client(hub.running.url, hub.key) as client:
        client.withdraw(indicator)


def comes_to(hidden, met, known, wanted):
    """Whether the partner answers so, once the hidden hub has brought what it says."""
    with contextlib.suppress(DemoError):  # its log is signed in a moment
        hidden.type("bundle", "post", met.name)
    return answer(met, known) == wanted


def test_a_hub_that_nobody_reaches_is_a_partner_like_any_other(pair):
    hidden, met, made, before = pair
    known, theirs = pdq(), pdq()
    (indicator,) = contributed(hidden, made, known)
    (brought_back,) = contributed(met, made, theirs)

    eventually(lambda: comes_to(hidden, met, known, "hit"))
    eventually(lambda: answer(hidden, theirs) == "hit")
    withdrawn(hidden, indicator)
    withdrawn(met, brought_back)
    eventually(lambda: comes_to(hidden, met, known, "none"))
    eventually(lambda: answer(hidden, theirs) == "none")

    after = met.partners()[hidden.name]
    assert (before["state"], before["asked"], before["error"]) == ("active", False, None)
    assert before["alive_seconds_ago"] is None
    assert (after["behind"], after["error"]) == (0, None)
    assert after["alive_seconds_ago"] < 600  # its heartbeat came along
    assert met.type("partners", "evidence", hidden.name) == []
    assert f"partner={hidden.name}" not in met.running.said()


def test_a_service_goes_on_bringing_what_is_new(pair):
    hidden, met, made, _ = pair
    service = subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-m", "hub.cli", "bundle", "post", met.name, "--every", "5"],
        env=hidden.running.environment(),
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(2):
            known = pdq()
            contributed(hidden, made, known)
            eventually(partial(is_hit, met, known))
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(20)
