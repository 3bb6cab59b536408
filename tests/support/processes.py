# SPDX-License-Identifier: Apache-2.0
"""What is asked of processes that may end at any moment."""

import psutil


def gone(process: psutil.Process) -> bool:
    """Whether it has ended, waited for or not; it may end while it is asked."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
