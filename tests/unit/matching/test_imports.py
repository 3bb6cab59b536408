# SPDX-License-Identifier: Apache-2.0
"""What a client pulls in when it only hashes: no compiler, no Redis."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import {modules}
print(sorted({{"numba", "redis", "flask", "sqlalchemy"}} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("modules", "brought"),
    [
        ("matching, matching.signals, matching.batches, matching.ports, matching.digests", []),
        ("matching.freshness, matching.controls, matching.stores.memory", []),
        ("matching.stores.layout", []),
        ("matching.search.exact", []),
        ("matching.following", ["numba"]),
        ("matching.stores.redis", ["redis"]),
    ],
)
def test_a_module_brings_no_more_than_it_needs(modules, brought):
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-c", PROGRAM.format(modules=modules)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == str(brought)
