# SPDX-License-Identifier: Apache-2.0
"""What a figure was measured on: enough to judge it, nothing that says whose machine it is."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

LIBRARIES = ("flask", "granian", "numba", "numpy", "psycopg", "sqlalchemy")
RIVALS = ("faiss-cpu", "medallion", "taxii2-client", "threatexchange")


def machine() -> dict[str, object]:
    """The machine and what runs on it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES} | dict(_rivals()),
        # Others at work on the machine make every absolute figure worse: read the shares then.
        "load_before": round(os.getloadavg()[0], 2),
    }


def _rivals() -> Iterator[tuple[str, str]]:
    """Those of the rivals that are installed."""
    for name in RIVALS:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def _processor() -> str:
    with suppress(OSError):
        found = re.search(
            r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE
        )
        if found:
            return found[1]
    return platform.machine()
