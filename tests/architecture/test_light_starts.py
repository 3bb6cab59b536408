# SPDX-License-Identifier: Apache-2.0
"""What must start light does: late imports are easily undone by one line at the top of a file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPILER = {"numba", "llvmlite"}
SERVER = {"flask", "marshmallow", "sqlalchemy", "alembic", "redis", "granian"}
PICTURES = {"PIL", "pdqhash", "imagehash", "scipy"}


@pytest.mark.parametrize(
    ("start", "unwanted"),
    [
        # A platform's process that asks and contributes compiles nothing, serves nothing, and
        # leaves the decoding of pictures to a process of its own.
        ("import hub.client", COMPILER | SERVER | PICTURES),
        ("import matching", COMPILER | SERVER | PICTURES | {"numpy"}),
        ("import matching.pictures", COMPILER | SERVER | PICTURES),
        # The supervisor must be small, start at once, and never be the one that fails.
        ("import hub.cli.starting", COMPILER | SERVER | PICTURES | {"numpy"}),
        # A script may ask for each upload.
        ("import hub.cli.items", COMPILER | SERVER | PICTURES),
        # What decodes hostile pictures holds nothing that could be worth taking.
        ("import matching.pictures.worker", COMPILER | SERVER),
    ],
)
def test_a_start_loads_nothing_that_it_does_not_need(start, unwanted):
    assert loaded_after(start) & unwanted == set()


def test_a_start_that_needs_a_compiler_is_seen_to_load_it():
    assert loaded_after("import matching.engine") >= COMPILER


def loaded_after(start):
    """Name the top-level modules that a fresh interpreter holds after a statement."""
    tell = "import json, sys; print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    command = [sys.executable, "-c", f"{start}\n{tell}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 (our own interpreter)
    return set(json.loads(run.stdout))
