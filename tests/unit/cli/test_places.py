# SPDX-License-Identifier: Apache-2.0
"""Compiled kernels are never found by sources that are not theirs."""

import shutil
from pathlib import Path

import matching
from hub.cli.places import kernels_version, numba_folder

PACKAGE = Path(matching.__path__[0])


def test_a_changed_kernel_is_kept_apart_from_those_compiled_before(tmp_path):
    shutil.copytree(PACKAGE / "search", tmp_path / "search")
    assert kernels_version(tmp_path) == kernels_version(PACKAGE)

    with (tmp_path / "search" / "spreading.py").open("a") as file:
        file.write("# another thing\n")

    assert kernels_version(tmp_path) != kernels_version(PACKAGE)


def test_kernels_lie_in_the_data_folder_by_their_version(tmp_path):
    folder = numba_folder(tmp_path)

    assert folder.is_relative_to(tmp_path)
    assert folder.name.endswith(kernels_version(PACKAGE))
