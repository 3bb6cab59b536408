# SPDX-License-Identifier: Apache-2.0
"""Die before the n-th statement of what a process does to its database, for every n.

The process that dies is a fork, so that nothing tidies up behind it: no rollback, no exit handler.
"""

import os

from sqlalchemy import event

CRASHED = 86


def crash_before_each(house, work):
    """Do *work* in a fork that dies before its n-th step, for n = 1, 2, …

    Steps are the statements, the commits, and what comes after a commit. Yields n after each
    death, and ends when a fork came through alive.
    """
    step = 1
    while _dies(house, work, step):
        yield step
        step += 1


def _dies(house, work, step):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            _arm(house, step)
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, CRASHED), f"the fork ended with {code} at step {step}"
    return code == CRASHED


def _arm(house, step):
    left = [step]

    def count(*_args, **_kwargs):
        left[0] -= 1
        if not left[0]:
            os._exit(CRASHED)

    for engine in (house.database.writer, house.database.reader):
        # A connection belongs to the process that opened it.
        engine.dispose(close=False)
        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", count)
    house.hub.begin.announce = count
