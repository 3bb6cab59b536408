# SPDX-License-Identifier: Apache-2.0
"""Compiled once: no request waits for a compiler, whatever arrays it brings."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from matching.search import kernels, packing, probes, spreading
from matching.signals import ORDER
from tests.fakes.rows import batch_of, chunk_of, engine_of, random_codes

COMPILED: list[Any] = [
    *(kernels.near_by_one, kernels.near_by_two, kernels.equal, kernels.hash_table),
    *(spreading.look_up, spreading.spread_anew),
    *(packing.count, packing.places, packing.put, packing.fill, packing.fill_with_riders),
    packing.span,
]


def test_kernels_take_every_signal_without_compiling_again():
    rng = np.random.default_rng(1)
    for signal in ORDER:
        codes = random_codes(rng, signal, 20)
        frozen = codes[::2]
        frozen.setflags(write=False)
        engine = engine_of([chunk_of(signal, codes)])

        hits = engine.search(batch_of(signal, frozen), np.ones(2, np.bool_))

        assert hits.indicator.tolist() == list(range(1, 21, 2))
    assert {len(kernel.signatures) for kernel in COMPILED} == {1}
    assert len(probes.near.signatures) == 2  # with riders, and without


def test_what_one_process_compiled_no_other_compiles_again(tmp_path):
    kept = []
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", "import matching.engine"],
            check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        )
        kept.append({path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb?")})

    assert kept[0]
    assert kept[1] == kept[0]


def test_an_array_of_another_kind_is_an_error_and_no_compilation():
    table = (np.zeros(2, np.int32), np.zeros(1, np.int32))

    with pytest.raises(TypeError):
        kernels.hash_table(np.zeros(1, np.int64), table)
