# SPDX-License-Identifier: Apache-2.0
"""What is installed is whole: data, migrations and pages travel with the code, tests do not."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("hub", "matching", "federation")
DECLARED = ("setup.cfg", "pyproject.toml", "LICENSE", "NOTICE")
MADE = shutil.ignore_patterns("__pycache__", "*.pyc")


def test_every_file_of_the_packages_is_in_the_wheel_and_no_other_package(wheel, source):
    ours = {
        path.relative_to(source).as_posix()
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }

    installed = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert installed == ours
    assert {"hub/cli/__init__.py", "matching/py.typed", "federation/py.typed"} <= installed


def test_the_wheel_brings_the_command_and_the_licence(wheel):
    files = {name.partition(".dist-info/")[2]: name for name in wheel.namelist()}

    entry_points = wheel.read(files["entry_points.txt"]).decode()

    assert "breakwater = hub.cli:main" in entry_points
    assert {"licenses/LICENSE", "licenses/NOTICE"} <= files.keys()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    copy = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=MADE)
    for name in DECLARED:
        shutil.copy(ROOT / name, copy)
    (copy / "README.md").write_text("Breakwater\n", encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    options = ["--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run([*command, *options], check=True)  # noqa: S603 (our own interpreter)
    shutil.rmtree(source / "build", ignore_errors=True)
    with zipfile.ZipFile(next(folder.glob("breakwater-*.whl"))) as opened:
        yield opened
