# SPDX-License-Identifier: Apache-2.0
import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from hub.adapters.processes import (
    ORPHANED,
    AddressTakenError,
    AddressUnusableError,
    LockedError,
    before_exec,
    lock_folder,
    require_free,
)
from hub.demo.running import free_port
from tests.support.processes import gone
from tests.support.waiting import eventually

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's death")

PARENT = """
import subprocess, sys, time
from hub.adapters.processes import before_exec
child = subprocess.Popen(["sleep", "600"], preexec_fn=before_exec())
print(child.pid, flush=True)
time.sleep(600)
"""
LATE = """
import sys
from hub.adapters.processes import end_with_parent
end_with_parent(int(sys.argv[1]))
print("went on")
"""


@linux
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_child_ends_with_its_parent_however_that_ends(sign):
    with subprocess.Popen(  # noqa: S603 - the text above
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))

        parent.send_signal(sign)
        parent.wait()

    eventually(lambda: gone(child))


@pytest.mark.parametrize("parent", [os.getppid(), 2**22 - 1])
def test_process_whose_parent_is_gone_already_does_not_go_on(parent):
    done = subprocess.run(  # noqa: S603 - the text above
        [sys.executable, "-c", LATE, str(parent)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (ORPHANED, "")


def test_process_whose_parent_lives_goes_on():
    done = subprocess.run(  # noqa: S603 - the text above
        [sys.executable, "-c", LATE, str(os.getpid())], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "went on\n")


@linux
def test_child_is_prepared_for_the_process_that_forks_it():
    assert before_exec() is not None


def test_folder_is_held_until_it_is_let_go(tmp_path):
    held = lock_folder(tmp_path)
    with pytest.raises(LockedError):
        lock_folder(tmp_path)

    held.release()

    lock_folder(tmp_path).release()


def test_who_inherits_the_lock_holds_it_on(tmp_path):
    held = lock_folder(tmp_path)
    with subprocess.Popen(["sleep", "600"], pass_fds=[held.fileno()]) as heir:  # noqa: S607 - any
        held.release()
        with pytest.raises(LockedError):
            lock_folder(tmp_path)

        heir.kill()

    lock_folder(tmp_path, patience=10).release()


def test_lock_is_not_inherited_by_accident(tmp_path):
    held = lock_folder(tmp_path)
    with subprocess.Popen(["sleep", "600"]) as other:  # noqa: S607 - any
        held.release()

        lock_folder(tmp_path).release()

        other.kill()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_free_address_is_left_free(host):
    port = free_port()

    require_free(host, port)
    require_free(host, port)


def test_taken_address_is_found_even_where_it_would_be_shared():
    with socket.socket() as server:
        # As granian does, which would then take half of the other's callers.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()

        with pytest.raises(AddressTakenError):
            require_free("127.0.0.1", server.getsockname()[1], patience=0)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_address_that_is_not_ours_is_told_apart_from_a_taken_one(host):
    with pytest.raises(AddressUnusableError):
        require_free(host, free_port(), patience=0)
