# SPDX-License-Identifier: Apache-2.0
"""Asking side by side: who is slow, or fails, holds nobody up."""

import threading

from hub.jobs.asking import side_by_side


def test_who_is_slow_holds_nobody_up():
    told = threading.Event()

    def ask(one):
        if one == "slow":
            told.wait()
        return one

    came = []
    for answer in side_by_side(ask, ["slow", "quick", "quicker"], at_once=2, seconds=60):
        came.append(answer)
        if len(came) == 2:
            told.set()

    assert came == ["quick", "quicker", "slow"]


def test_nobody_waits_for_longer_than_for_all():
    never = threading.Event()

    def ask(one):
        if one == "slow":
            never.wait()
        return one

    assert list(side_by_side(ask, ["quick", "slow"], seconds=0.2)) in (["quick"], [])
    never.set()


def test_of_who_fails_nothing_comes(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def ask(one):
        return 1 // one

    assert list(side_by_side(ask, [0, 1], at_once=2, seconds=60)) == [1]


def test_nobody_is_asked_in_vain():
    assert list(side_by_side(str, [])) == []
