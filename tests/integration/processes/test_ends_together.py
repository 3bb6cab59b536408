# SPDX-License-Identifier: Apache-2.0
"""Processes of one hub end together, come back alone, and leave nobody behind that answers."""

import os
import signal

import psutil
import pytest
from redis import Redis

from hub.adapters.embedded import runtime_folder
from tests.support.processes import gone
from tests.support.waiting import eventually

ROLES = ["valkey", "serve", "worker", "granian"]


def valkey_of(hub):
    return Redis(unix_socket_path=str(runtime_folder(hub.data) / "valkey.sock"))


def test_killed_supervisor_leaves_no_process_that_answers(hub):
    hub.start()
    below = hub.below()
    assert {p.name() for p in below} >= {"valkey-server"}

    hub.kill()

    eventually(hub.refuses)
    eventually(lambda: all(gone(process) for process in below))


@pytest.mark.parametrize("role", ROLES)
def test_killed_process_comes_back_and_the_hub_answers(hub, role):
    hub.start()
    killed = hub.named(role)[0]
    below_it = killed.children(recursive=True)

    killed.kill()

    eventually(lambda: gone(killed) and all(gone(process) for process in below_it))
    eventually(lambda: len(hub.named(role)) == (2 if role == "granian" else 1))
    eventually(hub.answer)


@pytest.mark.parametrize("role", ROLES)
def test_supervisor_killed_after_a_revival_still_leaves_nobody(hub, role):
    hub.start()
    killed = hub.named(role)[0]
    killed.kill()
    eventually(lambda: gone(killed) and len(hub.named(role)) == (2 if role == "granian" else 1))
    eventually(hub.answer)
    below = hub.below()

    hub.kill()

    eventually(hub.refuses)
    eventually(lambda: all(gone(process) for process in below))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_everything_and_counts_as_success(hub, sign):
    hub.start()
    below = hub.below()

    status = hub.end(sign)

    assert status == 0
    assert hub.refuses()
    assert all(gone(process) for process in below)


def test_ctrl_c_of_a_terminal_reaches_only_the_supervisor(hub):
    hub.start()

    groups = {os.getpgid(process.pid) for process in hub.named("serve") + hub.named("valkey")}

    assert os.getpgid(hub.process.pid) not in groups


def test_stop_during_the_start_leaves_nobody(hub):
    hub.launch()
    eventually(hub.below)
    below = hub.below()

    assert hub.end(signal.SIGTERM) in {0, -signal.SIGTERM}

    eventually(lambda: all(gone(process) for process in below))
    assert hub.refuses()


@pytest.mark.parametrize("by_force", [False, True])
def test_next_start_finds_what_valkey_held(hub, by_force):
    hub.start()
    valkey_of(hub).set("kept", "1")
    # The append-only file is synced each second; a kill leaves it to the page cache, not lost.
    if by_force:
        hub.kill()
    else:
        hub.end()

    hub.process.stdout.close()
    hub.process.stderr.close()
    hub.start()

    assert valkey_of(hub).get("kept") == b"1"


def test_every_process_of_granian_is_tied_to_its_parent(hub):
    hub.start()
    (master,) = hub.named("serve")

    workers = hub.named("granian")

    assert len(workers) == 2
    assert {worker.ppid() for worker in workers} == {master.pid}
    # By a signal to the master only, the supervisor alive: they must not go on by themselves.
    os.kill(master.pid, signal.SIGKILL)
    eventually(lambda: all(gone(worker) for worker in workers))
    assert psutil.pid_exists(hub.process.pid)
